"""Overlays: maps by key, lists of maps with an id by id, other lists whole, `null` removes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.engine.diagnostics import Diagnostics
from amends.engine.document import Fields, Node, node_at, read_text, to_plain
from amends.engine.text.overlay import merge


def read(text: str, file: str = "base.yaml") -> Node:
    node, found = read_text(text, file)
    assert not found
    assert node is not None
    return node


def merged(base: str, over: str) -> tuple[Node, list[str]]:
    found = Diagnostics()
    node = merge(read(base), read(over, "over.yaml"), found)
    return node, [f"{item.place}: {item.code} {item.message} | {item.hint}" for item in found.sorted()]


def plain(base: str, over: str) -> object:
    node, found = merged(base, over)
    assert not found
    return to_plain(node)


RULES = "{rules: [{id: small, then: a, when: x}, {id: large, then: b}]}"


def test_maps_merge_by_key_at_every_depth_and_keep_their_order() -> None:
    base = "{a: {x: 1, y: 2}, b: 3}"
    assert str(plain(base, "{b: 4, a: {y: 5, z: 6}, c: 7}")) == (
        "{'a': {'x': 1, 'y': 5, 'z': 6}, 'b': 4, 'c': 7}"
    )


def test_list_is_replaced() -> None:
    assert plain("{a: [1, 2]}", "{a: [3]}") == {"a": [3]}


def test_list_of_rules_written_as_a_list_is_replaced() -> None:
    assert plain(RULES, "{rules: [{id: tiny, then: c}]}") == {"rules": [{"id": "tiny", "then": "c"}]}


def test_null_removes_a_key() -> None:
    assert plain("{a: 1, b: {c: 2, d: 3}}", "{a: null, b: {c: }}") == {"b": {"d": 3}}


@pytest.mark.parametrize(
    "way",
    [
        "{states: {s: {on: {ask: {set: {note: SET}}}}}}",
        "{states: {s: {on: {ask: {unknown: {set: {note: SET}}}}}}}",
        "{states: {s: {always: {set: {note: SET}}}}}",
        "{states: {s: {sla: {late: {breach: {set: {note: SET}}}}}}}",
        "{legs: {claim: {states: {s: {on: {ask: {set: {note: SET}}}}}}}}",
        "{escalations: {stop: {set: {note: SET}}}}",
        "{migrates: {set: {note: SET}}}",
    ],
)
@pytest.mark.parametrize("base", ["{}", "the same"])
def test_null_in_a_set_clears_a_fact_whether_the_base_sets_it_or_not(way: str, base: str) -> None:
    below = way.replace("SET", "1") if base == "the same" else base
    assert plain(below, way.replace("SET", "null")) == to_plain(read(way.replace("SET", "null")))


def test_null_in_the_set_of_a_candidate_that_is_changed_by_its_id_clears_a_fact() -> None:
    base = "{on: {ask: [{id: small, to: a}, {id: large, to: b}]}}"
    assert plain(base, "{on: {ask: {small: {set: {note: null}}}}}") == {
        "on": {"ask": [{"id": "small", "to": "a", "set": {"note": None}}, {"id": "large", "to": "b"}]}
    }


def test_null_below_what_is_only_named_set_removes() -> None:
    base = "{facts: {set: {type: text, sensitive: true}}, states: {set: {on: {ask: a, note: b}}}}"
    over = "{facts: {set: {sensitive: null}}, states: {set: {on: {note: null}}}}"
    assert plain(base, over) == {"facts": {"set": {"type": "text"}}, "states": {"set": {"on": {"ask": "a"}}}}


def test_rule_is_changed_by_its_id() -> None:
    assert plain(RULES, "{rules: {small: {then: c, when: null}}}") == {
        "rules": [{"id": "small", "then": "c"}, {"id": "large", "then": "b"}]
    }


def test_rule_is_removed_by_its_id() -> None:
    assert plain(RULES, "{rules: {small: null}}") == {"rules": [{"id": "large", "then": "b"}]}


def test_new_rule_is_appended_with_its_id_first() -> None:
    node = plain(RULES, "{rules: {huge: {then: c}}}")
    assert str(node).endswith("{'id': 'huge', 'then': 'c'}]}")


def test_id_that_looks_like_a_number_is_found_by_its_text() -> None:
    assert plain("{rules: [{id: 1, then: a}]}", "{rules: {1: {then: b}}}") == {
        "rules": [{"id": 1, "then": "b"}]
    }


@pytest.mark.parametrize("base", ["[{then: b}]", "[{id: a}, {id: a}]"])
@pytest.mark.parametrize("over", ["{a: {then: c}}", "{a: null}"])
def test_rules_without_ids_cannot_be_changed_by_id(base: str, over: str) -> None:
    node, found = merged(f"{{rules: {base}}}", f"{{rules: {over}}}")
    message = "nothing of `rules` can be changed by its id, for not every item has one of its own"
    hint = "give an `id` to every item that this lies over, or write the whole list here"
    assert found == [f"over.yaml:1:2: AM102 {message} | {hint}"]
    assert to_plain(node) == plain(f"{{rules: {base}}}", "{}")


@pytest.mark.parametrize("base", ["[x, y]", "[]", "short"])
def test_map_replaces_whatever_has_no_ids_to_merge_by(base: str) -> None:
    assert plain(f"{{rules: {base}}}", "{rules: {a: {then: c}}}") == {"rules": {"a": {"then": "c"}}}


def test_a_list_that_keeps_some_ids_and_drops_others_is_reported() -> None:
    node, found = merged(RULES, "{rules: [{id: small, then: c}]}")
    message = "this list takes the place of all `rules`, and drops `large`"
    hint = "write a map, each item by its id: what it does not name stays, and `null` removes"
    assert found == [f"over.yaml:1:2: AM117 {message} | {hint}"]
    assert to_plain(node) == {"rules": [{"id": "small", "then": "c"}]}


@pytest.mark.parametrize(
    "over", ["[{id: huge, then: c}]", "[{then: c}]", "[]", "[{id: large, then: c}, {id: small, then: d}]"]
)
def test_a_list_that_keeps_no_id_or_every_one_is_taken_as_meant(over: str) -> None:
    _, found = merged(RULES, f"{{rules: {over}}}")
    assert found == []


def test_short_form_replaces_a_map() -> None:
    assert plain("{due: {within: 2 days}}", "{due: 3 days}") == {"due": "3 days"}


def test_removing_what_is_not_there_is_reported_with_the_nearest_name() -> None:
    node, found = merged("{params: {window: 1, fee: 2}}", "{params: {windwo: null}}")
    assert found == [
        "over.yaml:1:11: AM108 `null` removes `windwo`, which is not there | did you mean `window`?"
    ]
    assert to_plain(node) == {"params": {"window": 1, "fee": 2}}


def test_removing_a_rule_that_is_not_there_is_reported() -> None:
    _, found = merged(RULES, "{rules: {smal: null}}")
    assert found == [
        "over.yaml:1:10: AM108 `null` removes `smal`, which is not there | did you mean `small`?"
    ]


def test_null_in_a_part_that_only_the_overlay_has_removes_nothing() -> None:
    _, found = merged("{a: short}", "{a: {x: null}, b: {y: null}, c: [null]}")
    assert found == [
        "over.yaml:1:6: AM108 `null` removes `x`, which is not there | None",
        "over.yaml:1:20: AM108 `null` removes `y`, which is not there | None",
    ]


def test_null_of_the_base_stays() -> None:
    assert plain("{a: null}", "{b: 1}") == {"a": None, "b": 1}


@pytest.mark.parametrize("value", ["x", "[x]"])
def test_rule_that_is_no_map_is_reported_and_left(value: str) -> None:
    node, found = merged(RULES, f"{{rules: {{small: {value}}}}}")
    assert [item.split(" | ")[0] for item in found] == [
        "over.yaml:1:17: AM102 `small` is one of a list of maps, and this is no map"
    ]
    assert to_plain(node) == to_plain(read(RULES))


def test_id_inside_a_rule_written_by_id_is_reported() -> None:
    _, found = merged(RULES, "{rules: {small: {id: tiny}}}")
    assert found == ["over.yaml:1:18: AM102 `id` is written already, as the key of this map | remove it"]


def test_every_value_keeps_the_place_it_was_written_at() -> None:
    node, _ = merged("a: 1\nb:\n  c: 2\n  d: 3\n", "b:\n  d: 4\n")
    assert str(node_at(node, ["a"]).place) == "base.yaml:1:4"
    assert str(node_at(node, ["b", "c"]).place) == "base.yaml:3:6"
    assert str(node_at(node, ["b", "d"]).place) == "over.yaml:2:6"
    assert str(node_at(node, ["b"]).place) == "over.yaml:2:3"


def test_id_of_a_new_rule_stands_where_its_key_does() -> None:
    node, _ = merged(RULES, "rules:\n  huge: {then: c}\n")
    assert str(node_at(node, ["rules", 2, "id"]).place) == "over.yaml:2:3"


DATA = st.recursive(
    st.integers() | st.text("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text("ab", min_size=1), DATA))
def test_overlay_over_itself_changes_nothing(data: object) -> None:
    node = read(str(data).replace("'", '"'))
    found = Diagnostics()
    assert isinstance(node, Fields)
    assert to_plain(merge(node, node, found)) == data
    assert merge(node, read("{}"), found) == Fields(node.entries, read("{}").place)
    assert not found.found
