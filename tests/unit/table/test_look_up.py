"""What a table gives, rule by rule of the hit policies. `three_valued.yaml` is the table of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amends.engine.document import read_file, to_plain
from amends.engine.errors import RuleError
from amends.engine.period import Period
from amends.engine.table import HITS, look_up
from amends.engine.types import TIMESTAMP, OptionalType
from amends.engine.values import Unknown

FACTS = {"t": 10, "f": 5, "?": None, "!": 0}


def tables() -> dict[str, dict[str, Any]]:
    node, found = read_file(Path(__file__).parent / "three_valued.yaml")
    assert node is not None
    assert found == ()
    plain: dict[str, dict[str, Any]] = to_plain(node)
    return plain


def rows() -> Iterator[Any]:
    for name, table in tables().items():
        for row, due in table["rows"].items():
            yield pytest.param(name, row, str(due), id=f"{name}: {row}")


def text_of(name: str) -> str:
    table = tables()[name]
    hit = table.get("hit") or name.partition("_")[0]
    lines = [
        "facts: {a: optional int, b: optional int, c: optional int}",
        "tables:",
        "  t:",
        f"    hit: {hit}",
    ]
    outputs = table["outputs"]
    lines += [f"    outputs: {'[' + ', '.join(outputs) + ']' if isinstance(outputs, list) else outputs}"]
    if "otherwise" in table:
        lines.append(f"    otherwise: {table['otherwise']}")
    lines.append("    rules:")
    lines += [
        f"      - {{id: {fact}, when: 10 / {fact} == 1, then: {then}}}"
        for fact, then in zip("abc", table["then"], strict=True)
    ]
    return "\n".join(lines)


def shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "empty"
    return "unknown" if isinstance(value, Unknown) else str(value)


@pytest.mark.parametrize(("name", "row", "due"), list(rows()))
def test_a_table_gives_what_its_hit_policy_makes_of_its_rules(
    read: Callable[[str], Any], name: str, row: str, due: str
) -> None:
    world = read(text_of(name))
    assert world.findings == ()
    facts = dict(zip("abc", (FACTS[mark] for mark in row.split()), strict=True))
    try:
        value = shown(world.look_up("t", **facts).value)
    except RuleError:
        value = "fails"
    assert value == due


def test_every_hit_policy_has_its_rows() -> None:
    assert {table.get("hit") or name.partition("_")[0] for name, table in tables().items()} == set(HITS)


DELIVERY = """
facts: {weight: optional int, express: optional bool, note: optional text, sent: optional timestamp, day: optional date}
tables:
  price:
    source: handbook
    inputs: [weight, express]
    outputs: money
    rules:
      - {id: light, when: ["< 10", false], then: 5, source: guess}
      - {id: heavy, when: [">= 10", false], then: 9}
      - {id: fast, when: ["-", true], then: 20}
    otherwise: 0
  due:
    inputs: [express]
    outputs: moment
    rules:
      - {when: true, then: 1 day after sent}
      - {when: false, then: 2 days after sent}
  both:
    outputs: {by: moment, label: text, hint: optional text}
    rules:
      - {id: noted, when: has(note), then: {by: 1 day after sent, label: =note, hint: hurry}}
      - {id: plain, when: "!express", then: {by: 2 days after sent, label: slow}}
  shifted:
    of: {days: int, early: optional bool}
    outputs: int
    rules:
      - {when: early && days > 1, then: =days - 1}
    otherwise: =days * 2
