"""A bound on the time of what knows none of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Verdict
from guardrail.verifiers.protocol import Check, Verifier

__all__ = ["DeadlineVerifier", "bounded"]

Result = TypeVar("Result")


def bounded(call: Callable[[], Result], seconds: float) -> Result:
    """``call()`` in a thread of its own, awaited for at most ``seconds``; raises `TimeoutError` after that.

    The thread cannot be stopped: what it does then is thrown away. Context variables are seen in it.
    """
    done: list[Result] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(call())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=copy_context().run, args=(work,), name="guardrail-bounded", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if thread.is_alive():
        raise TimeoutError(f"not done within {seconds:.3g} s")
    if failed:
        raise failed[0]
    return done[0]


class DeadlineVerifier:
    """Another verifier, cut off when ``check.remaining`` seconds are over."""

    def __init__(self, inner: Verifier) -> None:
        self._inner = inner

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
        if check.remaining is None:
            return self._inner.verify(check)
        try:
            return bounded(lambda: self._inner.verify(check), check.remaining)
        except TimeoutError as error:
            raise self._late(check) from error

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        try:
            async with asyncio.timeout(check.remaining):
                return await self._inner.averify(check)
        except TimeoutError as error:
            raise self._late(check) from error

    def _late(self, check: Check) -> VerifierError:
        return VerifierError(Cause.TIMEOUT, f"the verifier {self.id!r} did not answer within {check.remaining:.3g} s")

    def close(self) -> None:
        """Close the other verifier."""
        self._inner.close()

    async def aclose(self) -> None:
        """Close the other verifier."""
        await self._inner.aclose()
