"""Test an application that is guarded: scripted parts in the place of models. Nothing here sleeps or
networks.

from guardrail import Guard
from guardrail.testing import ScriptedLLM, ScriptedVerifier, unreliable, reliable

verifier = ScriptedVerifier(unreliable("London"), reliable())
llm = ScriptedLLM("It is London.", "It is Paris.")
outcome = Guard(verifiers={"main": verifier}).run(llm, [{"role": "user", "content": "Capital of France?"}])
assert outcome.text == "It is Paris."
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from guardrail.conversation import Turn
from guardrail.errors import VerifierError
from guardrail.events import Event, Listener
from guardrail.flow import Draft
from guardrail.verdict import Cause, Finding, FindingKind, Status, Verdict
from guardrail.verifiers.protocol import Check, Verifier

__all__ = [
    "EventCollector",
    "FaultInjector",
    "ScriptExhausted",
    "ScriptedLLM",
    "ScriptedVerifier",
    "failure",
    "reliable",
    "unknown",
    "unreliable",
]

_T = TypeVar("_T")
Line: TypeAlias = Verdict | VerifierError | Callable[[Check], Verdict]


class ScriptExhausted(BaseException):
    """A scripted part was asked more often than its script has lines.

    Not an `Exception`: a guard would take it for a fault of the model, and the test would pass.
    """


def reliable(risk: float = 0.0) -> Verdict:
    """A verdict ``reliable``."""
    return Verdict(Status.RELIABLE, risk=risk)


def unreliable(*quotes: str, risk: float = 1.0, explanation: str = "") -> Verdict:
    """A verdict ``unreliable``; each of ``quotes`` that the answer contains becomes a finding."""
    findings = tuple(Finding(0, len(q), q, FindingKind.CONTRADICTED, risk) for q in quotes)
    return Verdict(Status.UNRELIABLE, risk=risk, findings=findings, explanation=explanation)


def unknown(cause: Cause | None = Cause.NO_EVIDENCE) -> Verdict:
    """A verdict ``unknown``."""
    return Verdict(Status.UNKNOWN, cause=cause)


def failure(cause: Cause, *, retry_after: float | None = None) -> VerifierError:
    """A line of a script that stands for a verifier without a verdict."""
    return VerifierError(cause, f"scripted: {cause.value}", retry_after=retry_after)


class ScriptedVerifier:
    """A verifier that says what it was told to, in order; the last line is repeated if ``repeat``.

    A line is a `Verdict`, an error from `failure`, or a function of the `Check`. ``checks`` holds what it
    was asked.
    """

    def __init__(self, *script: Line, id: str = "scripted", repeat: bool = False) -> None:
        self.id, self.version, self.checks = id, "1", list[Check]()
        self._script, self._repeat = script, repeat
        self._lock = threading.Lock()

    def verify(self, check: Check) -> Verdict:
        """The next line of the script."""
        with self._lock:
            place = len(self.checks)
            self.checks.append(check)
        line = _line(self._script, place, self._repeat, self.id)
        if isinstance(line, VerifierError):
            raise line
        verdict = line if isinstance(line, Verdict) else line(check)
        return replace(verdict, verifier=self.id, version=self.version, findings=_placed(verdict, check.turn.text))

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        return self.verify(check)

    def close(self) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing is held."""


class ScriptedLLM:
    """A generate function for `Guard.run` that answers as it was told to, in order.

    An answer is a string, a `Turn`, an exception to raise, or a function of the `Draft`. ``drafts`` holds what it
    was asked.
    """

    def __init__(self, *script: str | Turn | Exception | Callable[[Draft], str | Turn]) -> None:
        self.drafts: list[Draft] = []
        self._script = script
        self._lock = threading.Lock()

    def __call__(self, draft: Draft) -> str | Turn:
        """The next answer."""
        with self._lock:  # samples are drawn at the same time
            place = len(self.drafts)
            self.drafts.append(draft)
        answer = _line(self._script, place, False, "LLM")
        if isinstance(answer, Exception):
            raise answer
        return answer(draft) if callable(answer) else answer

    async def agenerate(self, draft: Draft) -> str | Turn:
        """The same for `Guard.arun`."""
        return self(draft)


class FaultInjector:
    """A verifier that fails as told before the one behind it is asked.

    ``faults`` are used up in order, one a call; None lets a call through, as does the end of the list.
    """

    def __init__(self, inner: Verifier, *faults: VerifierError | Cause | None) -> None:
        self.id, self.version, self.calls = inner.id, inner.version, 0
        self._inner, self._faults = inner, faults

    def verify(self, check: Check) -> Verdict:
        """Raises the next fault, or asks the verifier behind."""
        self._fail()
        return self._inner.verify(check)

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        self._fail()
        return await self._inner.averify(check)

    def _fail(self) -> None:
        fault = self._faults[self.calls] if self.calls < len(self._faults) else None
        self.calls += 1
        if fault is not None:
            raise failure(fault) if isinstance(fault, Cause) else fault

    def close(self) -> None:
        """Close the verifier behind."""
        self._inner.close()

    async def aclose(self) -> None:
        """Close the verifier behind."""
        await self._inner.aclose()


class EventCollector(Listener):
    """A listener that keeps every event, in order, in ``events``."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def hear(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def of(self, kind: type[_T]) -> list[_T]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def _line(script: Sequence[_T], place: int, repeat: bool, who: str) -> _T:
    if place < len(script):
        return script[place]
    if repeat and script:
        return script[-1]
    raise ScriptExhausted(f"the scripted {who} was asked {place + 1} times and has {len(script)} lines")


def _placed(verdict: Verdict, answer: str) -> tuple[Finding, ...]:
    """The findings where their text stands in ``answer``; those that it does not contain are dropped."""
    places = [(finding, answer.find(finding.text)) for finding in verdict.findings]
    return tuple(replace(f, start=at, end=at + len(f.text)) for f, at in places if at >= 0)
