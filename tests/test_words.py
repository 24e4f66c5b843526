"""The engine speaks of no trade, and no file speaks of the place where it was written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Stems that no sentence or identifier of engine/ contains, wherever they stand in a word.
STEMS = (
    *("refund", "buyer", "seller", "merchant", "customer", "purchas", "parcel", "chargeback", "warehouse"),
    *(
        "tiktok",
        "shopee",
        "lazada",
        "alipay",
        "wechat",
        "paypal",
        "ebay",
        "amazon",
        "airbnb",
        "checkout",
        "storefront",
    ),
)
#: Words that are of the trade when they stand alone (a workshop is not).
WORDS = ("shops?", "shoppers?", "shopping", "payments?", "wallets?", "skus?")
#: Words that are of the trade only in some company: a sorted order is not, and `return window` is a statement.
PHRASES = (
    *(
        "(?:(?<!have )(?<!has )an|per|placed) orders?",
        "orders?[_-]?(?:ids?|totals?|numbers?|placed)",
        "orders? (?:ids?|totals?|numbers?|placed)",
        "orders?_(?:lines?|items?|dates?)",
    ),
    *(
        "returns?_(?:window|period|label|shipment|policy|leg|request)s?",
        "(?:a|the|its|this|late) returns?(?! (?:value|type))",
    ),
)
TRADE = re.compile(
    rf"{'|'.join(STEMS)}|(?<![a-z])(?:{'|'.join(WORDS + PHRASES)})(?![a-z])".replace(" ", "[_ ]")
)
#: Where `OrderTotal` is `order_total`.
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

#: The marks of unfinished work (in quotes, the last is ISO 4217's code for no currency), of a machine's folders, and of who typed.
MARKS = re.compile(r"""\b(?:TODO|FIXME|HACK|XXX)\b(?!["'`])""")
MACHINE = re.compile(r"(?<![\w.:/*-])/(?:home|work|root)/|\.\./shared/")
SCRATCH = re.compile(r"(?<![\w.:/*-])/tmp/")
SPEAKER = re.compile(r"\bas an? (?:AI|language model)\b|\bgenerated (?:by|with) (?:an? )?AI\b", re.IGNORECASE)


def without_examples(text: str) -> list[str]:
    """Return the lines of a module, those of its docstrings' examples left empty."""
    lines = text.splitlines()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, documented) or ast.get_docstring(node) is None:
            continue
        inside = False
        for index in range(node.body[0].lineno - 1, node.body[0].end_lineno or 0):
            line = lines[index].strip().lstrip("\"'r")
            inside = line.startswith(">>> ") or (inside and bool(line))
            if inside:
                lines[index] = ""
    return lines


def trade_words(text: str) -> Iterator[str]:
    """Find the trade's words in a module, with their lines."""
    for number, line in enumerate(without_examples(text), 1):
        for match in TRADE.finditer(CAMEL.sub("_", line).lower()):
            yield f"{number}: {match[0]}"


def test_the_engine_speaks_of_no_trade(root: Path) -> None:
    found = {
        path.relative_to(root).as_posix(): words
        for path in sorted((root / "engine").rglob("*.py"))
        if (words := list(trade_words(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


def lines_of(files: tuple[Path, ...], root: Path) -> Iterator[tuple[str, int, str]]:
    """Yield every line of every text file but this one, which must say the words, with its place."""
    for path in files:
        if path == Path(__file__).resolve():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            yield path.relative_to(root).as_posix(), number, line


def places(files: tuple[Path, ...], root: Path, pattern: re.Pattern[str]) -> list[str]:
    """Return the places where a pattern is found."""
    return [
        f"{path}:{number}: {line.strip()}"
        for path, number, line in lines_of(files, root)
        if pattern.search(line)
    ]


def test_no_file_speaks_of_work_left_undone(project_files: tuple[Path, ...], root: Path) -> None:
    assert places(project_files, root, MARKS) == []


def test_no_file_names_the_folders_of_a_machine(project_files: tuple[Path, ...], root: Path) -> None:
    assert places(project_files, root, MACHINE) == []
    outside = tuple(path for path in project_files if "tests" not in path.relative_to(root).parts)
    assert places(outside, root, SCRATCH) == []


def test_no_file_says_who_typed_it(project_files: tuple[Path, ...], root: Path) -> None:
    assert places(project_files, root, SPEAKER) == []


# --- the rules bite ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "refund_due = 1",
        "class RefundTable: ...",
        "non_refundable = 1",
        "# what the buyer asked for",
        "tell('Seller')",
        "on_tiktok = 1",
        "shop = 1",
        "# a shopper",
        "theShop = 1",
        "order_id = 1",
        "OrderTotal = 1",
        "# once an order is closed",
        "# per order",
        "# the order's placed date is `order placed`",
        "return_window = 1",
        "# when the return is late",
        "payment_method = 1",
    ],
)
def test_a_word_of_the_trade_is_found(line: str) -> None:
    assert list(trade_words(line))


@pytest.mark.parametrize(
    "line",
    [
        "# in declaration order, as sorted; the order is total",
        "def order(self): ...",
        "def f(window): return window",
        "def f(the): return period_text(the)",
        "dataclass(order=True)",
        "# the return value, the return type",
        "in_order = out_of_order = 1",
        "# in order to",
        "# values that have an order",
        "workshop = 1",
        "class OutOfOrder(Exception): ...",
        "payout = 1",
    ],
)
def test_ordinary_words_are_fine(line: str) -> None:
    assert (
        list(trade_words(line.strip() if line.strip().startswith(("return", "@")) is False else f"# {line}"))
        == []
    )


def test_an_example_in_a_docstring_may_speak_of_the_trade() -> None:
    text = 'def f():\n    """Say.\n\n    >>> f("refund")\n    \'buyer\'\n    """\n'
    assert list(trade_words(text)) == []


def test_prose_after_an_example_is_read_again() -> None:
    text = 'def f():\n    """Say.\n\n    >>> f("refund")\n    1\n\n    For the buyer.\n    """\n'
    assert list(trade_words(text)) == ["7: buyer"]


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MARKS, "# TODO: later"),
        (MACHINE, 'open("/home/me/x")'),
        (MACHINE, "see ../shared/x"),
        (SCRATCH, "cd /tmp/x"),
        (SPEAKER, "As an AI, I"),
    ],
)
def test_each_mark_is_found(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


@pytest.mark.parametrize(
    "line", ["https://example.com/home/1", "frame/home/x", "a hackle", "HACKNEY", "as an aid"]
)
def test_harmless_lookalikes_of_the_marks_are_fine(line: str) -> None:
    assert not any(pattern.search(line) for pattern in (MARKS, MACHINE, SCRATCH, SPEAKER))
