"""Guard: the same table run by both drivers, with scripted parts and no network."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from guardrail import (
    Action,
    BlockedError,
    Cause,
    Check,
    ConfigError,
    Draft,
    Evidence,
    Guard,
    InputError,
    NoReport,
    Outcome,
    Policy,
    Rules,
    Status,
    Turn,
    Verdict,
    evidence,
)
from guardrail.events import ActionTaken, OutcomeReady, TurnGenerated, VerdictGiven
from guardrail.guard import First
from guardrail.reports import CAPACITY, keep, report
from guardrail.testing import (
    EventCollector,
    FaultInjector,
    ScriptedLLM,
    ScriptedVerifier,
    ScriptExhausted,
    reliable,
    unreliable,
)

ASKED = [{"role": "user", "content": "Capital of France?"}]
ANSWERED = [*ASKED, {"role": "assistant", "content": "It is Paris."}]
BAD, GOOD = "It is London.", "It is Paris."
Run = Callable[..., Outcome]


def policy(**rules: Any) -> Policy:
    return Policy(policies={"default": Rules.model_validate(rules)})


def judged(check: Check) -> Verdict:
    return unreliable("London") if "London" in check.turn.text else reliable()


def guard(verifier: Any = None, **rules: Any) -> Guard:
    return Guard(policy(**rules), verifiers={"main": verifier or ScriptedVerifier(judged, repeat=True)})


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs `Guard.run`, or `Guard.arun` on a loop of its own."""

    def sync(guard: Guard, llm: Any, **more: Any) -> Outcome:
        return guard.run(llm, ASKED, **more)

    def asynchronous(guard: Guard, llm: Any, **more: Any) -> Outcome:
        async def generate(draft: Draft) -> Any:
            return llm(draft)

        return asyncio.run(guard.arun(generate if llm else None, ASKED, **more))

    return sync if request.param == "sync" else asynchronous


def test_a_bad_answer_is_regenerated(run: Run) -> None:
    llm = ScriptedLLM(BAD, GOOD)
    outcome = run(guard(), llm)
    assert (outcome.action, outcome.text) == (Action.REGENERATE, GOOD)
    assert llm.drafts[1].messages[-1]["role"] == "user"
    assert llm.drafts[0].messages == ASKED


def test_evidence_reaches_the_verifier(run: Run) -> None:
    verifier = ScriptedVerifier(reliable())
    run(guard(verifier), ScriptedLLM(GOOD), evidence=["Paris is the capital."])
    assert [piece.text for piece in verifier.checks[0].evidence] == ["Paris is the capital."]


def test_without_evidence_the_outcome_says_what_is_missing(run: Run) -> None:
    outcome = run(guard(), ScriptedLLM(GOOD))
    assert any("guardrail.evidence" in note for note in outcome.notes)


def test_on_block_raise_raises_with_the_outcome(run: Run) -> None:
    with pytest.raises(BlockedError) as caught:
        run(guard(on_unreliable="block", on_block="raise"), ScriptedLLM(BAD))
    assert caught.value.outcome.action is Action.BLOCK


def test_an_answer_at_hand_is_not_generated(run: Run) -> None:
    assert run(guard(), None, first=First(Turn(GOOD))).text == GOOD


def test_without_a_generator_an_answer_is_still_judged(run: Run) -> None:
    outcome = run(guard(on_unreliable=["regenerate", "block"]), None, first=First(Turn(BAD)))
    assert outcome.action is Action.BLOCK
    assert any("nothing to generate with" in note for note in outcome.notes)


def test_the_first_generations_error_is_the_callers(run: Run) -> None:
    with pytest.raises(ZeroDivisionError):
        run(guard(), ScriptedLLM(ZeroDivisionError()))


def test_a_verifier_that_raises_anything_costs_no_answer(run: Run) -> None:
    def broken(check: Check) -> Verdict:
        raise KeyError("bug")

    outcome = run(guard(ScriptedVerifier(broken)), ScriptedLLM(GOOD))
    assert (outcome.action, outcome.text, outcome.cause) == (Action.FLAG, GOOD, Cause.SERVER)
    assert outcome.verdict is not None
    assert "KeyError" in outcome.verdict.explanation


class PanicException(BaseException):
    """What libraries written in Rust raise when they fail; PyO3 makes it no `Exception`."""


