"""Tests of a policy are played through the real loop, on a clock of their own."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail import Guard
from guardrail.errors import VerifierError
from guardrail.outcome import Outcome
from guardrail.policy.loading import load
from guardrail.rehearsal.rehearse import Rehearsal, Rehearsed
from guardrail.testing import ScriptedLLM, ScriptedVerifier, failure
from guardrail.verdict import Cause, Status, Verdict


@pytest.fixture(autouse=True)
def _never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(seconds: float) -> None:
        raise AssertionError(f"a test of a policy waited {seconds} s")

    monkeypatch.setattr(time, "sleep", refuse)


CASE: dict[str, Any] = {
    "name": "one",
    "question": "How long can I ask for a refund?",
    "context": "Refunds are possible within 30 days of delivery.",
    "answers": ["Within 60 days.", "Within 30 days."],
    "verdicts": ["unreliable", "reliable"],
}


def play(expect: Any, *, rules: Any = None, **changes: Any) -> Rehearsed:
    """The case with ``changes`` under ``balanced``, or ``rules``: a preset's name, or the rules of ``default``."""
    settings = {"extends": rules} if isinstance(rules, str) else {"policies": {"default": rules or {}}}
    case = CASE | {"expect": expect} | changes
    if "messages" in case:
        del case["question"]
    policy = load({"version": 1, **settings, "tests": [case]})
    with Rehearsal(policy) as rehearsal:
        return rehearsal.play(policy.tests[0])


BLOCKED = "I am sorry, I could not give a reliable answer to this."
ALWAYS = {"do": "regenerate", "stop": {"after_delay": "10s"}, "wait": {"fixed": "4s"}}
CALL = {"id": "c1", "function": {"name": "search"}}

