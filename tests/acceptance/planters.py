"""One planter for each code of the catalogue: what a fault of that kind looks like in the text of a policy."""

# ruff: noqa: ARG001 - every planter is handed the policy, whether it needs it or not

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from amends.engine.document import Fields, Items, Scalar

if TYPE_CHECKING:
    from tests.acceptance.planting import BAD_BYTE, Edit, Fault, Planter, Puts, Sheet, at, texts
else:
    # Pytest imports files and no packages; test_planted.py has put it there.
    from planting import BAD_BYTE, Edit, Fault, Planter, Puts, Sheet, at, texts

FLAG: Final[Puts] = {("facts", "planted_flag"): "{type: bool, default: false}"}
NUMBER: Final[Puts] = {("facts", "planted_number"): "{type: int, default: 0}"}
TIME: Final[Puts] = {("facts", "planted_at"): "optional timestamp"}
EVENT: Final[Puts] = {("events", "planted_event"): "{}"}
ENTERED: Final[Puts] = {("events", "planted_entry"): "{}"}


def first_value(sheet: Sheet, key: str) -> Scalar:
    """Return the text that stands under a key at the top."""
    found = sheet.node.get(key)
    assert isinstance(found, Scalar)
    return found


def entered(sheet: Sheet, state: str) -> Puts:
    """Return a way from the initial state into a planted one."""
    return {
        **ENTERED,
        ("states", sheet.initial, "on", "planted_entry"): f"[{{when: planted_flag, to: {state}}}]",
        **FLAG,
    }


# --- reading the file ---------------------------------------------------------------------------------------------------


def unreadable_file(sheet: Sheet) -> Fault:
    """Write a letter of a comment in an old encoding."""
    return Fault(edits=[sheet.behind(first_value(sheet, "policy"), f"   # f«{BAD_BYTE}r")])


def not_yaml(sheet: Sheet) -> Fault:
    """Forget to close a quote."""
    return Fault(edits=[sheet.before(first_value(sheet, "policy"), '«"')])


def too_large(sheet: Sheet) -> Fault:
    """Nest lists deeper than anybody would."""
    return Fault(puts={("planted",): f"{'[' * 39}«[{']' * 40}"})


def duplicate_key(sheet: Sheet) -> Fault:
    """Write a part of the policy a second time."""
    key = sheet.node.key("version")
    assert key is not None
    return Fault(edits=[sheet.before(key, f"version: {first_value(sheet, 'version').text}\n«")])


def alias_or_tag(sheet: Sheet) -> Fault:
    """Give a value an anchor."""
    return Fault(edits=[sheet.before(first_value(sheet, "version"), "«&planted ")])


def several_documents(sheet: Sheet) -> Fault:
    """Begin a second document in the middle."""
    return Fault(edits=[sheet.before(sheet.node.entries[-1][0], "«---\n")])


def yaml_trap(sheet: Sheet) -> Fault:
    """Negate a condition without quotes."""
    plain = next((node for node in sheet.conditions() if node.plain), None)
    return (
        Fault(edits=[sheet.before(plain, "«!")]) if plain else Fault(puts={("define", "planted"): "«!true"})
    )


def bad_key(sheet: Sheet) -> Fault:
    """Write a list where a key is due."""
    return Fault(puts={("states", "«[planted]"): "{final: true}"})


# --- structure and names ------------------------------------------------------------------------------------------------


def unknown_key(sheet: Sheet) -> Fault:
    """Misspell a key of a state."""
    return Fault(puts={("states", "planted_101"): "{«finl: true}"})


def wrong_shape(sheet: Sheet) -> Fault:
    """Write a list of states where one is due."""
    targets = sheet.targets(short=False)
    if len(targets) > 1:
        return Fault(edits=[sheet.instead(targets[-1], f"«[{targets[-1].text}]")])
    return Fault(
        puts={("states", "planted_102"): f"{{on: {{planted_event: {{to: «[{sheet.initial}]}}}}}}", **EVENT}
    )


def missing_key(sheet: Sheet) -> Fault:
    """Leave out when a clock is due."""
    return Fault(puts={("sla", "«planted_103"): "{breach: {decision: planted}}"})


