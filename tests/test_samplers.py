"""Drawing further answers, in threads and in tasks: the same table for both."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import pytest

from guardrail.conversation import Message, Turn
from guardrail.flow import Draft, Generated
from guardrail.samplers import TaskSampler, ThreadSampler
from guardrail.sampling import Recorded, Sample, Sampler, Samples
from guardrail.testing import ScriptExhausted
from guardrail.verdict import Usage

both = pytest.mark.parametrize("how", ["sync", "async", "async from a thread"])
ASKED = (Message("user", ("Why?",)),)
WISH = Sample(4, max_tokens=30)
SEEN: ContextVar[str] = ContextVar("seen", default="nothing")


def drawn(how: str, generate: Callable[[Draft], Any], *wishes: Sample) -> list[Samples]:
    """What each of ``wishes`` got, from one sampler around ``generate``."""
    if how == "sync":
        sampler = ThreadSampler(ASKED, generate)
        return [sampler.sample(wish) for wish in wishes]

    async def agenerate(draft: Draft) -> Any:
        return await asyncio.to_thread(generate, draft)

    async def all_of_them() -> list[Samples]:
        sampler = TaskSampler(ASKED, agenerate)
        if how == "async":
            return [await sampler.asample(wish) for wish in wishes]
        return [await asyncio.to_thread(sampler.sample, wish) for wish in wishes]

    return asyncio.run(all_of_them())


class Speaker:
    """Generates numbered answers, and keeps what it was asked."""

    def __init__(self, *, finish: str = "stop", fail: tuple[int, ...] = (), usage: Usage | None = None) -> None:
        self.drafts: list[Draft] = []
        self.lock = threading.Lock()
        self.finish, self.fail, self.usage = finish, fail, usage

    def __call__(self, draft: Draft) -> Generated:
        with self.lock:
            self.drafts.append(draft)
            number = len(self.drafts)
        if number in self.fail:
            raise RuntimeError("the LLM is down")
        return Generated(Turn(f"Answer {number}.", finish_reason=self.finish), self.usage)


@both
def test_the_same_conversation_is_answered_as_often_as_wished(how: str) -> None:
    llm = Speaker(usage=Usage(10, 3))
    (samples,) = drawn(how, llm, WISH)
    assert sorted(turn.text for turn in samples.turns) == [f"Answer {n}." for n in (1, 2, 3, 4)]
    assert (samples.usage, samples.problem, samples.late) == (Usage(40, 12), "", False)
    assert {(draft.conversation, draft.sample, draft.attempt) for draft in llm.drafts} == {(ASKED, WISH, 1)}


@both
def test_no_more_are_drawn_at_once_than_wished(how: str) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def generate(draft: Draft) -> Generated:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.01)
        with lock:
            at_once -= 1
        return Generated(Turn("x"))

    (samples,) = drawn(how, generate, replace(WISH, n=6, concurrency=2))
    assert (len(samples.turns), most) == (6, 2)


@both
def test_all_are_drawn_at_once_where_nothing_else_is_wished(how: str) -> None:
    meeting = threading.Barrier(4)

    def generate(draft: Draft) -> Generated:
        meeting.wait(5)
        return Generated(Turn("x"))

    assert len(drawn(how, generate, WISH)[0].turns) == 4


@both
def test_a_failure_leaves_one_less_and_is_told(how: str) -> None:
    (samples,) = drawn(how, Speaker(fail=(2,)), WISH)
    assert (len(samples.turns), samples.late) == (3, False)
    assert "the LLM is down" in samples.problem


@both
def test_what_is_late_is_left_out(how: str) -> None:
    release, llm = threading.Event(), Speaker()

    def generate(draft: Draft) -> Generated:
        answer = llm(draft)
        if answer.turn.text != "Answer 1.":
            release.wait(5)
        return answer

    wish = replace(WISH, remaining=0.3)
    if how == "sync":
        (samples,) = drawn(how, generate, wish)
    else:
        threading.Timer(0.6, release.set).start()  # the loop waits for its threads when it ends
        (samples,) = drawn(how, generate, wish)
    release.set()
    assert [turn.text for turn in samples.turns] == ["Answer 1."]
    assert (samples.late, samples.problem) == (True, "there was no time left")


@both
def test_what_was_drawn_serves_who_asks_again_and_its_tokens_count_once(how: str) -> None:
    llm = Speaker(usage=Usage(10, 3))
    first, again, fewer = drawn(how, llm, WISH, WISH, replace(WISH, n=2))
    assert (first.turns, again.usage, fewer.turns) == (again.turns, None, first.turns[:2])
    assert len(llm.drafts) == 4


@both
@pytest.mark.parametrize(
    ("finish", "other", "calls"),
    [
        ("stop", {"max_tokens": 60}, 4),
        ("length", {"max_tokens": 60}, 8),
        ("length", {"max_tokens": 20}, 4),
        ("stop", {"n": 5}, 9),
        ("stop", {"temperature": 0.5}, 8),
    ],
)
def test_it_is_drawn_anew_where_that_does_not_serve(how: str, finish: str, other: dict[str, Any], calls: int) -> None:
    llm = Speaker(finish=finish)
    drawn(how, llm, WISH, replace(WISH, **other))
    assert len(llm.drafts) == calls


@both
def test_what_failed_altogether_is_tried_again(how: str) -> None:
    failed, again = drawn(how, Speaker(fail=(1, 2, 3, 4)), WISH, WISH)
    assert (len(failed.turns), len(again.turns)) == (0, 4)


@both
def test_the_callers_context_is_seen(how: str) -> None:
    seen: list[str] = []

    def generate(draft: Draft) -> Generated:
        seen.append(SEEN.get())
        return Generated(Turn("x"))

    token = SEEN.set("me")
    try:
        drawn(how, generate, WISH)
    finally:
        SEEN.reset(token)
    assert seen == ["me"] * 4


@both
def test_an_exhausted_script_is_no_failure_of_the_llm(how: str) -> None:
    def generate(draft: Draft) -> Generated:
        raise ScriptExhausted("asked too often")

    with pytest.raises(ScriptExhausted):
        drawn(how, generate, replace(WISH, n=1))


def test_cancelling_ends_what_is_in_flight() -> None:
    cancelled: list[bool] = []

    async def generate(draft: Draft) -> Generated:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        raise AssertionError

    async def go() -> None:
        task = asyncio.create_task(TaskSampler(ASKED, generate).asample(WISH))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert cancelled == [True] * 4


@pytest.mark.parametrize(("n", "texts", "problem"), [(1, ["a"], ""), (3, ["a", "b"], "only 2 are recorded")])
def test_recorded_answers_are_given_as_far_as_they_go(n: int, texts: list[str], problem: str) -> None:
    samples = Recorded(("a", "b")).sample(replace(WISH, n=n))
    assert ([turn.text for turn in samples.turns], samples.problem) == (texts, problem)
    assert asyncio.run(Recorded(("a", "b")).asample(replace(WISH, n=n))) == samples


def test_a_sampler_of_threads_can_be_awaited() -> None:
    sampler: Sampler = ThreadSampler(ASKED, Speaker())
    assert len(asyncio.run(sampler.asample(WISH)).turns) == 4


def test_two_who_ask_at_once_share_what_is_drawn() -> None:
    llm = Speaker()
    sampler = ThreadSampler(ASKED, llm)
    threads = [threading.Thread(target=sampler.sample, args=(WISH,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(llm.drafts) == 4