PASSING: dict[str, dict[str, Any]] = {
    "a reliable answer passes": {
        "verdicts": ["reliable"],
        "expect": {"action": "pass", "text": "Within 60 days.", "attempts": 1, "status": "reliable"},
    },
    "an unreliable one is regenerated, then passes": {
        "expect": {"action": "regenerate", "text": "Within 30 days.", "attempts": 2, "policy": "default"},
    },
    "when all attempts are bad the least risky one is flagged": {
        "verdicts": [{"status": "unreliable", "risk": 0.7}, {"status": "unreliable", "risk": 0.9}],
        "expect": {"action": "flag", "text": "Within 60 days.", "attempts": 2, "status": "unreliable"},
    },
    "or blocked, with the policy's message": {
        "rules": "strict",
        "answers": ["a", "b", "c"],
        "verdicts": ["unreliable"] * 3,
        "expect": {"action": "block", "text": BLOCKED, "attempts": 3},
    },
    "the message of the policy's own": {
        "rules": {"on_unreliable": "block", "messages": {"blocked": "No."}},
        "expect": {"action": "block", "text": "No."},
    },
    "blocking that raises is blocking": {
        "rules": {"on_unreliable": "block", "on_block": "raise"},
        "expect": {"action": "block", "text": BLOCKED},
    },
    "an error is flagged by default": {
        "verdicts": [{"error": "timeout"}],
        "expect": {"action": "flag", "status": "error", "cause": "timeout"},
    },
    "an error goes by its cause": {
        "rules": {"on_error": {"auth": "block", "default": "pass"}},
        "verdicts": [{"error": "auth"}],
        "expect": {"action": "block", "cause": "auth"},
    },
    "and another one by the default": {
        "rules": {"on_error": {"auth": "block", "default": "pass"}},
        "verdicts": [{"error": "server"}],
        "expect": {"action": "pass", "cause": "server"},
    },
    "unknown without a cause": {
        "rules": {"on_unknown": "block"},
        "verdicts": ["unknown"],
        "expect": {"action": "block", "status": "unknown"},
    },
    "unknown with a cause that the policy names": {
        "rules": {"on_unknown": "block", "on_error": {"no_evidence": "pass"}},
        "verdicts": [{"status": "unknown", "cause": "no_evidence"}],
        "expect": {"action": "pass", "cause": "no_evidence"},
    },
    "a call to a tool is not verified": {
        "rules": "strict",
        "answers": [{"tool_calls": [CALL]}],
        "verdicts": [],
        "expect": {"action": "pass", "text": "", "attempts": 1},
    },
    "a refusal is not verified": {
        "rules": "strict",
        "answers": [{"refusal": "I will not."}],
        "verdicts": [],
        "expect": "pass",
    },
    "a fallback has answers of its own": {
        "rules": {"on_unreliable": ["regenerate", {"do": "fallback", "model": "large"}, "block"]},
        "answers": [{"text": "a"}, {"text": "large says", "model": "large"}, {"text": "b"}],
        "verdicts": ["unreliable", "unreliable", "reliable"],
        "expect": {"action": "fallback", "text": "large says", "attempts": 3},
    },
    "or the next one": {
        "rules": {"on_unreliable": [{"do": "fallback", "model": "large"}, "block"]},
        "expect": {"action": "fallback", "text": "Within 30 days."},
    },
    "a model that does not answer": {
        "answers": ["Within 60 days.", {"error": "the server is down"}],
        "expect": {"action": "flag", "attempts": 1, "notes": ["could not regenerate", "the server is down"]},
    },
    "the threshold is the policy's": {
        "rules": {"verify": {"threshold": 0.7}, "on_unreliable": "block"},
        "verdicts": [{"status": "unreliable", "risk": 0.69}],
        "expect": {"action": "pass", "status": "reliable"},
    },
    "from it on an answer is unreliable": {
        "rules": {"verify": {"threshold": 0.7}, "on_unreliable": "block"},
        "verdicts": [{"status": "reliable", "risk": 0.7}],
        "expect": {"action": "block", "status": "unreliable"},
    },
    "a late verdict is none": {
        "rules": {"budget": {"added": "8s"}, "on_error": {"budget": "block", "default": "flag"}},
        "verdicts": [{"status": "reliable", "elapsed": "9s"}],
        "expect": {"action": "block", "cause": "budget"},
    },
    "one in time is one": {
        "rules": {"budget": {"added": "8s"}, "on_error": "block"},
        "verdicts": [{"status": "reliable", "elapsed": "8s"}],
        "expect": "pass",
    },
    "the first answer may take its time": {
        "rules": {"budget": {"added": "8s"}, "on_error": "block"},
        "answers": [{"text": "a", "elapsed": "5m"}],
        "verdicts": ["reliable"],
        "expect": "pass",
    },
    "unless the whole has a budget": {
        "rules": {"budget": {"total": "8s"}, "on_error": "block"},
        "answers": [{"text": "a", "elapsed": "5m"}],
        "verdicts": ["reliable"],
        "expect": {"action": "block", "cause": "budget"},
    },
    "a regeneration that is late": {
        "rules": {"budget": {"added": "8s"}},
        "answers": ["a", {"text": "b", "elapsed": "9s"}],
        "expect": {"action": "flag", "text": "a", "attempts": 1, "notes": "not done within 8 s"},
    },
    "waits pass on the test's own clock": {
        "rules": {"on_unreliable": [ALWAYS, "block"]},
        "answers": ["a", "b", "c", "d"],
        "verdicts": ["unreliable"] * 4,
        "expect": {"action": "block", "attempts": 4},
    },
    "a policy that only watches tells what it would do": {
        "rules": {"mode": "shadow", "on_unreliable": "block"},
        "expect": {"action": "block", "text": "Within 60 days."},
    },
    "a test is in every sample": {
        "rules": {"sample": 0, "on_unreliable": "block"},
        "expect": "block",
    },
    "what the verifier is not shown is noted": {
        "rules": {"verify": {"history": {"max_tokens": 1, "keep": ["last_user"]}}, "on_unreliable": "flag"},
        "messages": [{"role": "assistant", "content": "word " * 500}, {"role": "user", "content": "q"}],
        "expect": {"action": "flag", "notes": "left out"},
    },
}


@pytest.mark.parametrize("name", PASSING)
def test_what_comes_is_what_a_guard_would_do(name: str) -> None:
    played = play(**PASSING[name])
    assert (played.problem, played.mismatches) == (None, ())
    assert played.passed


