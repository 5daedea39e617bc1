"""What a reliability model found: a verdict, never a decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from guardrail.conversation import Evidence

__all__ = ["Cause", "Finding", "FindingKind", "Status", "Usage", "Verdict"]


class Status(StrEnum):
    """The four things a verifier can say."""

    RELIABLE = "reliable"
    UNRELIABLE = "unreliable"
    """A claim contradicts the evidence, or says what the evidence at hand does not support."""
    UNKNOWN = "unknown"
    """There is no evidence, or none of it concerns any claim of the answer."""
    ERROR = "error"
    """There is no verdict; ``cause`` says why."""


class Cause(StrEnum):
    """Why there is no verdict. The list is closed."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    AUTH = "auth"
    GONE = "gone"
    UNPARSABLE = "unparsable"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    OVER_LENGTH = "over_length"
    NO_EVIDENCE = "no_evidence"
    NO_GENERATOR = "no_generator"
    LANGUAGE = "language"
    BUDGET = "budget"
    BREAKER_OPEN = "breaker_open"
    CANCELLED = "cancelled"


class FindingKind(StrEnum):
    """What is wrong with a place in the answer."""

    CONTRADICTED = "contradicted"
    UNSUPPORTED = "unsupported"
    NUMBER = "number"
    DATE = "date"
    QUANTITY = "quantity"
    NAME = "name"
    QUOTATION = "quotation"
    CITATION = "citation"


@dataclass(frozen=True, slots=True)
class Finding:
    """One bad place in an answer."""

    start: int
    """First character of the place, counted in the answer's text from 0."""
    end: int
    """One past the last character."""
    text: str
    """``answer[start:end]``."""
    kind: FindingKind
    risk: float | None = None
    """0 = surely reliable, 1 = surely unreliable; None where the verifier gives no number."""
    evidence: tuple[Evidence, ...] = ()
    """What the place was held against."""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens spent."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one verifier found in one answer."""

    status: Status
    risk: float | None = None
    """0 = surely reliable, 1 = surely unreliable. Boolean judges give exactly 0 or 1."""
    findings: tuple[Finding, ...] = ()
    explanation: str = ""
    cause: Cause | None = None
    """Set when ``status`` is ``error``, and for ``unknown`` when a cause is known."""
    evidence: tuple[Evidence, ...] = ()
    """The evidence that was used."""
    verifier: str = ""
    version: str = ""
    usage: Usage | None = None
    latency: float | None = None
    """Seconds."""

    def at(self, threshold: float | None) -> Verdict:
        """This verdict read at another threshold.

        A ``reliable`` or ``unreliable`` verdict with a risk becomes ``unreliable`` when its risk
        is at or above ``threshold`` (0..1), and keeps the findings that are. Verdicts without a
        risk, ``unknown`` and ``error`` stay as they are; so does everything at ``None``.
        """
        if threshold is None or self.risk is None:
            return self
        if self.status not in (Status.RELIABLE, Status.UNRELIABLE):
            return self
        findings = tuple(f for f in self.findings if f.risk is None or f.risk >= threshold)
        status = Status.UNRELIABLE if self.risk >= threshold else Status.RELIABLE
        return replace(self, status=status, findings=findings)