def unknown_name(sheet: Sheet) -> Fault:
    """Misspell the first state that something leads to."""
    targets = sheet.targets()
    if targets:
        return Fault(edits=[sheet.before(targets[0], "«"), sheet.behind(targets[0], "x")])
    return Fault(
        puts={("escalations", "planted_104"): f"{{when: planted_flag, to: «{sheet.initial}x}}", **FLAG}
    )


def name_clash(sheet: Sheet) -> Fault:
    """Declare a name a second time, for something else."""
    return Fault(puts={("define", "«planted_flag"): "1", **FLAG})


def bad_literal(sheet: Sheet) -> Fault:
    """Write no period where one is due."""
    return Fault(puts={("params", "planted_106"): "{type: period, is: «3 dayz}"})


def bad_extends(sheet: Sheet) -> Fault:
    """Extend what there is not."""
    extends = sheet.node.get("extends")
    version = at(extends, ("version",))
    if version is not None:
        return Fault(edits=[sheet.instead(version, "«1999-01-01")])
    return Fault(puts={("extends",): "{policy: «planted.base, version: 1}"})


def nothing_to_remove(sheet: Sheet) -> Fault:
    """Remove what the extended policy does not have."""
    return Fault(puts={("params", "«planted_108"): "null"})


def items_dropped(sheet: Sheet) -> Fault:
    """Lay over the policy one that keeps a rule of a table, and drops the other."""
    name, version = first_value(sheet, "policy"), first_value(sheet, "version")
    kept = "{id: one, when: planted_flag, then: 1}"
    over = (
        f'amends: 1\npolicy: planted\nversion: planted\nextends: {{policy: {name.text}, version: "{version.text}"}}\n'
        f"tables: {{planted_117: {{«rules: [{kept}]}}}}\n"
    )
    rules = f"[{kept}, {{id: two, when: true, then: 2}}]"
    puts = {**FLAG, ("tables", "planted_117"): f"{{hit: first, outputs: int, rules: {rules}}}"}
    return Fault(puts=puts, beside={"over.yaml": over})


def unsupported(sheet: Sheet) -> Fault:
    """Write for an engine of another time."""
    return Fault(edits=[sheet.instead(first_value(sheet, "amends"), "«2")])


def bad_in_force(sheet: Sheet) -> Fault:
    """End the policy before it begins."""
    begin: Puts = (
        {} if at(sheet.node, ("in_force", "from")) else {("in_force", "from"): "2026-01-01T00:00:00Z"}
    )
    return Fault(puts={**begin, ("in_force", "until"): "«1999-01-01T00:00:00Z"})


def versions_apart(sheet: Sheet) -> Fault:
    """Let an earlier version end long before this one begins."""
    rule = at(sheet.node, ("in_force", "decided_by"))
    decided = f", decided_by: {rule.text}, from: 1990-01-01T00:00:00Z" if isinstance(rule, Scalar) else ""
    facts = f"facts: {{{rule.text}: timestamp}}\n" if isinstance(rule, Scalar) else ""
    earlier = (
        f"amends: 1\npolicy: {first_value(sheet, 'policy').text}\nversion: planted\n{facts}"
        f"in_force: {{until: 2001-01-01T00:00:00Z{decided}}}\nstates: {{a: {{initial: true, final: true}}}}\n"
    )
    begins = at(sheet.node, ("in_force", "from"))
    edits = [sheet.before(begins, "«")] if begins else []
    puts: Puts = {} if begins else {("in_force", "from"): "«2026-01-01T00:00:00Z"}
    return Fault(puts=puts, edits=edits, beside={"earlier.yaml": earlier})


def served_twice(sheet: Sheet) -> Fault:
    """Let another policy take every case."""
    serves = at(sheet.node, ("serves",))
    edits = [sheet.instead(serves, "true")] if serves else []
    puts: Puts = {} if serves else {("serves",): "true"}
    other = "amends: 1\npolicy: planted\nversion: planted\nserves: «true\nstates: {a: {initial: true, final: true}}\n"
    return Fault(puts=puts, edits=edits, beside={"other.yaml": other})


