"""`PanelVerifier`: several verifiers, asked at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Verdict
from guardrail.verifiers.combining import Answer, Combine, combined
from guardrail.verifiers.own import lost
from guardrail.verifiers.protocol import Check, Verifier
from guardrail.verifiers.threads import begun

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
        futures = {
            name: begun(partial(member.verify, asked), name="guardrail-panel") for name, member in self._members.items()
        }
        wait(futures.values(), timeout=asked.remaining)
        answers = {name: _answer(future, name, asked) for name, future in futures.items()}
        return self._combined(answers, check, started)

    async def averify(self, check: Check) -> Verdict:
        """The same in tasks; they end with this call, however it ends."""
        started, asked = time.monotonic(), _kept_back(check)
        tasks = {name: asyncio.create_task(_asked(member, asked, name)) for name, member in self._members.items()}
        try:
            done, _ = await asyncio.wait(tasks.values(), timeout=asked.remaining)
            answers = {name: task.result() if task in done else _late(name, asked) for name, task in tasks.items()}
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        return self._combined(answers, check, started)

    def _combined(self, answers: Mapping[str, Answer], check: Check, started: float) -> Verdict:
        verdict = combined(answers, self._combine, threshold=check.threshold)
        return replace(verdict, verifier=self.id, version=self.version, latency=time.monotonic() - started)

    def close(self) -> None:
        """Nothing of its own is held."""

    async def aclose(self) -> None:
        """Nothing of its own is held."""


def _kept_back(check: Check) -> Check:
    return check if check.remaining is None else check.after(check.remaining * _KEPT_BACK)


def _answer(future: Future[Verdict], name: str, check: Check) -> Answer:
    if not future.done():
        return _late(name, check)
    try:
        return future.result()
    except Exception as error:
        return lost(error, name)


async def _asked(member: Verifier, check: Check, name: str) -> Answer:
    try:
        return await member.averify(check)
    except Exception as error:
        return lost(error, name)


def _late(name: str, check: Check) -> VerifierError:
    return VerifierError(Cause.TIMEOUT, f"the verifier {name!r} did not answer within {check.remaining:.3g} s")
