"""A bound on the time of what knows none of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest

from guardrail.conversation import Turn
from guardrail.errors import VerifierError
from guardrail.resilience.deadline import DeadlineVerifier, bounded
from guardrail.testing import ScriptedVerifier, failure, reliable
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Check, Verifier

both = pytest.mark.parametrize("how", ["sync", "async"])
who = contextvars.ContextVar("who", default="nobody")


class Stuck(ScriptedVerifier):
    """Answers when it is let go, which its own bound never does."""

    def __init__(self) -> None:
        super().__init__(id="stuck")
        self.let_go = threading.Event()

    def verify(self, check: Check) -> Verdict:
        self.let_go.wait(30)
        return reliable()

    async def averify(self, check: Check) -> Verdict:
        await asyncio.Event().wait()
        return reliable()


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    verifier = Stuck()
    yield verifier
    verifier.let_go.set()


def ask(verifier: Verifier, how: str, remaining: float | None) -> Verdict:
    check = Check((), Turn("x"), remaining=remaining)

    async def alone() -> Verdict:
        return await verifier.averify(check)

    return verifier.verify(check) if how == "sync" else asyncio.run(alone())


@both
@pytest.mark.parametrize("remaining", [0.02, 0.0, -1.0])
def test_a_verifier_that_knows_no_time_is_cut_off(stuck: Stuck, remaining: float, how: str) -> None:
    with pytest.raises(VerifierError, match="stuck") as caught:
        ask(DeadlineVerifier(stuck), how, remaining)
    assert caught.value.cause is Cause.TIMEOUT


@both
@pytest.mark.parametrize("remaining", [None, 30.0])
def test_a_verdict_in_time_is_passed_on(remaining: float | None, how: str) -> None:
    verdict = ask(DeadlineVerifier(ScriptedVerifier(reliable(), id="quick")), how, remaining)
    assert (verdict.status, verdict.verifier) == (Status.RELIABLE, "quick")


@both
def test_a_failure_in_time_is_passed_on(how: str) -> None:
    with pytest.raises(VerifierError) as caught:
        ask(DeadlineVerifier(ScriptedVerifier(failure(Cause.AUTH))), how, 30.0)
    assert caught.value.cause is Cause.AUTH


def test_context_variables_are_seen_within() -> None:
    who.set("the caller")
    assert bounded(who.get, 30.0) == "the caller"


def test_what_takes_too_long_ends_in_a_timeout(stuck: Stuck) -> None:
    with pytest.raises(TimeoutError):
        bounded(lambda: stuck.let_go.wait(30), 0.01)


async def test_cancelling_passes(stuck: Stuck) -> None:
    asked = DeadlineVerifier(stuck).averify(Check((), Turn("x"), remaining=30.0))
    task = asyncio.create_task(asked)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