def outside_bounds(sheet: Sheet) -> Fault:
    """Set a param to less than it may be."""
    return Fault(puts={("params", "planted_112"): "{is: «3 days, at_least: 1 week}"})


def lock(policy: str, version: str) -> dict[str, str]:
    """Return the lock of a version that once said something else."""
    digests = '{rules: "0", model: "0", bundle: "0"}'
    return {"amends.lock": f'amends: 1\npublished:\n  "{policy}":\n    {version}: {digests}\n'}


def published_changed(sheet: Sheet) -> Fault:
    """Change what was published."""
    name, version = first_value(sheet, "policy"), first_value(sheet, "version")
    return Fault(edits=[sheet.before(version, "«")], beside=lock(name.text, f'"{version.text}"'))


def published_gone(sheet: Sheet) -> Fault:
    """Remove a version that was published."""
    return Fault(beside=lock(first_value(sheet, "policy").text, "«planted"))


def bad_include(sheet: Sheet) -> Fault:
    """Include what there is not."""
    return Fault(puts={("states", "planted_115"): "{include: «planted_fragment}"})


# --- expressions --------------------------------------------------------------------------------------------------------


def condition_with(sheet: Sheet, index: int, more: str, instead: str) -> Fault:
    """Write more behind a condition of the text, or a define where there is none."""
    conditions = sheet.conditions()
    if index < len(conditions):
        return Fault(edits=[sheet.behind(conditions[index], more)])
    return Fault(puts={("define", f"planted_{abs(hash(more)) % 1000}"): instead})


def syntax(sheet: Sheet) -> Fault:
    """Write `and`, as in other languages."""
    return condition_with(sheet, 0, " «and true", "'true «and true'")


def type_(sheet: Sheet) -> Fault:
    """Join a number to a condition."""
    return condition_with(sheet, 1, " && «1", "'true && «1'")


def unknown_literal(sheet: Sheet) -> Fault:
    """Misspell a value of an enum."""
    kind: Puts = {("facts", "planted_kind"): "{type: [good, worn], default: good}"}
    return Fault(puts={**kind, ("define", "planted_203"): "'planted_kind == «\"goood\"'"})


def may_be_missing(sheet: Sheet) -> Fault:
    """Pay what may be missing."""
    optional: Puts = {("facts", "planted_sum"): "optional money"}
    for key, payout in at_top(sheet, "payouts"):
        if at(payout, ("amount",)) is not None:
            return Fault(puts={**optional, ("payouts", key, "amount"): "«planted_sum"})
    paid: Puts = {("payouts", "planted_204"): "{amount: «planted_sum, routes: [{via: planted}]}"}
    entry: Puts = {("states", "planted_204"): "{final: true, enter: [{pay: planted_204}]}"}
    return Fault(puts={**optional, **paid, **entry, **entered(sheet, "planted_204")})


def cycle(sheet: Sheet) -> Fault:
    """Define two values by one another."""
    return Fault(puts={("define", "«planted_one"): "planted_two", ("define", "planted_two"): "planted_one"})


def unknown_function(sheet: Sheet) -> Fault:
    """Misspell a function."""
    return condition_with(sheet, 2, " && «siz(1) > 0", "'«siz(1) > 0'")


def bad_moment(sheet: Sheet) -> Fault:
    """Forget what a moment counts from."""
    return Fault(puts={("moments", "planted_207"): "3 days «after»"})


def sensitive_leak(sheet: Sheet) -> Fault:
    """Write a secret into a fact that is none."""
    secret: Puts = {("facts", "planted_secret"): '{type: text, default: "", sensitive: true}'}
    public: Puts = {("facts", "planted_note"): "optional text"}
    way: Puts = {
        (
            "states",
            sheet.initial,
            "on",
            "planted_event",
        ): "[{when: has(planted_note), set: {planted_note: «planted_secret}}]"
    }
    return Fault(puts={**secret, **public, **way, **EVENT})


