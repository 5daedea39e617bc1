"""What a dialect is: how to ask one kind of judge by chat, and how to read what it says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from guardrail.verdict import Cause, Finding, Status
from guardrail.verifiers.protocol import Check

__all__ = ["Dialect", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a judge's reply says."""

    status: Status
    """Reliable, unreliable or unknown; a reply without a verdict is a `VerifierError`."""
    risk: float | None = None
    """0 = surely reliable, 1 = surely unreliable."""
    findings: tuple[Finding, ...] = ()
    explanation: str = ""
    cause: Cause | None = None
    """Why the status is unknown, where that is known."""


class Dialect(Protocol):
    """One way to talk to a judge. A policy names it; it is never guessed from a reply.

    The same word means the opposite in two dialects: ``Yes`` is bad news in one and good in another.
    """

    @property
    def name(self) -> str:
        """What policies call it."""
        ...

    def request(self, check: Check) -> dict[str, Any]:
        """The JSON body of the chat request, without ``model``."""
        ...

    def plain(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """``request`` without what a simple server may refuse; None where there is no such thing in it."""
        ...

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict in ``content``, the text of the reply.

        Raises `VerifierError` with ``empty``, ``truncated`` or ``unparsable`` when there is none.
        ``check`` is what was asked: findings are located in its answer.
        """
        ...
