"""A second verifier for when the first gives no verdict."""

from __future__ import annotations

import time
from dataclasses import replace

from guardrail.errors import VerifierError
from guardrail.verdict import Status, Verdict
from guardrail.verifiers.combining import total
from guardrail.verifiers.protocol import Check, Verifier

__all__ = ["FallbackVerifier"]


class FallbackVerifier:
    """Asks ``first``, and ``second`` with the time that remains when ``first`` fails.

    ``unknown``: also when ``first`` says unknown. The verdict names the one that gave it. When both fail, the error is
    that of ``second``, caused by that of ``first``.
    """

    def __init__(self, first: Verifier, second: Verifier, *, unknown: bool = False) -> None:
        self._first, self._second, self._unknown = first, second, unknown

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
            said = self._first.verify(check)
        except VerifierError as error:
            return _explained(self._second.verify(check.after(time.monotonic() - started)), error)
        if not self._passed_on(said):
            return said
        return _explained(self._second.verify(check.after(time.monotonic() - started)), said)

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        started = time.monotonic()
        try:
            said = await self._first.averify(check)
        except VerifierError as error:
            return _explained(await self._second.averify(check.after(time.monotonic() - started)), error)
        if not self._passed_on(said):
            return said
        return _explained(await self._second.averify(check.after(time.monotonic() - started)), said)

    def _passed_on(self, verdict: Verdict) -> bool:
        return self._unknown and verdict.status is Status.UNKNOWN

    def close(self) -> None:
        """Close the first; the second is somebody else's as well."""
        self._first.close()

    async def aclose(self) -> None:
        """Close the first; the second is somebody else's as well."""
        await self._first.aclose()


def _explained(verdict: Verdict, said: Verdict | VerifierError) -> Verdict:
    if isinstance(said, VerifierError):
        return _noted(verdict, f"gave no verdict: {said.cause.value}")
    cause = "" if said.cause is None else f": {said.cause.value}"
    return replace(_noted(verdict, f"said unknown{cause}"), usage=total((said.usage, verdict.usage)))


def _noted(verdict: Verdict, why: str) -> Verdict:
    note = f"(asked because the first verifier {why})"
    return replace(verdict, explanation=f"{verdict.explanation} {note}".strip())
