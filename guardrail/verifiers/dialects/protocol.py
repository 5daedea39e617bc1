"""What a dialect is: how to ask one kind of judge by chat, and how to read what it says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from guardrail.verdict import Cause, Finding, Status
from guardrail.verifiers.protocol import Check

__all__ = ["Dialect", "Piece", "Reading", "Token"]


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


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a check that the judge is asked about in a request of its own."""

    check: Check
    """The same check with a part of the answer as its turn."""
    start: int
    """First character of the part in the whole answer, from 0."""
    end: int
    """One past its last character."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a reply, and what might have stood in its place."""

    text: str
    likely: tuple[tuple[str, float], ...]
    """The likeliest tokens here, each with its natural-log probability; the one that was said may be among them."""


class Dialect(Protocol):
    """One way to talk to a judge. A policy names it; it is never guessed from a reply.

    The same word means the opposite in two dialects: ``Yes`` is bad news in one and good in another.
    A dialect of your own inherits from this class and says `name`, `request`, `plain` and `read`; the rest is
    for judges that need no asking, are asked in pieces, or tell how sure they are.
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

    def settled(self, check: Check) -> Reading | None:
        """The verdict that needs no judge, such as that there is no evidence; None: ask."""
        return None

    def pieces(self, check: Check) -> tuple[Piece, ...]:
        """What the judge is asked about, a request each; at least one."""
        return (Piece(check, 0, len(check.turn.text)),)

    def weighed(self, reading: Reading, tokens: Sequence[Token]) -> Reading:
        """``reading`` with the risk that the probabilities of the reply's ``tokens`` tell, if they do."""
        return reading

    def joined(self, pieces: Sequence[Piece], readings: Sequence[Reading], check: Check) -> Reading:
        """The verdict on the whole answer, from those on its ``pieces``, in the same order."""
        return readings[0]
