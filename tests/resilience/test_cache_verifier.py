"""Verdicts that are remembered."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.building import build
from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import VerifierError
from guardrail.policy.model import CacheSpec, EmbeddedSpec, Policy
from guardrail.resilience.cache import CacheVerifier, in_memory
from guardrail.testing import ScriptedVerifier, failure, reliable, unknown, unreliable
from guardrail.verdict import Cause, Status, Usage, Verdict
from guardrail.verifiers.protocol import Check, Verifier

both = pytest.mark.parametrize("how", ["sync", "async"])
FACT = Evidence("The tower is 330 metres tall.", "caller")
ASKED = Check((Message("user", ("How tall?",)),), Turn("330 metres."), (FACT,), threshold=0.5)


def ask(verifier: Verifier, how: str, check: Check = ASKED) -> Verdict:
    async def alone() -> Verdict:
        return await verifier.averify(check)

    return verifier.verify(check) if how == "sync" else asyncio.run(alone())


def remembering(inner: Verifier, *, entries: int = 10) -> CacheVerifier:
    return CacheVerifier(inner, in_memory(entries, None))


@both
def test_an_equal_check_is_not_asked_again(how: str) -> None:
    judge = ScriptedVerifier(replace(unreliable("330"), usage=Usage(10, 2)))
    verifier = remembering(judge)
    first = ask(verifier, how)
    again = ask(verifier, how, replace(ASKED, remaining=3.0, evidence=(Evidence("".join(FACT.text), "caller"),)))
    assert len(judge.checks) == 1
    assert first.usage == Usage(10, 2)
    assert again.usage is None
    assert again.latency is not None
    assert replace(again, usage=first.usage, latency=first.latency) == first


OTHERS = {
    "more evidence": replace(ASKED, evidence=(FACT, FACT)),
    "a letter more": replace(ASKED, evidence=(replace(FACT, text=FACT.text + " "),)),
    "a title": replace(ASKED, evidence=(replace(FACT, title="Tower"),)),
    "no evidence": replace(ASKED, evidence=()),
    "another answer": replace(ASKED, turn=Turn("330 metres. ")),
    "another choice": replace(ASKED, turn=replace(ASKED.turn, index=1)),
    "another threshold": replace(ASKED, threshold=0.6),
    "no threshold": replace(ASKED, threshold=None),
    "a later part": replace(ASKED, since=3),
    "no question": replace(ASKED, conversation=()),
    "a longer history": replace(ASKED, conversation=ASKED.conversation * 2),
}


@pytest.mark.parametrize("other", OTHERS)
def test_whatever_a_verdict_depends_on_makes_another_check(other: str) -> None:
    verifier = remembering(ScriptedVerifier(reliable(), unreliable()))
    assert ask(verifier, "sync").status is Status.RELIABLE
    assert ask(verifier, "sync", OTHERS[other]).status is Status.UNRELIABLE


TEXTS = st.lists(st.text(alphabet="ab'\", \\", max_size=4), max_size=3)


@given(TEXTS, TEXTS)
def test_no_cutting_of_texts_makes_two_checks_one(one: list[str], other: list[str]) -> None:
    verifier = remembering(ScriptedVerifier())
    checks = [replace(ASKED, evidence=tuple(Evidence(text, "caller") for text in texts)) for texts in (one, other)]
    assert (verifier._key(checks[0]) == verifier._key(checks[1])) == (one == other)


def test_another_version_of_the_verifier_is_asked_anew() -> None:
    cache = in_memory(10, None)
    old, new = ScriptedVerifier(reliable()), ScriptedVerifier(unreliable())
    new.version = "2"
    assert ask(CacheVerifier(old, cache), "sync").status is Status.RELIABLE
    assert ask(CacheVerifier(new, cache), "sync").status is Status.UNRELIABLE


@both
@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.TRUNCATED, Cause.NO_GENERATOR])
def test_failures_are_not_remembered(how: str, cause: Cause) -> None:
    broken = Verdict(Status.ERROR, cause=cause)
    judge = ScriptedVerifier(failure(cause), unknown(cause), broken, reliable())
    verifier = remembering(judge)
    with pytest.raises(VerifierError):
        ask(verifier, how)
    assert [ask(verifier, how).status for _ in range(4)] == ["unknown", "error", "reliable", "reliable"]


@pytest.mark.parametrize("cause", [None, Cause.NO_EVIDENCE, Cause.LANGUAGE])
def test_what_stays_unknown_is_remembered(cause: Cause | None) -> None:
    judge = ScriptedVerifier(unknown(cause))
    verifier = remembering(judge)
    assert ask(verifier, "sync").cause == ask(verifier, "async").cause == cause
    assert len(judge.checks) == 1


def test_long_evidence_cannot_fill_the_memory() -> None:
    cache = in_memory(1000, None)
    long = "x" * 3_000_000
    for number in range(5):
        cache.put(number, replace(reliable(), evidence=(Evidence(long, "caller"),)))
    assert cache.size <= 8_000_000
    assert len(cache) == 2


class Gate:
    """A judge that answers when it is let, and counts."""

    id, version = "gate", "1"

    def __init__(self, *, failing: int = 0) -> None:
        self.asked, self.failing = 0, failing
        self.entered, self.open = threading.Event(), threading.Event()
        self.lock = threading.Lock()

    def verify(self, check: Check) -> Verdict:
        with self.lock:
            self.asked += 1
            fails = self.asked <= self.failing
        self.entered.set()
        assert self.open.wait(30)
        if fails:
            raise failure(Cause.SERVER)
        return reliable()

    async def averify(self, check: Check) -> Verdict:
        return await asyncio.to_thread(self.verify, check)

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


class Waiters(CacheVerifier):
    """Tells when so many wait for one that is asked."""

    def __init__(self, inner: Verifier, expected: int) -> None:
        super().__init__(inner, in_memory(10, None))
        self.left, self.all_there = expected, threading.Event()

    def _flight(self, key):  # type: ignore[no-untyped-def]
        found = super()._flight(key)
        self.left -= not found[1]
        if not self.left:
            self.all_there.set()
        return found


@pytest.mark.parametrize(("failing", "asked"), [(0, 1), (1, 4)])
def test_of_equal_checks_in_many_threads_one_is_asked(failing: int, asked: int) -> None:
    judge = Gate(failing=failing)
    verifier = Waiters(judge, 3)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(verifier.verify, ASKED) for _ in range(4)]
        assert verifier.all_there.wait(30)
        judge.open.set()
        errors = [future.exception() for future in futures]
    assert sum(error is not None for error in errors) == failing
    assert judge.asked == asked


@pytest.mark.parametrize(("failing", "asked"), [(0, 1), (1, 4)])
async def test_of_equal_checks_in_many_tasks_one_is_asked(failing: int, asked: int) -> None:
    judge = Gate(failing=failing)
    verifier = Waiters(judge, 3)
    tasks = [asyncio.create_task(verifier.averify(ASKED)) for _ in range(4)]
    assert await asyncio.to_thread(verifier.all_there.wait, 30)
    judge.open.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(one, VerifierError) for one in found) == failing
    assert judge.asked == asked


async def test_when_the_one_that_is_asked_is_cancelled_the_others_ask_for_themselves() -> None:
    judge = Gate()
    verifier = Waiters(judge, 2)
    first, *others = [asyncio.create_task(verifier.averify(ASKED)) for _ in range(3)]
    assert await asyncio.to_thread(verifier.all_there.wait, 30)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    judge.open.set()
    assert [(await other).status for other in others] == [Status.RELIABLE] * 2


async def test_one_that_waits_may_be_cancelled_without_harm_to_the_rest() -> None:
    judge = Gate()
    verifier = Waiters(judge, 2)
    first, second, third = [asyncio.create_task(verifier.averify(ASKED)) for _ in range(3)]
    assert await asyncio.to_thread(verifier.all_there.wait, 30)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    judge.open.set()
    assert (await first).status is (await third).status is Status.RELIABLE
    assert judge.asked == 1


async def test_a_task_waits_for_another_no_longer_than_there_is_time() -> None:
    judge = Gate()
    verifier = remembering(judge)
    first = asyncio.create_task(verifier.averify(ASKED))
    await asyncio.to_thread(judge.entered.wait, 30)
    with pytest.raises(VerifierError) as caught:
        await verifier.averify(replace(ASKED, remaining=0.01))
    judge.open.set()
    assert caught.value.cause is Cause.TIMEOUT
    assert (await first).status is Status.RELIABLE


def test_nor_does_a_thread() -> None:
    judge = Gate()
    verifier = remembering(judge)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(verifier.verify, ASKED)
        assert judge.entered.wait(30)
        with pytest.raises(VerifierError) as caught:
            verifier.verify(replace(ASKED, remaining=0.01))
        judge.open.set()
    assert caught.value.cause is Cause.TIMEOUT
    assert first.result().status is Status.RELIABLE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python 3.12 warns of forking with threads: the very case
def test_a_forked_child_does_not_wait_for_what_its_parent_asked() -> None:
    judge = Gate()
    verifier = remembering(judge)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(verifier.verify, ASKED)
        assert judge.entered.wait(30)
        child = os.fork()
        if not child:
            judge.lock, judge.open = threading.Lock(), threading.Event()
            judge.open.set()
            os._exit(0 if verifier.verify(ASKED).status is Status.RELIABLE else 1)
        _, status = os.waitpid(child, 0)
        judge.open.set()
        asked.result()
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_policy_names_the_verifiers_that_remember() -> None:
    remember = CacheSpec(entries=5)
    built = build(Policy(verifiers={"main": EmbeddedSpec(cache=remember), "plain": EmbeddedSpec()}))
    assert isinstance(built["main"], CacheVerifier)
    assert not isinstance(built["plain"], CacheVerifier)
    assert (built["main"].id, built["main"].version) == (built["plain"].id, built["plain"].version)
    assert remember.ttl == 3600
