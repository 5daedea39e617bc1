"""An answer without its bad sentences, streamed or not."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail import Action, Guard, Outcome, Policy, Rules, Status, Verdict
from guardrail.repair import without
from guardrail.testing import ScriptedVerifier, unreliable
from guardrail.verdict import Finding, FindingKind

ASKED = [{"role": "user", "content": "Capital of France?"}]
LEFT = [
    ("It is London. It is big.", "It is big."),
    ("It is big. It is London.", "It is big."),
    ("A is.\n\nIt is London. B is.", "A is.\n\nB is."),
    ("- A\n- London\n- B", "- A\n- B"),
    ("It is London.", ""),
]


def finding(text: str, bad: str = "London") -> Finding:
    at = text.index(bad)
    return Finding(at, at + len(bad), bad, FindingKind.CONTRADICTED)


@pytest.mark.parametrize(("text", "left"), LEFT)
def test_the_bad_sentence_goes_and_nothing_else(text: str, left: str) -> None:
    assert without(text, [finding(text)]) == left


def test_where_it_is_not_known_which_sentence_is_bad_none_is_known_to_be_good() -> None:
    assert without("It is London.", []) == ""


def run(text: str, verdict: Verdict, **rules: Any) -> Outcome:
    policy = Policy(policies={"default": Rules.model_validate({"on_unreliable": "repair", **rules})})
    return Guard(policy, verifiers={"main": ScriptedVerifier(verdict)}).run(lambda draft: text, ASKED)


def test_a_repaired_answer_is_released_with_both_in_the_report() -> None:
    outcome = run("It is London. It is big.", unreliable("London"))
    assert (outcome.action, outcome.text) == (Action.REPAIR, "It is big.")
    assert [attempt.turn.text for attempt in outcome.attempts] == ["It is London. It is big.", "It is big."]
    assert outcome.verdict is not None
    assert outcome.verdict.status is Status.RELIABLE


@pytest.mark.parametrize(("text", "verdict"), [("It is London.", unreliable("London")), ("A. B.", unreliable())])
def test_an_answer_of_which_nothing_is_left_is_blocked(text: str, verdict: Verdict) -> None:
    outcome = run(text, verdict, messages={"blocked": "No."})
    assert (outcome.action, outcome.text, outcome.turn) == (Action.BLOCK, "No.", None)
    assert "could not repair: no sentence is known to be good" in outcome.notes


def test_a_finding_that_is_misplaced_takes_the_sentence_that_it_quotes() -> None:
    policy = Policy(policies={"default": Rules.model_validate({"on_unreliable": "repair"})})
    guard = Guard(policy, verifiers={"main": lambda check: unreliable("London")})
    assert guard.run(lambda draft: "Paris is big. It is London.", ASKED).text == "Paris is big."


def test_shadow_repairs_nothing() -> None:
    outcome = run("It is London. It is big.", unreliable("London"), mode="shadow")
    assert (outcome.action, outcome.text) == (Action.REPAIR, "It is London. It is big.")
