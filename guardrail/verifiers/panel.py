"""`PanelVerifier`: several verifiers, asked at the same time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from guardrail.verdict import Verdict
from guardrail.verifiers.combining import Answer, Combine, combined
from guardrail.verifiers.protocol import Check, Verifier
from guardrail.verifiers.together import Asked, asked_together, atogether

__all__ = ["PanelVerifier"]

_KEPT_BACK = 0.05
"""The share of the time that is kept back, so that those who did answer in time are heard."""


class PanelVerifier:
    """Asks every member, each with the time that is left, and combines what they say.

    ``members``: verifiers by the names that they have in explanations. ``combine``: how; see
    `guardrail.verifiers.combining`. A member that fails, or is not done in time, has no voice. Members stay
    open when the panel is closed: they are somebody else's as well.
    """

    def __init__(self, members: Mapping[str, Verifier], combine: Combine) -> None:
        self._members, self._combine = dict(members), combine

    @property
    def id(self) -> str:
        """``panel:any``, say."""
        return f"panel:{self._combine}"

    @property
    def version(self) -> str:
        """Of all members."""
        return ", ".join(f"{member.id} {member.version}" for member in self._members.values())

    def verify(self, check: Check) -> Verdict:
        """Each member in a thread of its own, with the context variables of this one.

        Raises `VerifierError` when no member gives a verdict.
        """
        started, asked = time.monotonic(), _kept_back(check)
        return self._combined(asked_together(self._each(asked), asked.remaining), check, started)

    async def averify(self, check: Check) -> Verdict:
        """The same in tasks; they end with this call, however it ends."""
        started, asked = time.monotonic(), _kept_back(check)
        return self._combined(await atogether(self._each(asked), asked.remaining), check, started)

    def _each(self, check: Check) -> list[Asked]:
        return [Asked(name, member, check) for name, member in self._members.items()]

    def _combined(self, answers: Sequence[Answer], check: Check, started: float) -> Verdict:
        named = dict(zip(self._members, answers, strict=True))
        verdict = combined(named, self._combine, threshold=check.threshold)
        return replace(verdict, verifier=self.id, version=self.version, latency=time.monotonic() - started)

    def close(self) -> None:
        """Nothing of its own is held."""

    async def aclose(self) -> None:
        """Nothing of its own is held."""


def _kept_back(check: Check) -> Check:
    return check if check.remaining is None else check.after(check.remaining * _KEPT_BACK)
