"""A guard without evidence: further answers of the application's own LLM, through every door of `Guard`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from guardrail import Action, Cause, Check, Draft, Guard, Message, Outcome, Status, Turn, Usage, Verdict
from guardrail.flow import Generated
from guardrail.guard import First
from guardrail.policy.loading import load
from guardrail.sampling import Recorded, Sample
from guardrail.streams.values import Release, Verified, Write
from guardrail.testing import ScriptedVerifier, reliable, unreliable

ASKED = [{"role": "user", "content": "Capital of France?"}]
BAD, GOOD = "It is London.", "It is Paris."
both = pytest.mark.parametrize("how", ["sync", "async"])


def policy(main: dict[str, Any] | None = None, **rules: Any) -> Any:
    closed = main or {"kind": "consistency", "samples": 3, "verifier": "same"}
    verifiers = {"main": closed, "same": {"kind": "embedded"}}
    return load({"version": 1, "verifiers": verifiers, "policies": {"default": rules}})


def same(check: Check) -> Verdict:
    """Bad is what the sample does not say word for word."""
    return reliable() if check.turn.text == check.evidence[0].text else unreliable(check.turn.text)


class LLM:
    """Says ``first``, and then ``later`` to those who ask aside; another answer to feedback."""

    def __init__(self, first: str, *later: str, again: str = GOOD) -> None:
        self.first, self.later, self.again = first, list(later), again
        self.drafts: list[Draft] = []
        self.lock = threading.Lock()

    def __call__(self, draft: Draft) -> Generated:
        with self.lock:
            self.drafts.append(draft)
            if draft.sample is not None:
                return Generated(Turn(self.later.pop(0)), Usage(10, 2))
            return Generated(Turn(self.again if draft.feedback else self.first), Usage(10, 5))

    async def agenerate(self, draft: Draft) -> Generated:
        return self(draft)

    @property
    def aside(self) -> list[Draft]:
        return [draft for draft in self.drafts if draft.sample is not None]


def run(how: str, guard: Guard, llm: LLM | None, **more: Any) -> Outcome:
    if how == "sync":
        return guard.run(llm, ASKED, **more)
    return asyncio.run(guard.arun(None if llm is None else llm.agenerate, ASKED, **more))


def guarded(verifier: Any = same, **options: Any) -> Guard:
    return Guard(policy(**options), verifiers={"same": ScriptedVerifier(verifier, repeat=True)})


@both
def test_an_answer_that_the_llm_gives_again_passes(how: str) -> None:
    llm = LLM(GOOD, GOOD, GOOD, GOOD)
    outcome = run(how, guarded(), llm)
    assert (outcome.action, outcome.text, len(llm.aside)) == (Action.PASS, GOOD, 3)
    assert outcome.usage == Usage(30, 6)
    assert outcome.verdict is not None
    assert outcome.verdict.verifier == "consistency"
    assert [piece.origin for piece in outcome.verdict.evidence] == ["sample"] * 3


@both
def test_one_that_it_does_not_is_regenerated_and_held_against_the_same_samples(how: str) -> None:
    llm = LLM(BAD, GOOD, GOOD, BAD)
    outcome = run(how, guarded(on_unreliable=["regenerate", "block"]), llm)
    assert (outcome.action, outcome.text, len(llm.aside)) == (Action.REGENERATE, GOOD, 3)
    # The samples once, and the second answer.
    assert outcome.usage == Usage(30 + 10, 6 + 5)


@both
def test_samples_are_asked_for_like_the_first_answer_and_never_judged(how: str) -> None:
    llm, inner = LLM(GOOD, GOOD, BAD, GOOD), ScriptedVerifier(same, repeat=True)
    run(how, Guard(policy(), verifiers={"same": inner}), llm)
    first, *aside = llm.drafts
    assert {draft.messages == first.messages for draft in aside} == {True}
    assert {(draft.attempt, draft.rejected, draft.feedback) for draft in aside} == {(1, None, None)}
    assert {check.turn.text for check in inner.checks} == {GOOD}


@both
def test_the_llm_is_told_that_it_differs_and_not_what_it_made_up_elsewhere(how: str) -> None:
    llm = LLM(BAD, "It is Rome.", "It is Rome.", "It is Rome.", again="I am not sure.")
    outcome = run(how, guarded(on_unreliable=["regenerate", "block"]), llm)
    feedback = llm.drafts[-1].feedback or ""
    assert '- "It is London." is not what you say each time (3 of 3 further answers do not say so)' in feedback
    assert "material" not in feedback
    assert "Rome" not in feedback
    assert (outcome.action, outcome.text) == (Action.REGENERATE, "I am not sure.")


@both
@pytest.mark.parametrize("kind", [{"kind": "consistency"}, {"kind": "embedded", "fallback": "other"}])
def test_a_policy_that_can_do_without_evidence_does_not_ask_for_it(how: str, kind: dict[str, Any]) -> None:
    verifiers = {"main": kind, "other": {"kind": "consistency"}}
    outcome = run(how, Guard(load({"version": 1, "verifiers": verifiers})), LLM(GOOD, *[GOOD] * 5))
    assert outcome.notes == ()


@both
@pytest.mark.parametrize("without", ["no generator", "a mount that cannot"])
def test_where_nothing_can_be_generated_it_is_unknown(how: str, without: str) -> None:
    first = First(Turn(GOOD), cannot_generate=None if without == "no generator" else "it was made in the background")
    llm = None if without == "no generator" else LLM(GOOD, GOOD, GOOD, GOOD)
    outcome = run(how, guarded(on_unknown="block"), llm, first=first)
    assert outcome.verdict is not None
    assert (outcome.verdict.status, outcome.verdict.cause) == (Status.UNKNOWN, Cause.NO_GENERATOR)
    assert outcome.action is Action.BLOCK


def test_so_it_is_for_an_answer_that_is_only_checked() -> None:
    outcome = guarded().check([*ASKED, {"role": "assistant", "content": GOOD}])
    assert outcome.verdict is not None
    assert outcome.verdict.cause is Cause.NO_GENERATOR


@both
def test_samples_that_are_recorded_serve_an_answer_that_is_only_checked(how: str) -> None:
    check = Check((Message("user", ("Capital of France?",)),), Turn(BAD), sampler=Recorded((GOOD, BAD, GOOD)))
    guard = guarded()
    outcome = guard.check(check) if how == "sync" else asyncio.run(guard.acheck(check))
    assert outcome.verdict is not None
    assert outcome.verdict.findings[0].explanation == "2 of 3 further answers do not say so"


@both
def test_an_llm_that_fails_to_answer_again_is_an_error_with_the_answer_kept(how: str) -> None:
    outcome = run(how, guarded(), LLM(GOOD))
    assert outcome.verdict is not None
    assert (outcome.verdict.status, outcome.verdict.cause) == (Status.ERROR, Cause.SERVER)
    assert (outcome.text, outcome.action) == (GOOD, Action.FLAG)


CLOSED = {"kind": "consistency", "samples": 3, "verifier": "same"}
CHAINS: dict[str, dict[str, Any]] = {
    "embedded's fallback": {"main": {"kind": "embedded", "fallback": "closed"}, "closed": CLOSED},
    "then of a cascade": {
        "main": {"kind": "cascade", "first": "local", "then": "closed", "between": "none"},
        "local": {"kind": "embedded"},
        "closed": CLOSED,
    },
    "member of a panel": {
        "main": {"kind": "panel", "members": ["local", "closed"], "combine": "any"},
        "local": {"kind": "embedded"},
        "closed": CLOSED,
    },
}


@both
@pytest.mark.parametrize("chain", CHAINS)
def test_it_is_asked_wherever_another_verifier_has_no_evidence(chain: str, how: str) -> None:
    verifiers = CHAINS[chain] | {"same": {"kind": "embedded"}}
    given: dict[str, Any] = {"same": ScriptedVerifier(same, repeat=True)}
    llm = LLM(BAD, GOOD, GOOD, GOOD)
    rules = {"default": {"on_unreliable": "block"}}
    guard = Guard(load({"version": 1, "verifiers": verifiers, "policies": rules}), verifiers=given)
    outcome = run(how, guard, llm)
    assert (outcome.action, len(llm.aside)) == (Action.BLOCK, 3)


@both
def test_with_evidence_the_embedded_verifier_answers_and_nothing_is_drawn(how: str) -> None:
    verifiers = CHAINS["embedded's fallback"] | {"same": {"kind": "embedded"}}
    llm = LLM(GOOD, GOOD, GOOD, GOOD)
    outcome = run(
        how, Guard(load({"version": 1, "verifiers": verifiers})), llm, evidence=["Paris is France's capital."]
    )
    assert outcome.verdict is not None
    assert (outcome.verdict.verifier, llm.aside) == ("embedded", [])


@both
def test_what_was_said_first_stands_in_the_explanation(how: str) -> None:
    verifiers = CHAINS["embedded's fallback"] | {"same": {"kind": "embedded"}}
    outcome = run(how, Guard(load({"version": 1, "verifiers": verifiers})), None, first=First(Turn(GOOD)))
    assert outcome.verdict is not None
    assert outcome.verdict.explanation.endswith("(asked because the first verifier said unknown: no_evidence)")
    assert outcome.verdict.cause is Cause.NO_GENERATOR


def streamed(how: str, guard: Guard, text: str, llm: LLM, **more: Any) -> tuple[list[Any], Outcome]:
    """The items of a guarded stream of ``text``, word by word, and how it ended."""
    words = [piece + " " for piece in text.split(" ")]

    async def pieces() -> AsyncIterator[str]:
        for word in words:
            yield word

    async def read() -> tuple[list[Any], Outcome]:
        stream = guard.astream(pieces(), ASKED, generate=llm.agenerate, **more)
        return [item async for item in stream.events()], stream.outcome

    if how == "async":
        return asyncio.run(read())
    stream = guard.stream(words, ASKED, generate=llm, **more)
    return list(stream.events()), stream.outcome


TWO = f"{GOOD} {GOOD}"


@both
@pytest.mark.parametrize("mode", ["sentence", "whole", "optimistic"])
def test_a_stream_without_evidence_is_held_whole_until_the_samples_are_in(how: str, mode: str) -> None:
    llm, inner = LLM("", *[f"{TWO} "] * 3), ScriptedVerifier(same, repeat=True)
    _, outcome = streamed(how, Guard(policy(stream={"mode": mode}), verifiers={"same": inner}), TWO, llm)
    assert {check.turn.text for check in inner.checks} == {f"{TWO} "}  # never a part of it
    assert outcome.verdict is not None
    assert (outcome.text.strip(), outcome.verdict.status, len(llm.aside)) == (TWO, Status.RELIABLE, 3)
    assert outcome.usage == Usage(30, 6)


@both
def test_a_stream_with_evidence_goes_out_by_the_sentence_and_draws_nothing(how: str) -> None:
    verifiers = CHAINS["embedded's fallback"] | {"same": {"kind": "embedded"}}
    llm = LLM("", *[TWO] * 3)
    guard = Guard(load({"version": 1, "verifiers": verifiers}))
    items, outcome = streamed(how, guard, TWO, llm, evidence=["Paris is the capital of France."])
    verified = [item for item in items if isinstance(item, Verified)]
    assert (len(verified), llm.aside, outcome.action) == (2, [], Action.PASS)


@both
def test_a_bad_stream_shows_nothing_of_the_samples(how: str) -> None:
    guard = guarded(on_unreliable="block", messages={"blocked": "Withheld."})
    items, outcome = streamed(how, guard, BAD, LLM("", GOOD, GOOD, GOOD))
    assert "".join(item.text for item in items if isinstance(item, Release | Write)).strip() == "Withheld."
    assert outcome.action is Action.BLOCK


@both
def test_in_shadow_a_stream_is_not_held_and_so_not_sampled(how: str) -> None:
    llm = LLM("", GOOD, GOOD, GOOD)
    _, outcome = streamed(how, guarded(mode="shadow"), GOOD, llm)
    assert outcome.verdict is not None
    assert (outcome.verdict.cause, llm.aside) == (Cause.NO_GENERATOR, [])


@both
def test_a_judge_of_ones_own_may_draw_samples_too(how: str) -> None:
    seen: list[str] = []

    def judge(check: Check) -> Verdict:
        assert check.sampler is not None
        seen.extend(turn.text for turn in check.sampler.sample(Sample(2, max_tokens=20)).turns)
        return reliable()

    run(how, Guard("observe", verifiers={"main": judge}), LLM(GOOD, GOOD, BAD))
    assert sorted(seen) == sorted([GOOD, BAD])


@both
def test_the_embedded_model_tells_samples_that_differ(how: str) -> None:
    guard = Guard(load({"version": 1, "verifiers": {"main": {"kind": "consistency", "samples": 3}}}))
    bad = run(
        how, guard, LLM("The tower is 300 metres tall.", *(f"The tower is {n} metres tall." for n in (90, 512, 44)))
    )
    good = run(how, guard, LLM("The tower is 300 metres tall.", *["The tower is 300 metres tall."] * 3))
    assert [o.verdict.status for o in (bad, good) if o.verdict] == [Status.UNRELIABLE, Status.RELIABLE]