"""


@pytest.fixture(scope="module")
def delivery(read: Callable[[str], Any]) -> Any:
    world = read(DELIVERY)
    assert world.findings == ()
    return world


def test_a_dash_matches_a_missing_input(delivery: Any) -> None:
    assert str(delivery.look_up("price", express=True).value) == "20.00 USD"


def test_a_missing_input_is_named(delivery: Any) -> None:
    assert delivery.look_up("price", express=False).value == Unknown(frozenset({"weight"}))
    assert delivery.look_up("price").value == Unknown(frozenset({"weight", "express"}))


def test_a_false_cell_decides_beside_an_unknown_one(delivery: Any) -> None:
    assert delivery.look_up("price", weight=3, express=True).rule == "fast"


def test_a_result_names_the_rule_and_its_source_or_the_tables(delivery: Any) -> None:
    light = delivery.look_up("price", weight=3, express=False)
    heavy = delivery.look_up("price", weight=10, express=False)
    assert (light.rule, light.sources) == ("light", ("guess",))
    assert (heavy.rule, heavy.sources) == ("heavy", ("handbook",))


def test_an_unknown_result_names_no_rule(delivery: Any) -> None:
    assert delivery.look_up("price").rule is None


def test_a_moment_is_a_timestamp_at_the_end_of_its_day(delivery: Any) -> None:
    due = delivery.look_up("due", express=True, sent="2026-03-05T10:00:00Z").value
    assert due.isoformat() == "2026-03-06T23:59:59+00:00"


def test_a_moment_that_is_not_known_yet_is_unknown_and_names_its_rule(delivery: Any) -> None:
    due = delivery.look_up("due", express=False)
    assert due.value == Unknown(frozenset({"sent"}))
    assert due.rule == "rule_2"


def test_an_unknown_moment_leaves_the_other_outputs_known(delivery: Any) -> None:
    value = delivery.look_up("both", note="fragile").value
    assert (value["label"], value["hint"]) == ("fragile", "hurry")
    assert value["by"] == Unknown(frozenset({"sent"}))


WORTH = """
facts: {n: optional int, a: optional int, b: optional int}
tables:
  t:
    hit: HIT
    outputs: {kind: [low, high], size: int, note: text}
    rules:
      - {when: n < 5, then: {kind: low, size: =a, note: =string(n)}}
      - {when: n < 9, then: {kind: HIGH, size: =b, note: =string(n)}}
    otherwise: {kind: high, size: 0, note: none}
"""


def test_an_unknown_output_leaves_the_others_known(read: Callable[[str], Any]) -> None:
    world = read(WORTH.replace("HIT", "first").replace("HIGH", "high"))
    assert world.look_up("t", n=3).value == {"kind": "low", "size": Unknown(frozenset({"a"})), "note": "3"}
    assert world.look_up("t", n=3).rule == "rule_1"


def test_what_each_output_may_miss_is_told_apart_from_what_leaves_the_rule_open(
    read: Callable[[str], Any],
) -> None:
    table = read(WORTH.replace("HIT", "first").replace("HIGH", "high")).tables["t"]
    assert table.may_miss == {"n"}
    assert table.outputs_may_miss == {"size": {"a", "b"}}


def test_of_what_is_collected_nothing_is_told_apart(read: Callable[[str], Any]) -> None:
    world = read(WORTH.replace("HIT", "collect").replace("HIGH", "high"))
    assert world.tables["t"].may_miss == {"n", "a", "b"}
    assert world.look_up("t", n=3, b=1).value == Unknown(frozenset({"a"}))


def test_rules_that_hold_together_do_not_differ_in_what_is_unknown(read: Callable[[str], Any]) -> None:
    world = read(WORTH.replace("HIT", "any").replace("HIGH", "low"))
    assert world.look_up("t", n=3, a=1, b=1).value == {"kind": "low", "size": 1, "note": "3"}
    assert world.look_up("t", n=3, a=1).value == {
        "kind": "low",
        "size": Unknown(frozenset({"b"})),
        "note": "3",
    }
    with pytest.raises(RuleError, match="do not agree"):
        world.look_up("t", n=3, a=1, b=2)


def test_rules_that_surely_differ_fail_whatever_else_is_unknown(read: Callable[[str], Any]) -> None:
    world = read(WORTH.replace("HIT", "any").replace("HIGH", "high"))
    with pytest.raises(RuleError, match="do not agree"):
        world.look_up("t", n=3)


def test_outcomes_with_an_unknown_output_agree_with_none(read: Callable[[str], Any]) -> None:
    """They may yet differ, and what is known must stay so."""
    world = read("""