def time_not_told(sheet: Sheet) -> Fault:
    """Reckon with `now` so that nobody can tell when the condition changes."""
    when = "«now.getSeconds() > 30"
    return Fault(
        puts={("escalations", "planted_209"): f"{{when: {when}, in: [{sheet.initial}], decision: planted}}"}
    )


def asked_too_early(sheet: Sheet) -> Fault:
    """Ask about other cases in the default of a fact."""
    lookup: Puts = {("lookups", "planted_many"): "{count: cases}"}
    fact: Puts = {("facts", "planted_first"): "{type: bool, default: =«planted_many == 0}"}
    way: Puts = {
        ("escalations", "planted_210"): f"{{when: planted_first, in: [{sheet.initial}], decision: planted}}"
    }
    return Fault(puts={**lookup, **fact, **way})


# --- flow ---------------------------------------------------------------------------------------------------------------


def no_initial_state(sheet: Sheet) -> Fault:
    """Make a second state initial."""
    for name, _ in reversed(at_top(sheet, "states")):
        if name not in {sheet.initial, *sheet.under("states").keys()[:1]}:
            key = sheet.under("states").key(name)
            assert key is not None
            return Fault(puts={("states", name, "initial"): "true"}, edits=[sheet.before(key, "«")])
    return Fault(puts={("states", "«planted_301"): "{initial: true, final: true}"})


def unreachable_state(sheet: Sheet) -> Fault:
    """Write a state that nothing leads to."""
    return Fault(puts={("states", "«planted_302"): "{final: true}"})


def no_way_out(sheet: Sheet) -> Fault:
    """Write a state that nothing leads out of."""
    return Fault(
        puts={("states", "«planted_303"): "{}", **way_into(sheet, "planted_303")}, alone=("planted_303",)
    )


def way_into(sheet: Sheet, state: str) -> Puts:
    """Return an escalation from the initial state into a planted one."""
    way = ("escalations", f"into_{state}")
    return {way: f"{{when: planted_flag, in: [{sheet.initial}], to: {state}}}", **FLAG}


def no_last_outcome(sheet: Sheet) -> Fault:
    """Say only for some cases what happens when a clock runs out."""
    clock: Puts = {
        (
            "states",
            sheet.initial,
            "sla",
            "planted_304",
        ): "{due: 900 days, breach: [«{when: planted_flag, decision: planted}]}"
    }
    return Fault(puts={**clock, **FLAG})


def shadowed_transition(sheet: Sheet) -> Fault:
    """Put what always holds before something else."""
    candidates = "[{decision: planted}, «{when: planted_flag, decision: planted}]"
    return Fault(
        puts={
            ("states", sheet.initial, "on", "planted_305"): candidates,
            ("events", "planted_305"): "{}",
            **FLAG,
        }
    )


def no_end(sheet: Sheet) -> Fault:
    """Let a case go round for ever."""
    there: Puts = {("states", "«planted_307"): "{on: {planted_event: planted_307_too}}"}
    back: Puts = {("states", "planted_307_too"): "{on: {planted_event: planted_307}}"}
    return Fault(
        puts={**there, **back, **EVENT, **way_into(sheet, "planted_307")},
        alone=("planted_307", "planted_307_too"),
    )


def set_by_two_legs(sheet: Sheet) -> Fault:
    """Let two legs set one fact on one event."""
    puts: Puts = {("events", "planted_306"): "{}", **NUMBER}
    for leg, value in zip(sheet.legs[:2], ("'1'", "«'2'"), strict=True):
        states = sheet.under("legs", leg, "states").entries
        initial = next(key.text for key, state in states if at(state, ("initial",)))
        puts["legs", leg, "states", initial, "on", "planted_306"] = f"{{set: {{planted_number: {value}}}}}"
    return Fault(puts=puts)