def test_a_panic_of_a_library_costs_no_answer_either(run: Run) -> None:
    def panic(check: Check) -> Verdict:
        raise PanicException("index out of bounds")

    outcome = run(guard(ScriptedVerifier(panic), on_error="flag"), ScriptedLLM(GOOD))
    assert (outcome.action, outcome.text, outcome.cause) == (Action.FLAG, GOOD, Cause.SERVER)


def test_faults_are_injected_one_by_one(run: Run) -> None:
    faulty = FaultInjector(ScriptedVerifier(judged, repeat=True), Cause.TIMEOUT, None)
    under_test = guard(faulty)
    assert run(under_test, ScriptedLLM(GOOD)).cause is Cause.TIMEOUT
    assert run(under_test, ScriptedLLM(GOOD)).action is Action.PASS


def test_a_verifier_that_hangs_is_cut_off_at_the_budget(run: Run) -> None:
    release = threading.Event()

    class Hanging(ScriptedVerifier):
        def verify(self, check: Check) -> Verdict:
            release.wait(30)
            return reliable()

        async def averify(self, check: Check) -> Verdict:
            await asyncio.Event().wait()
            return reliable()

    outcome = run(guard(Hanging(), budget={"added": "50ms"}), ScriptedLLM(GOOD))
    release.set()
    assert (outcome.action, outcome.text, outcome.cause) == (Action.FLAG, GOOD, Cause.BUDGET)


def test_a_regeneration_that_hangs_is_cut_off_at_the_budget() -> None:
    release = threading.Event()

    def generate(draft: Draft) -> str:
        if draft.attempt > 1:
            release.wait(30)
        return BAD

    outcome = guard(budget={"added": "50ms"}).run(generate, ASKED)
    release.set()
    assert (outcome.action, outcome.text) == (Action.FLAG, BAD)
    assert any(note.startswith("could not regenerate") for note in outcome.notes)


def test_a_first_answer_that_outlasts_the_whole_budget_is_the_callers_timeout() -> None:
    release = threading.Event()

    def generate(draft: Draft) -> str:
        release.wait(30)
        return GOOD

    async def agenerate(draft: Draft) -> str:
        await asyncio.Event().wait()
        return GOOD

    bounded = guard(budget={"total": "50ms"})
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        bounded.run(generate, ASKED)
    release.set()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        asyncio.run(bounded.arun(agenerate, ASKED))


async def test_cancelling_ends_what_is_in_flight() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    class Waiting(ScriptedVerifier):
        async def averify(self, check: Check) -> Verdict:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return reliable()

    async def generate(draft: Draft) -> str:
        return GOOD

    task = asyncio.create_task(guard(Waiting()).arun(generate, ASKED))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_check_decides_and_never_acts() -> None:
    outcome = guard(on_unreliable="block").check([*ASKED, {"role": "assistant", "content": BAD}])
    assert (outcome.action, outcome.text, outcome.turn) == (Action.BLOCK, BAD, Turn(BAD))


async def test_acheck_is_the_same() -> None:
    assert (await guard().acheck(ANSWERED)).action is Action.PASS
    check = Check((), Turn(BAD), (Evidence("Paris", "caller"),))
    assert (await guard().acheck(check)).action is Action.REGENERATE


def test_check_many_keeps_the_order() -> None:
    checks = [Check((), Turn(text)) for text in (GOOD, BAD, GOOD, BAD, BAD)]
    actions = [outcome.action for outcome in guard(on_unreliable="flag").check_many(checks, concurrency=3)]
    assert actions == [Action.PASS, Action.FLAG, Action.PASS, Action.FLAG, Action.FLAG]


def test_evidence_given_where_many_are_checked_counts_wherever_the_outcomes_are_read() -> None:
    with evidence("Paris is the capital."):
        outcomes = guard().check_many([ANSWERED])
    assert [piece.text for piece in next(outcomes).evidence] == ["Paris is the capital."]


def test_an_unreadable_conversation_is_refused() -> None:
    with pytest.raises(InputError):
        guard().check([{"role": "user", "content": "no answer here"}])


def test_a_stream_is_released_when_its_verdict_is_in() -> None:
    good = guard().stream(iter(["It is ", "Paris."]), ASKED)
    with pytest.raises(NoReport):
        _ = good.outcome
    assert list(good) == ["It is ", "Paris."]
    assert good.outcome.action is Action.PASS
    bad = guard().stream(iter(["It is ", "London."]), ASKED, generate=ScriptedLLM(GOOD))
    assert list(bad) == [GOOD]
    assert bad.outcome.action is Action.REGENERATE