FAILING: list[tuple[Any, str]] = [
    ("pass", "action: expected 'pass', got 'regenerate'"),
    ({"text": "Within 60 days."}, "text: expected 'Within 60 days.', got 'Within 30 days.'"),
    ({"text": {"contains": ["30", "60"]}}, "text.contains: expected '60', got 'Within 30 days.'"),
    ({"attempts": 1}, "attempts: expected 1, got 2"),
    ({"status": "unreliable"}, "status: expected 'unreliable', got 'reliable'"),
    ({"cause": "timeout"}, "cause: expected 'timeout', got none"),
    ({"policy": "other"}, "policy: expected 'other', got 'default'"),
    ({"notes": "budget"}, "notes: expected 'budget', got none"),
]


@pytest.mark.parametrize(("expect", "told"), FAILING, ids=[told for _, told in FAILING])
def test_an_expectation_that_is_not_met_is_told_with_what_came(expect: Any, told: str) -> None:
    policy = load({"version": 1, "policies": {"other": {}}, "tests": [CASE | {"expect": expect}]})
    played = Rehearsal(policy).play(policy.tests[0])
    assert not played.passed
    assert [str(unmet) for unmet in played.mismatches] == [told]


def test_all_that_is_not_met_is_told() -> None:
    assert [unmet.key for unmet in play({"action": "pass", "attempts": 3, "text": "x"}).mismatches] == [
        "action",
        "attempts",
        "text",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"answers": "a"}, "the LLM was asked for attempt 2, and no answer is left: record it"),
        ({"verdicts": []}, "no verdict is left for 'Within 60 days.': record it, or write 'verdicts: embedded'"),
        ({"verdicts": ["unreliable"]}, "the verifier was asked 2 times, and no verdict is left for 'Within 30 days.'"),
        (
            {"verdicts": [{"status": "unreliable", "findings": ["90 days"]}, "reliable"]},
            "the finding '90 days' does not stand in 'Within 60 days.'",
        ),
    ],
)
def test_what_was_asked_for_and_not_recorded_fails_whatever_is_expected(changes: Any, told: str) -> None:
    played = play({"attempts": 1, "action": "flag"}, **changes)
    assert not played.passed
    assert told in (played.problem or "")
    assert (played.outcome, played.mismatches) == (None, ())


def test_a_fallback_without_answers_left_is_named() -> None:
    rules = {"on_unreliable": [{"do": "fallback", "model": "large", "stop": {"after_attempt": 3}}, "flag"]}
    answers = ["a", {"text": "b", "model": "large"}]
    played = play("flag", rules=rules, answers=answers, verdicts=["unreliable", "unreliable"])
    assert played.problem == "the model large was asked for attempt 3, and no answer is left: record it"


ROUTED = {
    "version": 1,
    "policies": {"streamed": {}, "tagged": {}, "large": {}, "acme": {}},
    "routes": [
        {"match": {"stream": True}, "policy": "streamed"},
        {"match": {"tags": ["medical"]}, "policy": "tagged"},
        {"match": {"model": "gpt-*"}, "policy": "large"},
        {"match": {"metadata": {"tenant": "acme-*"}}, "policy": "acme"},
    ],
}


@pytest.mark.parametrize(
    ("request_", "policy"),
    [
        ({}, "default"),
        ({"stream": True, "tags": ["medical"]}, "streamed"),
        ({"tags": ["medical", "b"]}, "tagged"),
        ({"model": "gpt-5"}, "large"),
        ({"metadata": {"tenant": "acme-1"}}, "acme"),
    ],
)
def test_the_request_chooses_the_route(request_: dict[str, Any], policy: str) -> None:
    found = load({**ROUTED, "tests": [CASE | {"request": request_, "expect": {"policy": policy}}]})
    assert Rehearsal(found).play(found.tests[0]).passed


def test_the_embedded_verifier_judges_where_a_test_says_so() -> None:
    changes: dict[str, Any] = {"verdicts": "embedded", "rules": {"on_unreliable": "block"}}
    assert play({"action": "block", "status": "unreliable"}, **changes).passed
    said = "Refunds are possible within 30 days of delivery."
    assert play({"action": "pass", "status": "reliable"}, answers=said, **changes).passed


