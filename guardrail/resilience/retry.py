"""Asking a verifier again when the transport failed: tenacity's loop, with its sleeping taken out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from typing import TypeAlias

from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from guardrail.errors import VerifierError
from guardrail.events import Retrying as RetryEvent
from guardrail.policy.retries import Retry
from guardrail.verdict import Cause, Verdict
from guardrail.verifiers.protocol import Check, Verifier

__all__ = ["TRANSIENT", "RetryVerifier"]

TRANSIENT = frozenset({Cause.CONNECT, Cause.TIMEOUT, Cause.RATE_LIMITED, Cause.SERVER, Cause.EMPTY})
"""Causes that another try may mend."""

Step: TypeAlias = Check | float
"""What to do next: ask the verifier, or wait for so many seconds."""
Answer: TypeAlias = Verdict | VerifierError | None


class RetryVerifier:
    """Another verifier, asked again after transient failures, as a policy's ``retry`` says.

    A ``Retry-After`` is honoured up to ``retry.retry_after_max``; a longer one ends the trying. It never
    waits beyond ``check.remaining``: the last failure is raised at once instead. ``on_retry`` hears of each
    wait before it begins. ``sleep``, ``asleep`` and ``clock`` are there for tests.
    """

    def __init__(
        self,
        inner: Verifier,
        retry: Retry,
        *,
        on_retry: Callable[[RetryEvent], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        asleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner, self._retry, self._on_retry = inner, retry, on_retry
        self._stop, self._wait = retry.stop.build(), _as_asked(retry.wait.build())
        self._sleep, self._asleep, self._clock = sleep, asleep, clock

    @property
    def id(self) -> str:
        """The other verifier's."""
        return self._inner.id

    @property
    def version(self) -> str:
        """The other verifier's."""
        return self._inner.version

    def verify(self, check: Check) -> Verdict:
        """Raises the last `VerifierError` when the tries are used up."""
        tries = self._tries(check)
        step = next(tries)
        try:
            while True:
                step = tries.send(self._sleep(step) if isinstance(step, float) else self._asked(step))
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    async def averify(self, check: Check) -> Verdict:
        """The same; cancelling ends it at once."""
        tries = self._tries(check)
        step = next(tries)
        try:
            while True:
                if isinstance(step, float):
                    await self._asleep(step)
                    step = tries.send(None)
                else:
                    step = tries.send(await self._aasked(step))
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    def _asked(self, check: Check) -> Answer:
        try:
            return self._inner.verify(check)
        except VerifierError as error:
            return error

    async def _aasked(self, check: Check) -> Answer:
        try:
            return await self._inner.averify(check)
        except VerifierError as error:
            return error

    def _tries(self, check: Check) -> Generator[Step, Answer, Verdict]:
        """What to do, one step after the other; is sent what came of each."""
        started = self._clock()
        answer = yield from self._try(check, started, VerifierError(Cause.TIMEOUT, "no time was left for a try"))
        # tenacity's loop is for what failed: most calls do without making one.
        return answer if isinstance(answer, Verdict) else (yield from self._again(check, started, answer))

    def _try(
        self, check: Check, started: float, last: VerifierError
    ) -> Generator[Step, Answer, Verdict | VerifierError]:
        if (in_time := self._within(check, started)) is None:
            raise last
        answer = yield in_time
        assert isinstance(answer, Verdict | VerifierError)
        return answer

    def _again(self, check: Check, started: float, failed: VerifierError) -> Generator[Step, Answer, Verdict]:
        """tenacity's loop; its first attempt is the one that has ``failed``."""
        pauses: list[float] = []
        for attempt in self._loop(check, pauses):
            if attempt.retry_state.attempt_number > 1:
                for pause in pauses:
                    yield float(pause)
                pauses.clear()
                answer = yield from self._try(check, started, failed)
                if isinstance(answer, Verdict):
                    return answer
                failed = answer
            state = attempt.retry_state
            state.set_exception((type(failed), failed, failed.__traceback__))
            # tenacity looks at the clock of the machine: a test has one of its own. From 0, so that it is exact.
            state.start_time, state.outcome_timestamp = 0.0, self._clock() - started
        raise AssertionError("tenacity ends its loop by raising")

    def _loop(self, check: Check, pauses: list[float]) -> Retrying:
        # Made anew each time: a shared object shares its state between calls.
        return Retrying(
            stop=_in_time(self._stop, check.remaining),
            wait=self._wait,
            retry=retry_if_exception(self._worth_it),
            sleep=pauses.append,
            before_sleep=self._tell,
            reraise=True,
        )

    def _worth_it(self, error: BaseException) -> bool:
        if not isinstance(error, VerifierError) or error.cause not in TRANSIENT:
            return False
        return error.retry_after is None or error.retry_after <= self._retry.retry_after_max

    def _within(self, check: Check, started: float) -> Check | None:
        """``check`` with the time that is left for one try; None when none is: a wait may last longer than asked."""
        if check.remaining is None:
            return check
        left = check.remaining - (self._clock() - started)
        return replace(check, remaining=left) if left > 0 else None

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if self._on_retry is not None and isinstance(error, VerifierError):
            self._on_retry(RetryEvent(self.id, error.cause, state.attempt_number, state.upcoming_sleep))

    def close(self) -> None:
        """Close the other verifier."""
        self._inner.close()

    async def aclose(self) -> None:
        """Close the other verifier."""
        await self._inner.aclose()


def _as_asked(wait: wait_base) -> Callable[[RetryCallState], float]:
    """The policy's wait, or what the service asked for where that is longer."""

    def seconds(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, VerifierError) else None
        return max(wait(state), asked or 0.0)

    return seconds


def _in_time(stop: stop_base, remaining: float | None) -> Callable[[RetryCallState], bool]:
    """The policy's stop, and one for when the next try would find no time: such a wait helps nobody."""

    def stops(state: RetryCallState) -> bool:
        begins = (state.seconds_since_start or 0.0) + state.upcoming_sleep
        return stop(state) or (remaining is not None and begins >= remaining)

    return stops
