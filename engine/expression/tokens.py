"""Text to tokens: the lexical grammar of CEL, with the literals that the profile leaves out named as such.

Source: CEL language definition, "Syntax". One pass over the text, in linear time.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from ..errors import AmendsError
from ..money import CURRENCIES
from ..period import UNITS
from .habits import PAIRS, SIGNS

Kind = Literal["bool", "int", "decimal", "text", "name", "quoted", "symbol", "end"]

#: Longer expressions are refused, and numbers of more characters.
MAX_LENGTH: Final = 20_000
MAX_NUMBER: Final = 40

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1

#: Words that CEL keeps for itself; they may be fields, never names.
RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "namespace",
        "package",
        "return",
        "var",
        "void",
        "while",
    ]
)
#: An amount or a period as literals elsewhere are written, with the amount's currency on either side.
_BARE: Final = re.compile(
    rf"(?P<period>[0-9]+ +(?:calendar day|{'|'.join(UNITS)})s?)\b"
    r"|(?P<amount>[0-9]+(?:\.[0-9]+)?) *(?P<currency>[A-Za-z]{3})\b"
    r"|(?P<before>[A-Za-z]{3}) *(?P<number>[0-9]+(?:\.[0-9]+)?)\b"
)


def literal_meant(text: str, start: int) -> str | None:
    """Return how an amount or a period that stands at an offset is written in an expression; None for anything else.

    >>> literal_meant("total > 100 eur", 8), literal_meant("2 business days", 0)
    ('money("100 EUR")', 'period("2 business days")')
    """
    found = _BARE.match(text, start)
    if found is None:
        return None
    if found["period"]:
        return f'period("{" ".join(found["period"].split())}")'
    currency = (found["currency"] or found["before"]).upper()
    return f'money("{found["amount"] or found["number"]} {currency}")' if currency in CURRENCIES else None


def one_line(text: str) -> str:
    """Return a text on one line, with what cannot be printed written out.

    >>> one_line("a" + chr(10) + "  b")
    'a b'
    """
    line = " ".join(text.split()) or text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def quoted(text: str, limit: int = 60) -> str:
    """Return an author's text as messages show it: in backticks, on one line, and not too much of it.

    >>> quoted("x" * 99, 5)
    '`xxxxx…`'
    """
    line = one_line(text)
    return f"`{line[:limit]}…`" if len(line) > limit else f"`{line}`"


class SyntaxProblem(AmendsError):  # noqa: N818 - it becomes a `Problem`
    """The expression cannot be read; `start` and `end` are offsets in characters of its text."""

    def __init__(self, message: str, start: int, end: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


class Token(NamedTuple):
    """One word of an expression, with its span in characters."""

    kind: Kind
    #: Its text; of a literal its value.
    value: str | int | bool | Fraction
    start: int
    end: int


# A raw text ends at its first closing quote; any other skips what a backslash escapes.
_TEXT: Final = "|".join(
    [
        *(rf"[bB]?[rR]{quote}.*?{quote}" for quote in ('"""', "'''")),
        *(rf"[bB]?{quote}(?:[^\\]|\\.)*?{quote}" for quote in ('"""', "'''")),
        # Three quotes that nothing closes are no empty text: else the search would begin anew at each of them.
        *(rf"[bB]?[rR]{quote}(?!{quote}{quote})[^{quote}\r\n]*{quote}" for quote in "\"'"),
        *(rf"[bB]?{quote}(?!{quote}{quote})(?:[^{quote}\\\r\n]|\\[^\r\n])*{quote}" for quote in "\"'"),
    ]
)
_TOKEN: Final = re.compile(
    rf"""
    (?P<space>[ \t\n\r\f]+|//[^\n]*)
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?)
    |(?P<text>{_TEXT})
    |(?P<open>[bB]?[rR]?(?:\"\"\"|'''|["']))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<quoted>`[A-Za-z0-9_.\-/\ ]+`)
    |(?P<symbol>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{{}}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\?\"'`])|[xX](?P<byte>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})"
    r"|U(?P<long>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<bad>.))",
    re.DOTALL,
)
_PLAIN: Final = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))


def tokens(text: str) -> list[Token]:
    """Return the tokens of an expression, and one of kind `end`.

    Raises:
        SyntaxProblem: the text is too long, or holds what is no token of the profile.

    >>> [token.value for token in tokens("a >= 1.50 // note")]
    ['a', '>=', Fraction(3, 2), '']
    """
    if len(text) > MAX_LENGTH:
        raise SyntaxProblem(
            f"the expression is longer than {MAX_LENGTH} characters",
            MAX_LENGTH,
            len(text),
            "name a part of it under `define`",
        )
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _stranger(text, position)
        start, position = match.span()
        kind, word = match.lastgroup, match.group()
        if kind == "name":
            found.append(
                Token("bool", word == "true", start, position)
                if word in ("true", "false")
                else _name(word, start)
            )
        elif kind == "symbol":
            found.append(Token("symbol", word, start, position))
        elif kind == "number":
            found.append(_number(word, start, position))
        elif kind == "text":
            found.append(Token("text", _text(word, start), start, position))
        elif kind == "quoted":
            found.append(Token("quoted", word[1:-1], start, position))
        elif kind == "open":
            end = text.find("\n", start)
            raise SyntaxProblem(
                "the text is not closed", start, end if end > 0 else len(text), f"end it with `{word[-1]}`"
            )
    found.append(Token("end", "", len(text), len(text)))
    return found


def _name(word: str, start: int) -> Token:
    return Token("symbol" if word == "in" else "name", word, start, start + len(word))


def _stranger(text: str, position: int) -> SyntaxProblem:
    character = text[position]
    end = position + 1
    if character == "`":
        close = text.find("`", end)
        end = close + 1 if close > 0 else len(text)
        return SyntaxProblem(
            "a quoted field name holds letters, digits, `_`, `.`, `-`, `/` and spaces", position, end
        )
    hint = f"write `{SIGNS[character]}`" if character in SIGNS else None
    if (pair := text[position : position + 2]) in PAIRS:
        hint = f"write {PAIRS[pair]}"
    if character.isalpha():
        hint = "names are of the letters a to z, digits and `_`; text stands in quotes"
    return SyntaxProblem(f"{quoted(character)} has no meaning here", position, end, hint)


def _outside(what: str, start: int, end: int, hint: str) -> SyntaxProblem:
    return SyntaxProblem(f"{what} are not part of the profile", start, end, hint)


def _number(word: str, start: int, end: int) -> Token:
    if word[-1] in "uU":
        raise _outside("unsigned numbers", start, end, f"write `{word[:-1]}`")
    if word[:2] not in ("0x", "0X"):
        if "e" in word or "E" in word:
            raise _outside(
                "floating-point numbers", start, end, "write the digits out: a number with a point is exact"
            )
        if len(word) > MAX_NUMBER:
            raise SyntaxProblem(f"the number has more than {MAX_NUMBER} digits", start, end)
        if "." in word:
            return Token("decimal", Fraction(word), start, end)
        return Token("int", int(word), start, end)
    if len(word) > MAX_NUMBER:
        raise SyntaxProblem(f"the number has more than {MAX_NUMBER} digits", start, end)
    return Token("int", int(word, 16), start, end)


def _text(word: str, start: int) -> str:
    prefix = word[: min(word.find(quote) for quote in "\"'" if quote in word)].lower()
    if "b" in prefix:
        raise _outside("bytes", start, start + len(word), "leave the `b` out for a text")
    body = word[len(prefix) :]
    quotes = 3 if body[:3] in ('"""', "'''") and len(body) >= 6 else 1
    body = body[quotes:-quotes]
    if prefix == "r" or "\\" not in body:
        return body
    offset = start + len(prefix) + quotes

    def unescape(match: re.Match[str]) -> str:
        plain = match["plain"]
        if plain is not None:
            return _PLAIN.get(plain, plain)
        at, end = match.start() + offset, match.end() + offset
        if match["bad"] is not None:
            raise SyntaxProblem(
                f"{quoted(match.group())} is not an escape", at, end, "write `\\\\` for a backslash"
            )
        code = int(
            match["byte"] or match["short"] or match["long"] or match["octal"], 8 if match["octal"] else 16
        )
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise SyntaxProblem(f"`{match.group()}` is not a character", at, end)
        return chr(code)

    return _ESCAPE.sub(unescape, body)
