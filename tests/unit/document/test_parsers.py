"""The parser in Python stands in where none in C is: it never gives another tree."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.diagnostics import Diagnostic, Place
from amends.engine.document import Fields, Node, read_text, walk

Answer = tuple[Node | None, tuple[Diagnostic, ...]]

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
SEED = """a: 1
b: [x, 'y z', "q\\tr", {c: d, e: f(a)}]
long: this is
  folded text

  more
lit: |
  one
    two

  three
fold: >-
  a b
  c

  d
   e
m:
  - when: a && b
    to: x
  - 'it''s'
# comment
"""


def both(text: bytes | str) -> tuple[Answer, Answer]:
    with pytest.MonkeyPatch.context() as patch:
        first = read_text(text, "p.yaml")
        patch.delattr(yaml, "CSafeLoader")
        return first, read_text(text, "p.yaml")


def places(tree: Node) -> list[Place]:
    found = [node.place for _, node in walk(tree)]
    keys = [key.place for _, node in walk(tree) if isinstance(node, Fields) for key, _ in node.entries]
    return found + keys


def test_a_parser_in_c_is_there_to_compare_with() -> None:
    assert hasattr(yaml, "CSafeLoader")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_file_is_refused_by_both_under_the_same_code_and_place(path: Path) -> None:
    (_, first), (_, second) = both(path.read_bytes())
    assert [(item.code, item.place.line, item.message) for item in first] == [
        (item.code, item.place.line, item.message) for item in second
    ]


CHANGES = st.lists(
    st.tuples(
        st.integers(0, len(SEED) - 1),
        st.integers(0, 4),
        st.sampled_from([*"\n:-[]{},'\"|>#!&*?%@\t\\a1()", "", "  "]),
    ),
    max_size=3,
)


@given(CHANGES)
def test_where_both_give_a_tree_it_is_the_same_and_so_are_its_places(
    changes: list[tuple[int, int, str]],
) -> None:
    text = SEED
    for at, drop, put in changes:
        text = text[:at] + put + text[at + drop :]
    (first, _), (second, _) = both(text)
    if first is not None and second is not None:
        assert first == second
        assert places(first) == places(second)
