"""A second verifier for when the first gives no verdict."""

from __future__ import annotations

import time
from dataclasses import replace

from guardrail.errors import VerifierError
from guardrail.verdict import Verdict
from guardrail.verifiers.protocol import Check, Verifier

__all__ = ["FallbackVerifier"]


class FallbackVerifier:
    """Asks ``first``, and ``second`` with the time that remains when ``first`` fails.

    The verdict names the one that gave it. When both fail, the error is that of ``second``, caused by that
    of ``first``.
    """

    def __init__(self, first: Verifier, second: Verifier) -> None:
        self._first, self._second = first, second

    @property
    def id(self) -> str:
        """The first verifier's."""
        return self._first.id

    @property
    def version(self) -> str:
        """Of both."""
        return f"{self._first.version}, else {self._second.id} {self._second.version}"

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError` when neither gives a verdict."""
        started = time.monotonic()
        try:
            return self._first.verify(check)
        except VerifierError as error:
            return _explained(self._second.verify(check.after(time.monotonic() - started)), error)

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        started = time.monotonic()
        try:
            return await self._first.averify(check)
        except VerifierError as error:
            return _explained(await self._second.averify(check.after(time.monotonic() - started)), error)

    def close(self) -> None:
        """Close the first; the second is somebody else's as well."""
        self._first.close()

    async def aclose(self) -> None:
        """Close the first; the second is somebody else's as well."""
        await self._first.aclose()


def _explained(verdict: Verdict, error: VerifierError) -> Verdict:
    note = f"(asked because the first verifier gave no verdict: {error.cause.value})"
    return replace(verdict, explanation=f"{verdict.explanation} {note}".strip())
