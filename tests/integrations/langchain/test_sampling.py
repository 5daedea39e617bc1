"""Further answers drawn from a guarded chat model: unseen, not judged, and at settings that let them differ."""

from __future__ import annotations

from typing import Any

import pytest

import guardrail
from guardrail import Action, Check, Guard, Status, Usage, Verdict
from guardrail.policy.loading import load
from guardrail.testing import ScriptedVerifier, reliable, unreliable
from tests.integrations.langchain.guarded import ASKED, BAD, CALLS, GOOD
from tests.integrations.langchain.scripted import ScriptedModel

every_way = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
POLICY = {
    "version": 1,
    "verifiers": {"main": {"kind": "consistency", "samples": 3, "verifier": "same"}, "same": {"kind": "embedded"}},
    "policies": {"default": {"on_unreliable": "block", "messages": {"blocked": "Withheld."}}},
}


class Free(ScriptedModel):
    """A model with the fields that most providers' have; each call tells what they were."""

    temperature: float | None = 0.0
    max_tokens: int | None = None
    seed: int | None = 7

    def _next(self, messages: Any, options: Any) -> Any:
        return super()._next(messages, {**options, "seen": (self.temperature, self.max_tokens, self.seed)})


def free(**fields: Any) -> Any:
    """One that answers; pydantic's mypy goes by its fields, and not by its constructor."""
    kind: Any = Free
    return kind(GOOD, **fields)


def same(check: Check) -> Verdict:
    return reliable() if check.turn.text == check.evidence[0].text else unreliable(check.turn.text)


def guarded(model: Any) -> tuple[Any, ScriptedVerifier]:
    verifier = ScriptedVerifier(same, repeat=True)
    return guardrail.wrap(model, Guard(load(POLICY), verifiers={"same": verifier})), verifier


@every_way
def test_an_answer_is_held_against_three_more_and_only_it_is_seen(call: Any) -> None:
    model = ScriptedModel(GOOD)
    client, verifier = guarded(model)
    answer = call(client, ASKED)
    outcome = guardrail.report(answer)
    assert (answer.content, outcome.action) == (GOOD, Action.PASS)
    assert outcome.verdict is not None
    assert outcome.verdict.status is Status.RELIABLE
    assert (len(model.asked), len(verifier.checks)) == (4, 3)
    assert {len(messages) for messages in model.asked} == {1}
    assert outcome.usage == Usage(30, 15)
    assert answer.usage_metadata["total_tokens"] == 60


@every_way
def test_an_answer_that_differs_each_time_is_withheld(call: Any) -> None:
    answer = call(guarded(ScriptedModel(BAD, GOOD))[0], ASKED)
    assert answer.content == "Withheld."
    assert GOOD not in repr(answer)


@every_way
def test_they_are_drawn_at_the_samples_settings_and_the_model_keeps_its_own(call: Any) -> None:
    model = free()
    call(guarded(model)[0], ASKED)
    assert [options["seen"] for options in model.options] == [(0.0, None, 7), *[(1.0, len(GOOD) // 3 + 16, None)] * 3]
    assert (model.temperature, model.max_tokens, model.seed) == (0.0, None, 7)


def test_a_bound_of_the_models_own_holds() -> None:
    model = free(max_tokens=4)
    CALLS["invoke"](guarded(model)[0], ASKED)
    assert {options["seen"][1] for options in model.options} == {4}