def test_nothing_of_the_model_is_loaded_for_recorded_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardrail.rehearsal.rehearse.build", lambda *_, **__: pytest.fail("verifiers were built"))
    assert play("regenerate").passed


# an actual run, written down

STEPS: list[Any] = [
    "pass",
    "flag",
    "block",
    "regenerate",
    ["regenerate", "block"],
    [{"do": "regenerate", "stop": {"after_attempt": 3}}, "flag"],
    [{"do": "fallback", "model": "large"}, "block"],
    ["regenerate", {"do": "fallback", "model": "large", "stop": {"after_attempt": 3}}, "flag"],
]
rules = st.fixed_dictionaries(
    {
        "on_unreliable": st.sampled_from(STEPS),
        "on_unknown": st.sampled_from(STEPS),
        "on_error": st.fixed_dictionaries({"timeout": st.sampled_from(STEPS), "default": st.sampled_from(STEPS)}),
        "verify": st.fixed_dictionaries({"threshold": st.sampled_from([0.0, 0.58, 1.0, "none"])}),
        "mode": st.sampled_from(["enforce", "shadow"]),
    }
)
risk = st.floats(0, 1)
verdicts = st.one_of(
    st.builds(lambda r: Verdict(Status.RELIABLE, risk=r), risk),
    st.builds(lambda r: Verdict(Status.UNRELIABLE, risk=r), risk),
    st.builds(lambda c: Verdict(Status.UNKNOWN, cause=c), st.sampled_from([None, Cause.NO_EVIDENCE, Cause.TIMEOUT])),
    st.builds(failure, st.sampled_from([Cause.TIMEOUT, Cause.SERVER])),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def recorded(line: Verdict | VerifierError) -> dict[str, Any]:
    if isinstance(line, VerifierError):
        return {"error": line.cause.value}
    optional = {"risk": line.risk, "cause": line.cause and line.cause.value}
    return {"status": line.status.value, **{key: value for key, value in optional.items() if value is not None}}


def expected(outcome: Outcome) -> dict[str, Any]:
    assert outcome.verdict is not None
    cause = {"cause": outcome.cause.value} if outcome.cause else {}
    return {
        "action": outcome.action.value,
        "text": outcome.text,
        "attempts": len(outcome.attempts),
        "status": outcome.verdict.status.value,
        "policy": outcome.policy,
        "notes": list(outcome.notes),
        **cause,
    }


@settings(max_examples=150, deadline=None)
@given(
    rules=rules,
    answers=st.lists(texts, min_size=12, max_size=12),
    script=st.lists(verdicts, min_size=12, max_size=12),
)
def test_what_a_guard_did_passes_when_it_is_written_down(rules: Any, answers: list[str], script: Any) -> None:
    policy = load({"version": 1, "policies": {"default": {**rules, "budget": {"added": "none"}}}})
    verifier = ScriptedVerifier(*script, id="main")
    with Guard(policy, verifiers={"main": verifier}) as guard:
        outcome = guard.run(ScriptedLLM(*answers), [{"role": "user", "content": CASE["question"]}])
    said = [
        {"text": attempt.turn.text} | ({"model": attempt.model} if attempt.model else {})
        for attempt in outcome.attempts
    ]
    case = {
        "name": "written down",
        "question": CASE["question"],
        "answers": said,
        "verdicts": [recorded(line) for line in script[: len(verifier.checks)]],
        "expect": expected(outcome),
    }
    tested = load({"version": 1, "policies": {"default": {**rules, "budget": {"added": "none"}}}, "tests": [case]})
    played = Rehearsal(tested).play(tested.tests[0])
    assert (played.problem, played.mismatches) == (None, ())
    assert played.outcome is not None
    assert replace(played.outcome, id="", added=0.0, attempts=()) == replace(outcome, id="", added=0.0, attempts=())
    assert [a.verdict.status for a in played.outcome.attempts] == [a.verdict.status for a in outcome.attempts]
