"""Asking a verifier again: what is retried, how long is waited, and when it ends. No test waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guardrail.conversation import Turn
from guardrail.errors import VerifierError
from guardrail.events import Retrying
from guardrail.policy.retries import ExponentialJitter, Retry, Stop, Wait
from guardrail.resilience.retry import TRANSIENT, RetryVerifier
from guardrail.testing import ScriptedVerifier, failure, reliable
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Check

both = pytest.mark.parametrize("how", ["sync", "async"])
FIXED = Retry(stop=Stop(after_attempt=3), wait=Wait(fixed=1.0))


@dataclass
class Clock:
    """Time that passes only when somebody sleeps, or a try takes some."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)
    heard: list[Retrying] = field(default_factory=list)
    late: float = 0.0
    """Seconds that each sleep lasts longer than asked."""

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds + self.late

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


def taking(clock: Clock, seconds: float, line: VerifierError) -> Callable[[Check], Verdict]:
    """A line of a script that takes its time to fail."""

    def act(check: Check) -> Verdict:
        clock.now += seconds
        raise line

    return act


def ask(
    clock: Clock,
    script: Sequence[Any],
    how: str,
    *,
    retry: Retry = FIXED,
    remaining: float | None = None,
    repeat: bool = False,
) -> tuple[Verdict | Cause, ScriptedVerifier]:
    inner = ScriptedVerifier(*script, repeat=repeat)
    verifier = RetryVerifier(
        inner,
        retry,
        on_retry=clock.heard.append,
        sleep=clock.sleep,
        asleep=clock.asleep,
        clock=lambda: clock.now,
    )
    check = Check((), Turn("x"), remaining=remaining)
    try:
        if how == "sync":
            return verifier.verify(check), inner
        return asyncio.run(awaited(verifier.averify(check))), inner
    except VerifierError as error:
        return error.cause, inner


async def awaited(verdict: Awaitable[Verdict]) -> Verdict:
    return await verdict


@both
@pytest.mark.parametrize("cause", sorted(TRANSIENT))
def test_what_may_pass_is_tried_again(cause: Cause, how: str) -> None:
    clock = Clock()
    verdict, inner = ask(clock, [failure(cause), failure(cause), reliable()], how)
    assert isinstance(verdict, Verdict)
    assert verdict.status is Status.RELIABLE
    assert clock.slept == [1.0, 1.0]
    assert clock.heard == [Retrying("scripted", cause, 1, 1.0), Retrying("scripted", cause, 2, 1.0)]
    assert len(inner.checks) == 3


@both
@pytest.mark.parametrize("cause", sorted(set(Cause) - TRANSIENT))
def test_what_will_not_pass_is_not_tried_again(cause: Cause, how: str) -> None:
    clock = Clock()
    assert ask(clock, [failure(cause)], how)[0] is cause
    assert (clock.slept, clock.heard) == ([], [])


@both
def test_the_last_failure_is_the_one_that_is_told(how: str) -> None:
    clock = Clock()
    script = [failure(Cause.CONNECT), failure(Cause.TIMEOUT), failure(Cause.SERVER)]
    assert ask(clock, script, how)[0] is Cause.SERVER
    assert clock.slept == [1.0, 1.0]


@both
@pytest.mark.parametrize(
    ("asked", "waited"),
    [(None, [1.0]), (0.0, [1.0]), (0.5, [1.0]), (4.0, [4.0]), (10.0, [10.0])],
)
def test_a_retry_after_is_waited_for(asked: float | None, waited: list[float], how: str) -> None:
    clock = Clock()
    script = [failure(Cause.RATE_LIMITED, retry_after=asked), reliable()]
    assert isinstance(ask(clock, script, how)[0], Verdict)
    assert clock.slept == waited


@both
@pytest.mark.parametrize("asked", [10.1, 86_400_000.0, float("inf")])
def test_a_retry_after_that_is_too_long_ends_it_at_once(asked: float, how: str) -> None:
    clock = Clock()
    assert ask(clock, [failure(Cause.RATE_LIMITED, retry_after=asked)], how)[0] is Cause.RATE_LIMITED
    assert clock.slept == []


@both
def test_each_try_is_told_the_time_that_is_left(how: str) -> None:
    clock = Clock()
    script = [taking(clock, 2.0, failure(Cause.SERVER)), reliable()]
    _, inner = ask(clock, script, how, remaining=10.0)
    assert [check.remaining for check in inner.checks] == [10.0, 7.0]


