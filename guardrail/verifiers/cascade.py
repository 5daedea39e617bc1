"""`CascadeVerifier`: a cheap verifier first, a strong one where the first is not sure."""

from __future__ import annotations

import time
from dataclasses import replace

from guardrail.errors import VerifierError
from guardrail.verdict import Status, Verdict
from guardrail.verifiers.combining import Answer, summary, total
from guardrail.verifiers.protocol import Check, Verifier

__all__ = ["CascadeVerifier"]


class CascadeVerifier:
    """Asks ``first``; and ``then``, with the time that is left, where ``first`` is not sure.

    It is not sure when it fails, when it says unknown, and when its risk lies in ``between`` (two risks, both
    included; None: it is sure of every risk). The verdict is that of the one who had the last word, with what the first
    said in its explanation and the tokens of both. When ``then`` fails, so does the cascade: what is not sure is no
    verdict. Both stay open when the cascade is closed: they are somebody else's as well.
    """

    def __init__(self, first: Verifier, then: Verifier, *, between: tuple[float, float] | None) -> None:
        self._first, self._then, self._between = first, then, between

    @property
    def id(self) -> str:
        """Both, such as ``embedded, then chat:structured``."""
        return f"{self._first.id}, then {self._then.id}"

    @property
    def version(self) -> str:
        """Of both, and the risks between which the second is asked."""
        asked = f"{self._first.version}, then {self._then.version}"
        return f"{asked} between {self._between[0]:g} and {self._between[1]:g}" if self._between else asked

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError` when the first is not sure and the second gives no verdict."""
        started = time.monotonic()
        try:
            said: Answer = self._first.verify(check)
        except VerifierError as error:
            said = error
        if isinstance(said, Verdict) and self._sure(said):
            return said
        return self._told(said, self._then.verify(check.after(time.monotonic() - started)), check, started)

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        started = time.monotonic()
        try:
            said: Answer = await self._first.averify(check)
        except VerifierError as error:
            said = error
        if isinstance(said, Verdict) and self._sure(said):
            return said
        return self._told(said, await self._then.averify(check.after(time.monotonic() - started)), check, started)

    def _sure(self, verdict: Verdict) -> bool:
        if verdict.status not in (Status.RELIABLE, Status.UNRELIABLE):
            return False
        if self._between is None or verdict.risk is None:
            return True
        low, high = self._between
        return not low <= verdict.risk <= high

    def _told(self, said: Answer, verdict: Verdict, check: Check, started: float) -> Verdict:
        first = said.at(check.threshold) if isinstance(said, Verdict) else said
        note = f"(asked because {summary({self._first.id: first})})"
        spent = said.usage if isinstance(said, Verdict) else None
        return replace(
            verdict,
            explanation=f"{verdict.explanation} {note}".strip(),
            usage=total((spent, verdict.usage)),
            latency=time.monotonic() - started,
        )

    def close(self) -> None:
        """Nothing of its own is held."""

    async def aclose(self) -> None:
        """Nothing of its own is held."""
