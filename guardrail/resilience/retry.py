"""Asking a verifier again when the transport failed: tenacity's loop, with its sleeping taken out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from typing import TypeAlias

from tenacity import RetryCallState, Retrying, retry_if_exception
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
    waits beyond
    ``check.remaining``: the last failure is raised instead.
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
        """The loop: yields what to do, is sent what came of it."""
        started, pauses = self._clock(), list[float]()
        for attempt in self._loop(pauses):
            state = attempt.retry_state
            for pause in pauses:
                yield self._pause(pause, check, started)
            pauses.clear()
            answer = yield self._within(check, started)
            if isinstance(answer, Verdict):
                return answer
            assert isinstance(answer, VerifierError)
            state.set_exception((type(answer), answer, answer.__traceback__))
            state.outcome_timestamp = state.start_time + self._clock() - started
            self._consider(answer, state, check, started)
        raise AssertionError("tenacity ends its loop by raising")

    def _loop(self, pauses: list[float]) -> Retrying:
        # Made anew each time: a shared object shares its state between calls.
        return Retrying(
            stop=self._retry.stop.build(),
            wait=_wait_as_asked(self._retry.wait.build()),
            retry=retry_if_exception(_is_transient),
            sleep=pauses.append,
            before_sleep=self._tell,
            reraise=True,
        )

    def _consider(self, error: VerifierError, state: RetryCallState, check: Check, started: float) -> None:
        """Raises ``error`` when waiting for another try makes no sense."""
        asked = error.retry_after or 0.0
        left = self._left(check, started)
        if asked > self._retry.retry_after_max or (left is not None and asked >= left):
            raise error

    def _pause(self, seconds: float, check: Check, started: float) -> float:
        left = self._left(check, started)
        return float(seconds if left is None else min(seconds, max(0.0, left)))

    def _within(self, check: Check, started: float) -> Check:
        left = self._left(check, started)
        if left is not None and left <= 0:
            raise VerifierError(Cause.TIMEOUT, "no time was left for another try")
        return replace(check, remaining=left)

    def _left(self, check: Check, started: float) -> float | None:
        return None if check.remaining is None else check.remaining - (self._clock() - started)

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


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, VerifierError) and error.cause in TRANSIENT


def _wait_as_asked(wait: wait_base) -> Callable[[RetryCallState], float]:
    """What the service asked for where it did, else the policy's wait."""

    def seconds(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, VerifierError) else None
        return wait(state) if asked is None else asked

    return seconds