def waits_in_vain(sheet: Sheet) -> Fault:
    """Wait for somebody who has nothing to say."""
    state = f"{{waits_for: planted_role, on: {{planted_308: {sheet.initial}}}}}"
    puts: Puts = {("states", "«planted_308"): state, **way_into(sheet, "planted_308")}
    puts["events", "planted_308"] = f"{{by: {sheet.roles[0]}}}"
    roles = sheet.whole.get("roles")
    if isinstance(roles, Fields):
        puts["roles", "planted_role"] = "planted"
    else:
        puts["roles",] = f"[{', '.join([*texts(roles), 'planted_role'])}]"
    return Fault(puts=puts, alone=("planted_308",))


def waits_without_a_clock(sheet: Sheet) -> Fault:
    """Leave a state to whoever comes."""
    state = f"{{on: {{planted_event: {sheet.initial}}}}}"
    return Fault(
        puts={("states", "«planted_309"): state, **EVENT, **way_into(sheet, "planted_309")},
        alone=("planted_309",),
    )


def never_paid(sheet: Sheet) -> Fault:
    """Declare a payout, and pay it nowhere."""
    return Fault(puts={("payouts", "«planted_310"): "{amount: '0', routes: [{via: planted}]}"})


def held_for_ever(sheet: Sheet) -> Fault:
    """Say only for some cases which way the money goes."""
    return Fault(
        puts={
            ("payouts", "planted_311"): "{amount: '0', routes: [«{when: planted_flag, via: planted}]}",
            **FLAG,
        }
    )


def shadowed_route(sheet: Sheet) -> Fault:
    """Put the route of some cases behind that of all."""
    routes = "[{id: all, via: planted}, «{when: planted_flag, via: other}]"
    return Fault(puts={("payouts", "planted_312"): f"{{amount: '0', routes: {routes}}}", **FLAG})


def unheard_failure(sheet: Sheet) -> Fault:
    """Let somebody decline what nobody then asks about."""
    payout = f"{{amount: '0', approvals: {{by: {sheet.roles[0]}}}, routes: [{{via: planted}}]}}"
    pays = f"{{when: planted_flag, in: [{sheet.initial}], do: [{{pay: planted_313}}]}}"
    return Fault(
        puts={("payouts", "«planted_313"): payout, ("escalations", "pays_planted_313"): pays, **FLAG}
    )


# --- tables -------------------------------------------------------------------------------------------------------------


def table(hit: str, *rules: str, place: str = "") -> Puts:
    """Return a table over a planted number."""
    written = ", ".join(
        f"{{id: r{n}, {rule}}}" if rule[0] != "«" else f"«{{id: r{n}, {rule[1:]}}}"
        for n, rule in enumerate(rules)
    )
    body = f"{{hit: {hit}, inputs: [planted_number], outputs: int, rules: [{written}]}}"
    return {("tables", f"{place}planted_{len(rules)}_{hit}"): body, **NUMBER}


def copied_rule(sheet: Sheet, *hits: str | None) -> Fault | None:
    """Copy the first rule of a table to its end."""
    for _, node in sheet.tables(*hits):
        rules = node.get("rules")
        assert isinstance(rules, Items)
        first, last = rules.items[0], rules.items[-1]
        copy = sheet.written(first).replace("id: ", "id: copy_of_", 1)
        if not copy.startswith("{"):
            continue
        _, end = sheet.offsets(last.place)
        begin = sheet.source.line_begin(sheet.offsets(last.place)[0])
        lead = sheet.text[begin : sheet.offsets(last.place)[0]]
        between = "\n" + lead if lead.strip() == "-" else ", "
        return Fault(edits=[Edit(end, end, f"{between}«{copy}")])
    return None


def cells(node: Fields) -> Iterator[Scalar]:
    """Yield the cells of a table's rules."""
    rules = node.get("rules")
    for rule in rules.items if isinstance(rules, Items) else ():
        row = at(rule, ("when",))
        if isinstance(row, Items):
            yield from (cell for cell in row.items if isinstance(cell, Scalar))


def shadowed_rule(sheet: Sheet) -> Fault:
    """Repeat a rule where the first that holds hits."""
    rules = ('when: ["-"], then: 1', '«when: ["> 5"], then: 2')
    return copied_rule(sheet, None, "first") or Fault(puts=table("first", *rules))


