"""Errors keep what they hold on their way to another process."""

from __future__ import annotations

import pickle

import pytest

from guardrail import BlockedError, Guard, Policy, report
from guardrail.errors import PolicyError, VerifierError
from guardrail.testing import ScriptedVerifier, unreliable
from guardrail.verdict import Cause


def blocked() -> BlockedError:
    policy = Policy.model_validate(
        {"version": 1, "policies": {"default": {"on_unreliable": "block", "on_block": "raise"}}}
    )
    guard = Guard(policy, verifiers={"main": ScriptedVerifier(unreliable("London"))})
    with pytest.raises(BlockedError) as caught:
        guard.run(lambda draft: "It is London.", [{"role": "user", "content": "Capital of France?"}])
    return caught.value


def test_a_blocked_error_is_pickled_with_its_outcome() -> None:
    error = blocked()
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.outcome) == (str(error), error.outcome)


@pytest.mark.parametrize(
    "error",
    [
        VerifierError(Cause.RATE_LIMITED, "busy", retry_after=2.0),
        VerifierError(Cause.CONNECT),
        PolicyError("is unknown", file="a.yaml", line=3, column=5, key="policies"),
    ],
)
def test_other_errors_are_pickled_with_all_they_hold(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_the_report_behind_a_blocked_error_is_its_outcome() -> None:
    error = blocked()
    assert report(error) is error.outcome