@both
@pytest.mark.parametrize(("took", "slept"), [(0.0, [1.0, 1.0]), (1.5, [1.0]), (2.0, []), (2.9, []), (3.5, [])])
def test_it_never_waits_for_a_try_that_has_no_time(took: float, slept: list[float], how: str) -> None:
    clock = Clock()
    script = [taking(clock, took, failure(Cause.SERVER)), failure(Cause.SERVER), failure(Cause.SERVER)]
    assert ask(clock, script, how, remaining=3.0)[0] is Cause.SERVER
    assert clock.slept == slept


@both
@pytest.mark.parametrize("remaining", [0.0, -1.0])
def test_with_no_time_at_all_nobody_is_asked(remaining: float, how: str) -> None:
    cause, inner = ask(Clock(), [], how, remaining=remaining)
    assert (cause, inner.checks) == (Cause.TIMEOUT, [])


@both
def test_a_stop_in_seconds_goes_by_the_same_clock(how: str) -> None:
    clock = Clock()
    retry = Retry(stop=Stop(after_delay=60.0), wait=Wait(fixed=25.0))
    cause, inner = ask(clock, [failure(Cause.SERVER)], how, retry=retry, repeat=True)
    assert cause is Cause.SERVER
    assert (clock.slept, len(inner.checks)) == ([25.0, 25.0, 25.0], 4)


@given(st.floats(0.01, 30.0), st.floats(0.0, 3.0), st.floats(0.0, 12.0) | st.none())
@example(2.499172765534464, 0.0, 2.499172765534464)
def test_the_time_that_is_left_is_never_overdrawn(remaining: float, jitter: float, asked: float | None) -> None:
    clock = Clock()
    wait = Wait(exponential_jitter=ExponentialJitter(multiplier=0.25, max=2.0, jitter=jitter))
    retry = Retry(stop=Stop(after_attempt=6), wait=wait)
    script = [failure(Cause.RATE_LIMITED, retry_after=asked)]
    assert ask(clock, script, "sync", retry=retry, remaining=remaining, repeat=True)[0] is Cause.RATE_LIMITED
    assert clock.now - 100.0 < remaining + 1e-9
    assert all(seconds >= (asked or 0.0) for seconds in clock.slept)


@both
def test_a_wait_that_lasts_too_long_ends_in_the_failure_before_it(how: str) -> None:
    clock = Clock(late=3.0)
    cause, inner = ask(clock, [failure(Cause.SERVER)], how, remaining=2.0, repeat=True)
    assert (cause, len(inner.checks)) == (Cause.SERVER, 1)


def test_calls_at_the_same_time_do_not_count_each_others_tries() -> None:
    clock = Clock()

    async def three() -> list[Verdict]:
        inner = [ScriptedVerifier(failure(Cause.SERVER), failure(Cause.SERVER), reliable()) for _ in range(4)]
        asked: dict[str, ScriptedVerifier] = {}

        class Sorting(ScriptedVerifier):
            async def averify(self, check: Check) -> Verdict:
                await asyncio.sleep(0)
                return asked.setdefault(check.turn.text, inner[int(check.turn.text)]).verify(check)

        verifier = RetryVerifier(Sorting(), FIXED, asleep=clock.asleep)
        return await asyncio.gather(*(verifier.averify(Check((), Turn(str(n)))) for n in range(4)))

    assert [verdict.status for verdict in asyncio.run(three())] == [Status.RELIABLE] * 4
    assert clock.slept == [1.0] * 8


async def test_cancelling_ends_a_wait_and_nothing_is_asked_again() -> None:
    waiting = asyncio.Event()

    async def asleep(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    inner = ScriptedVerifier(failure(Cause.SERVER), reliable())
    task = asyncio.create_task(RetryVerifier(inner, FIXED, asleep=asleep).averify(Check((), Turn("x"))))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(inner.checks) == 1


@pytest.mark.parametrize(
    ("error", "how"),
    # An event loop treats the other two in a way of its own.
    [(KeyError("x"), "sync"), (KeyError("x"), "async"), (KeyboardInterrupt(), "sync"), (SystemExit(1), "sync")],
)
def test_what_is_no_failure_of_the_verifier_passes_through(error: BaseException, how: str) -> None:
    clock = Clock()

    def act(check: Check) -> Verdict:
        raise error

    with pytest.raises(type(error)):
        ask(clock, [act], how)
    assert clock.slept == []


def test_it_is_called_what_the_other_is_and_closes_it() -> None:
    closed = []

    class Closing(ScriptedVerifier):
        def close(self) -> None:
            closed.append("close")

        async def aclose(self) -> None:
            closed.append("aclose")

    verifier = RetryVerifier(Closing(id="inner"), FIXED)
    verifier.close()
    asyncio.run(verifier.aclose())
    assert (verifier.id, verifier.version, closed) == ("inner", "1", ["close", "aclose"])