facts: {p: optional bool, a: optional int}
tables:
  t:
    hit: unique
    outputs: {kind: [low], size: int}
    rules: [{when: p, then: {kind: low, size: =a}}]
    otherwise: {kind: low, size: =a}
""")
    assert world.look_up("t").value == Unknown(frozenset({"p"}))
    assert world.look_up("t", a=3).value == {"kind": "low", "size": 3}


def test_an_optional_output_may_be_left_out(delivery: Any) -> None:
    assert "hint" not in delivery.look_up("both", express=False, sent="2026-03-05T10:00:00Z").value


def test_a_table_with_parameters_is_a_function_of_them(delivery: Any) -> None:
    case = delivery.case({})
    table = delivery.tables["shifted"]
    assert look_up(table, case, (5, True)).value == 4
    assert look_up(table, case, (1, Unknown())).value == 2
    assert isinstance(look_up(table, case, (5, Unknown(frozenset({"early"})))).value, Unknown)


def test_only_what_a_cell_looks_at_can_be_missed(delivery: Any) -> None:
    assert delivery.tables["price"].may_miss == {"weight", "express"}
    assert delivery.tables["due"].may_miss == {"express", "sent"}


def test_what_a_condition_ensures_is_not_missed_by_its_output(delivery: Any) -> None:
    assert delivery.tables["both"].may_miss == {"express"}
    assert delivery.tables["both"].outputs_may_miss == {}
    assert delivery.tables["both"].reads == {"note", "express", "sent"}


def test_a_parameter_is_not_among_what_a_table_reads(delivery: Any) -> None:
    assert delivery.tables["shifted"].reads == frozenset()


def test_an_input_that_no_cell_looks_at_is_neither_read_nor_missed(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {weight: optional int}
tables: {t: {inputs: [weight], outputs: int, rules: [{when: ["-"], then: 1}]}}
""")
    table = world.tables["t"]
    assert (table.reads, table.may_miss) == (frozenset(), frozenset())
    assert world.look_up("t").value == 1


def test_a_rule_below_may_use_what_the_rules_above_ensure_by_being_false(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {n: optional int}
tables:
  t:
    outputs: int
    rules:
      - {when: "!has(n)", then: 0}
      - {when: n > 5, then: 1}
    otherwise: =n
""")
    assert world.tables["t"].may_miss == frozenset()
    assert [world.look_up("t", n=n).value for n in (None, 6, 3)] == [0, 1, 3]


def test_what_a_cell_looks_at_is_there_for_its_output(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {n: optional int, m: optional int}
tables:
  t:
    inputs: [n, m]
    outputs: int
    rules:
      - {when: ["> 5", "-"], then: =n}
      - {when: ["-", "> 5"], then: =n}
""")
    assert world.tables["t"].may_miss == {"n", "m"}


def test_an_input_that_fails_matters_only_to_rules_that_look_at_it(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {n: int, vip: bool}
tables:
  t:
    inputs: [10 / n, vip]
    outputs: int
    rules:
      - {when: ["> 1", true], then: 1}
      - {when: ["-", false], then: 2}
""")
    assert world.look_up("t", n=0, vip=False).value == 2
    with pytest.raises(RuleError, match="division by zero"):
        world.look_up("t", n=0, vip=True)


def test_a_currency_that_a_cell_cannot_be_compared_with_fails_unless_another_cell_decides(
    read: Callable[[str], Any],
) -> None:
    world = read("""
facts: {price: money, region: [US, EU]}
tables:
  t:
    inputs: [price, region]
    outputs: int
    rules:
      - {when: ["<= 100 USD", US], then: 1}
      - {when: ["<= 80 EUR", EU], then: 2}
    otherwise: 3
""")
    assert world.findings == ()
    assert world.look_up("t", price="80 EUR", region="EU").value == 2
    assert world.look_up("t", price="81 EUR", region="EU").value == 3
    with pytest.raises(RuleError, match="USD and EUR cannot be mixed in the cell `<= 100 USD`"):
        world.look_up("t", price="80 EUR", region="US")


def test_two_rules_that_hold_are_both_named(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {n: int}
tables: {t: {hit: unique, outputs: int, rules: [{id: small, when: n < 5, then: 1}, {id: tiny, when: n < 3, then: 2}]}}
""")
    with pytest.raises(RuleError, match="two rules of `t` hold: `small` and `tiny`"):
        world.look_up("t", n=1)


