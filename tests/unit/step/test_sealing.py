"""Sensitive values never stand in a journal: not in inputs, changes, effects, traces or reasons, refused or taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amends.engine.journal import entry_of, read_entry, vault_of
from amends.engine.values import Sealed

POLICY = """
currency: USD
roles: [user]
types: {account: {number: text, bank: optional text}}
facts:
  iban: {type: optional text, sensitive: true}
  pin: {type: optional int, sensitive: true}
  home: {type: optional account, sensitive: true}
  word: {type: text, default: nothing, sensitive: true}
  copy: {type: optional text, sensitive: true}
  n: {type: int, default: 0}
effects: {tell: {what: optional text, how_long: optional int}}
events:
  give:
    by: user
    keep_as: given
    data:
      iban: {type: optional text, sensitive: true}
      born: {type: optional date, sensitive: true}
      home: {type: optional account, sensitive: true}
      tags: {type: map of int, sensitive: true, default: {}}
      open: optional text
  guess: {by: user, data: {word: {type: text, sensitive: true}}}
  use: {by: user}
  pay: {by: user}
  crack: {by: user, data: {word: {type: text, sensitive: true}}}
  end: {by: user}
define: {secret_is: word + "!"}
payouts:
  refund: {amount: money("5 USD"), routes: [{when: 'word != ""', via: bank, needs: [given.home, iban, given.iban]}]}
states:
  a:
    initial: true
    on:
      give:
        - {when: has(give.iban) && has(give.home), set: {copy: give.iban, home: give.home}, do: [{tell: {what: =give.iban}}]}
        - {when: has(give.iban), set: {copy: give.iban}, do: [{tell: {what: '=give.iban + "?"', how_long: =size(give.iban)}}]}
        - {}
      guess: {when: guess.word == secret_is && size(word) > 3 && word.startsWith("x"), to: b}
      use: {when: has(copy), do: [{tell: {what: =copy}}], set: {iban: copy}}
      pay: {do: [{pay: refund}]}
      crack: [{when: 'crack.word == "x" && 1 / n > 0', to: b}, {do: [{tell: {what: =crack.word}}], set: {n: 1 / n}}]
      end: b
  b: {final: true}
"""

#: No other part of an entry holds such a text.
secrets = st.text("QXZ", min_size=8, max_size=12)


@pytest.fixture(scope="session")
def kept(play: Callable[..., Any]) -> Callable[..., Any]:
    """Return a maker of cases whose facts hold a secret."""
    return lambda secret: play(POLICY, {"iban": secret, "home": {"number": secret}, "word": secret})


def inputs(secret: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every way in which a secret may arrive, taken or refused."""
    yield "give", {"iban": secret, "open": "plain"}
    yield "give", {"iban": secret, "home": {"number": secret, "bank": secret}}
    yield "guess", {"word": secret}
    yield "crack", {"word": secret}
    yield "use", {}
    yield "pay", {}
    # What is not of its type.
    yield "give", {"born": secret}
    yield "give", {"home": secret}
    yield "give", {"home": {secret: secret}}
    yield "give", {"home": {"number": {secret: 1}}}
    yield "give", {"iban": [secret]}
    yield "give", {"iban": {"$sealed": secret}}
    yield "give", {"tags": {secret: "x"}}
    yield "give", {"tags": {"x": secret}}
    yield "guess", {"word": {"deep": [secret]}}
    # What nothing declares.
    yield "give", {"ibam": secret}
    yield "give", {"a/b~c": {"x": secret}}
    yield "nothing", {"iban": secret, "x/y": secret}
    yield "refund.settled", {"iban": secret}
    yield "refund.nothing", {"part": "all", "iban": secret}
    # From whom it may not come, and where nobody listens.
    yield "end", {}
    yield "give", {"iban": secret}


many = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(secrets)
def test_no_sensitive_value_stands_in_any_entry(kept: Callable[..., Any], secret: str) -> None:
    made = kept(secret)
    for name, data in inputs(secret):
        made.send(name, data, by="host" if "." in name else "user:1")
    made.send("give", {"iban": secret}, by="nobody")
    verdicts = {step.verdict for step in made.steps}
    assert verdicts == {"applied", "refused"}
    assert {step.reason.code for step in made.steps if step.verdict == "refused"} >= {
        *("invalid_data", "unknown_event", "not_allowed", "closed", "rule_failed", "role_not_allowed")
    }
    for step in made.steps:
        assert secret.encode() not in entry_of(step), entry_of(step)


@many
@given(secrets)
def test_reasons_and_traces_of_a_step_show_nothing_of_it(kept: Callable[..., Any], secret: str) -> None:
    made = kept(secret)
    for name, data in inputs(secret):
        made.send(name, data, by="host" if "." in name else "user:1")
    for step in made.steps:
        assert secret not in str(
            (step.reason, step.trace, step.decision, step.changes.needs_human, step.missing)
        )


@many
@given(secrets)
def test_the_host_is_given_what_it_needs_and_the_entry_is_not(kept: Callable[..., Any], secret: str) -> None:
    made = kept(secret)
    made.send("give", {"iban": secret, "home": {"number": secret}})
    (effect,) = made.send("pay").effects
    assert effect.data["details"] == {"given.home": {"number": secret}, "iban": secret, "given.iban": secret}
    read = read_entry(entry_of(made.steps[-1]))
    assert all(isinstance(value, Sealed) for value in read.effects[0].data["details"].values())
    restored = read_entry(entry_of(made.steps[-1]), vault_of(made.steps[-1]))
    assert restored.effects == made.steps[-1].effects


def test_what_is_not_sensitive_stands_as_it_is(kept: Callable[..., Any]) -> None:
    made = kept("QQQQQQQQ")
    step = made.send("give", {"iban": "QQQQQQQQ", "open": "plain words"})
    assert b"plain words" in entry_of(step)