def overlapping_rules(sheet: Sheet) -> Fault:
    """Repeat a rule where only one may hold."""
    rules = ('when: ["<= 5"], then: 1', '«when: [">= 5"], then: 2')
    return copied_rule(sheet, "unique") or Fault(puts=table("unique", *rules))


def bad_cell(sheet: Sheet) -> Fault:
    """Write what is no cell."""
    return Fault(puts=table("any", 'when: ["<= «x!"], then: 1'))


def table_gap(sheet: Sheet) -> Fault:
    """Leave a case out: a limit that was in one rule is in none."""
    for way, node in sheet.tables("unique", "any"):
        upto = next((cell for cell in cells(node) if cell.text.startswith("<= ")), None)
        name = sheet.under("tables").key(str(way[-1]))
        if upto is not None and name is not None and "otherwise" not in node:
            cut = sheet.before(upto, "").begin + (not upto.plain) + 1
            return Fault(edits=[sheet.before(name, "«"), Edit(cut, cut + 1, "")])
    puts = table("any", 'when: ["< 5"], then: 1', 'when: ["> 5"], then: 1', place="«")
    return Fault(puts=puts)


def non_monotone_tiers(sheet: Sheet) -> Fault:
    """Mistype the output of a tier."""
    rules = ('when: ["< 5"], then: 1', '«when: ["[5..10)"], then: 20', 'when: [">= 10"], then: 3')
    return Fault(puts=table("unique", *rules))


# --- care ---------------------------------------------------------------------------------------------------------------


def unused(sheet: Sheet) -> Fault:
    """Declare what nothing uses."""
    return Fault(puts={("params", "«planted_501"): "3 days"})


def window_backwards(sheet: Sheet) -> Fault:
    """Swap the periods of a window."""
    ends = "{opens: 10 days after planted_at, closes: 5 days after planted_at}"
    return Fault(puts={("windows", "«planted_502"): ends, **TIME})


def at_top(sheet: Sheet, key: str) -> list[tuple[str, Fields]]:
    """Return the maps that the text itself declares in a part of the policy."""
    part = at(sheet.node, sheet.way(key))
    entries = part.entries if isinstance(part, Fields) else ()
    return [(name.text, node) for name, node in entries if isinstance(node, Fields)]


PLANTERS: Final[Mapping[str, Planter]] = {
    "AM001": unreadable_file,
    "AM002": not_yaml,
    "AM003": too_large,
    "AM004": duplicate_key,
    "AM005": alias_or_tag,
    "AM006": several_documents,
    "AM007": yaml_trap,
    "AM008": bad_key,
    "AM101": unknown_key,
    "AM102": wrong_shape,
    "AM103": missing_key,
    "AM104": unknown_name,
    "AM105": name_clash,
    "AM106": bad_literal,
    "AM107": bad_extends,
    "AM108": nothing_to_remove,
    "AM109": unsupported,
    "AM110": bad_in_force,
    "AM111": versions_apart,
    "AM112": outside_bounds,
    "AM113": published_changed,
    "AM114": published_gone,
    "AM115": bad_include,
    "AM116": served_twice,
    "AM117": items_dropped,
    "AM201": syntax,
    "AM202": type_,
    "AM203": unknown_literal,
    "AM204": may_be_missing,
    "AM205": cycle,
    "AM206": unknown_function,
    "AM207": bad_moment,
    "AM208": sensitive_leak,
    "AM209": time_not_told,
    "AM210": asked_too_early,
    "AM301": no_initial_state,
    "AM302": unreachable_state,
    "AM303": no_way_out,
    "AM304": no_last_outcome,
    "AM305": shadowed_transition,
    "AM306": set_by_two_legs,
    "AM307": no_end,
    "AM308": waits_in_vain,
    "AM309": waits_without_a_clock,
    "AM310": never_paid,
    "AM311": held_for_ever,
    "AM312": shadowed_route,
    "AM313": unheard_failure,
    "AM401": shadowed_rule,
    "AM402": overlapping_rules,
    "AM403": bad_cell,
    "AM404": table_gap,
    "AM405": non_monotone_tiers,
    "AM501": unused,
    "AM502": window_backwards,
}
