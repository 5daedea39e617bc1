"""A bound on the time of what knows none of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Verdict
from guardrail.verifiers.protocol import Check, Verifier
from guardrail.verifiers.threads import begun

__all__ = ["DeadlineVerifier", "abounded", "bounded"]

Result = TypeVar("Result")


def bounded(call: Callable[[], Result], seconds: float) -> Result:
    """``call()`` in a thread of its own, awaited for at most ``seconds``; raises `TimeoutError` after that.

    The thread cannot be stopped: what it does then is thrown away. Context variables are seen in it.
    """
    future = begun(call, name="guardrail-bounded")
    try:
        return future.result(max(0.0, seconds))
    except TimeoutError:
        if future.done():  # it is what the call raised, or the call has ended this very moment
            return future.result()
        raise _late(seconds) from None


async def abounded(call: Awaitable[Result], seconds: float | None) -> Result:
    """What ``call`` gives, awaited for at most ``seconds`` (None: without bound) and cancelled then: `TimeoutError`."""
    try:
        async with asyncio.timeout(seconds) as bound:
            return await call
    except TimeoutError as error:
        if bound.expired() and seconds is not None:
            raise _late(seconds) from error
        raise


def _late(seconds: float) -> TimeoutError:
    return TimeoutError(f"no answer within {max(0.0, seconds):.3g} s, all that the policy's budget had left")


class DeadlineVerifier:
    """Another verifier, cut off when ``check.remaining`` seconds are over, or ``timeout`` where that is less."""

    def __init__(self, inner: Verifier, *, timeout: float | None = None) -> None:
        self._inner, self._timeout = inner, timeout

    @property
    def id(self) -> str:
        """The other verifier's."""
        return self._inner.id

    @property
    def version(self) -> str:
        """The other verifier's."""
        return self._inner.version

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError` with cause ``timeout`` when the time is over."""
        check = self._within(check)
        if check.remaining is None:
            return self._inner.verify(check)
        try:
            return bounded(lambda: self._inner.verify(check), check.remaining)
        except TimeoutError as error:
            raise self._late(check) from error

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        check = self._within(check)
        try:
            return await abounded(self._inner.averify(check), check.remaining)
        except TimeoutError as error:
            raise self._late(check) from error

    def _within(self, check: Check) -> Check:
        if self._timeout is None or (check.remaining is not None and check.remaining <= self._timeout):
            return check
        return replace(check, remaining=self._timeout)

    def _late(self, check: Check) -> VerifierError:
        return VerifierError(Cause.TIMEOUT, f"the verifier {self.id!r} did not answer within {check.remaining:.3g} s")

    def close(self) -> None:
        """Close the other verifier."""
        self._inner.close()

    async def aclose(self) -> None:
        """Close the other verifier."""
        await self._inner.aclose()