async def test_so_is_an_asynchronous_one() -> None:
    async def source() -> AsyncIterator[str]:
        for piece in ("It is ", "London."):
            yield piece

    blocked = guard(on_unreliable="block", messages={"blocked": "Withheld."}).astream(source(), ASKED)
    assert [piece async for piece in blocked] == ["Withheld."]
    assert blocked.outcome.action is Action.BLOCK


def test_evidence_given_where_a_stream_is_made_counts_wherever_it_is_read() -> None:
    with evidence("Paris is the capital."):
        stream = guard().stream(iter(["It is Paris."]), ASKED)
    assert list(stream) == ["It is Paris."]
    assert [piece.text for piece in stream.outcome.evidence] == ["Paris is the capital."]


async def test_so_does_evidence_for_an_asynchronous_one() -> None:
    async def source() -> AsyncIterator[str]:
        yield "It is Paris."

    with evidence("Paris is the capital."):
        stream = guard().astream(source(), ASKED)
    assert [piece async for piece in stream] == ["It is Paris."]
    assert [piece.text for piece in stream.outcome.evidence] == ["Paris is the capital."]


def test_nothing_leaves_a_stream_before_its_verdict() -> None:
    verifier, given = ScriptedVerifier(judged), list[str]()

    def source() -> Iterator[str]:
        for piece in ("It ", "is ", "Paris."):
            given.append(piece)
            assert not verifier.checks
            yield piece

    stream = guard(verifier).stream(source(), ASKED)
    assert next(iter(stream)) == "It "
    assert (len(given), len(verifier.checks)) == (3, 1)


def test_listeners_hear_every_step_and_cannot_break_it() -> None:
    class Broken(EventCollector):
        def hear(self, event: Any) -> None:
            raise RuntimeError("listener")

    heard = EventCollector()
    under_test = Guard(policy(), verifiers={"main": ScriptedVerifier(judged)}, listeners=[Broken(), heard])
    outcome = under_test.run(ScriptedLLM(GOOD), ASKED)
    assert [type(event) for event in heard.events] == [TurnGenerated, VerdictGiven, ActionTaken, OutcomeReady]
    assert heard.of(OutcomeReady) == [OutcomeReady(outcome)]


def test_sampling_leaves_a_conversation_out_and_says_so() -> None:
    outcome = guard(sample=0.0).run(ScriptedLLM(BAD), ASKED)
    assert (outcome.action, outcome.text, outcome.mode, outcome.verdict) == (Action.PASS, BAD, "unsampled", None)


def test_a_script_that_is_used_up_says_so() -> None:
    llm = ScriptedLLM()
    with pytest.raises(ScriptExhausted, match="asked 1 times"):
        guard().run(llm, ASKED)


def test_a_verifiers_script_that_is_used_up_is_no_fault_for_the_policy_to_handle(run: Run) -> None:
    with pytest.raises(ScriptExhausted, match="asked 2 times and has 1 lines"):
        run(guard(ScriptedVerifier(unreliable())), ScriptedLLM(BAD, GOOD))


def test_nor_is_an_llms(run: Run) -> None:
    with pytest.raises(ScriptExhausted, match="asked 2 times and has 1 lines"):
        run(guard(), ScriptedLLM(BAD))


def test_reports_are_found_and_the_oldest_forgotten() -> None:
    first = guard().check(ANSWERED)
    assert report(first) is first
    assert report({"guardrail": {"id": first.id}}) is first
    for number in range(CAPACITY + 1):
        keep(first, f"name-{number}")
    assert report({"id": f"name-{CAPACITY}"}) is first
    with pytest.raises(NoReport):
        report({"id": "name-0"})


def test_the_verdict_of_a_blocked_answer_is_that_of_the_last_attempt() -> None:
    outcome = guard(on_unreliable="block").run(ScriptedLLM(BAD), ASKED)
    assert outcome.verdict is not None
    assert outcome.verdict.status is Status.UNRELIABLE
    assert [finding.text for finding in outcome.findings] == ["London"]


def test_a_verifier_that_the_policy_does_not_name_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no verifier 'mian'; did you mean 'main'\?; it has main"):
        Guard(verifiers={"mian": ScriptedVerifier(reliable())})


def test_a_guard_goes_to_another_process_as_its_policy_and_copies_of_what_holds_it_share_it() -> None:
    with Guard("strict") as guard, pickle.loads(pickle.dumps(guard)) as back:
        answered = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
        assert back.policy == guard.policy
        assert back.check(answered).action is guard.check(answered).action
        assert copy.deepcopy([guard])[0] is guard