def test_no_rule_that_holds_is_a_failure_that_names_the_table(read: Callable[[str], Any]) -> None:
    world = read("facts: {n: int}\ntables: {t: {outputs: int, rules: [{when: n < 5, then: 1}]}}")
    with pytest.raises(RuleError, match="no rule of `t` holds"):
        world.look_up("t", n=7)


def test_a_table_may_ask_another(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {n: optional int}
tables:
  size: {inputs: [n], outputs: [small, large], rules: [{when: "< 5", then: small}, {when: ">= 5", then: large}]}
  twice: {of: {k: int}, outputs: int, rules: [{then: =k * 2}]}
  price: {inputs: [size, twice(3)], outputs: int, rules: [{when: [small, 6], then: 1}], otherwise: 2}
""")
    assert world.findings == ()
    assert [world.look_up("price", n=n).value for n in (1, 9, None)] == [1, 2, Unknown(frozenset({"n"}))]
    assert world.tables["price"].reads == {"n"}


def test_a_moment_among_several_outputs_is_an_optional_field(delivery: Any) -> None:
    assert delivery.tables["both"].type.field("by") == OptionalType(TIMESTAMP)
    assert delivery.tables["due"].type == TIMESTAMP


# --- params in cells --------------------------------------------------------------------------------------------------

LIMITS = """
types: {place: [home, abroad, limit]}
facts: {price: money, where: place, tries: decimal}
params:
  limit: {type: money, is: 100 USD}
  usual: {type: place, is: home}
  most: {type: int, is: 3}
tables:
  fee:
    inputs: [price, where, tries]
    outputs: text
    rules:
      - {id: small, when: ["<= limit", =usual, "-"], then: small}
      - {id: range, when: ["(=limit..200 USD]", "-", "<= most"], then: middle}
      - {id: named, when: ["-", limit, "-"], then: a place that is called so}
    otherwise: none
"""


def test_a_cell_may_name_a_param(read: Callable[[str], Any]) -> None:
    world = read(LIMITS)
    assert world.findings == ()
    assert world.look_up("fee", price="100 USD", where="home", tries=9).value == "small"
    assert world.look_up("fee", price="100.01 USD", where="home", tries=3).value == "middle"
    assert world.look_up("fee", price="100.01 USD", where="home", tries="3.1").value == "none"


def test_a_bare_word_in_a_cell_of_an_enum_is_its_value_and_never_a_param(read: Callable[[str], Any]) -> None:
    found = read(LIMITS).look_up("fee", price="500 USD", where="limit", tries=9)
    assert found.value == "a place that is called so"


def test_another_value_of_a_param_is_another_table(read: Callable[[str], Any]) -> None:
    world = read(LIMITS.replace("is: 100 USD", "is: 50 USD"))
    assert world.look_up("fee", price="100 USD", where="home", tries=3).value == "middle"


def test_a_table_knows_the_params_of_its_cells_inputs_and_outputs(read: Callable[[str], Any]) -> None:
    world = read(
        LIMITS.replace("then: small", "then: =string(most + 1)").replace("[price,", "[price + limit - limit,")
    )
    assert {name: str(value) for name, value in world.tables["fee"].params.items()} == {
        "limit": "100.00 USD",
        "usual": "home",
        "most": "3",
    }


def test_a_moment_may_be_counted_from_a_parameter(read: Callable[[str], Any]) -> None:
    world = read("""
facts: {n: int}
tables: {due: {of: {sent: timestamp, days: period}, outputs: moment, rules: [{when: n > 5, then: days after sent}], otherwise: sent}}
""")
    assert world.findings == ()
    case = world.case({"n": 6})
    sent = case.now
    found = look_up(world.tables["due"], case, (sent, Period(2, "day"))).value
    assert found.isoformat() == "2026-03-07T23:59:59+00:00"
