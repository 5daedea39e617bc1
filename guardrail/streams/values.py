"""What goes into a guarded stream and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from guardrail.action import Action
from guardrail.outcome import Outcome
from guardrail.verdict import Usage, Verdict

__all__ = ["Chunk", "Ended", "Item", "Pending", "Release", "Replaced", "Retracted", "Verified", "Write"]

Piece = TypeVar("Piece")


@dataclass(slots=True)
class Chunk(Generic[Piece]):
    """One piece of an upstream."""

    piece: Piece
    """Whatever the mount releases; nothing looks into it."""
    text: str = ""
    """The text that it adds to the answer."""
    index: int = 0
    """Which of the choices of one request it belongs to."""
    calls: bool = False
    """Whether it calls a tool: such an answer is not verified, as acting on it breaks agents."""
    usage: Usage | None = None
    """The tokens of the request that it came for, where it tells them."""
    aside: bool = False
    """Whether it belongs to no answer, as a comment that keeps the connection alive: it is released at once."""


@dataclass(frozen=True, slots=True)
class Release(Generic[Piece]):
    """A piece may be shown: one that was fed, or a part of it that ``split`` made."""

    piece: Piece
    text: str = ""
    """The text that it adds to the answer."""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """Text of the guard's own is to be shown: the policy's notice, or white space between sentences."""

    text: str
    index: int = 0
    notice: bool = False
    """Whether it is the policy's notice, in the place of what was blocked."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A sentence has been generated and waits for its verdict. ``start`` and ``end`` are characters of the answer
    that is shown, from 0, as in all events of a stream."""

    start: int
    end: int
    index: int = 0


@dataclass(frozen=True, slots=True)
class Verified:
    """A sentence has been decided upon, and is shown."""

    start: int
    end: int
    verdict: Verdict
    action: Action
    """``pass``, or ``flag`` where the sentence is not known to be reliable."""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Retracted:
    """What was pending there will not be shown; in the mode ``optimistic`` it was shown, and is to be taken back."""

    start: int
    end: int
    index: int = 0


@dataclass(frozen=True, slots=True)
class Replaced:
    """What is shown from ``start`` on stands in the place of what was retracted before."""

    start: int
    action: Action
    """``regenerate`` or ``fallback``: the LLM goes on anew; ``repair``: it is left out; ``block``: the policy's
    notice."""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer of one choice has come to its end. The last item of its choice."""

    outcome: Outcome
    index: int = 0


Item: TypeAlias = Release[Piece] | Write | Pending | Verified | Retracted | Replaced | Ended
"""What a guarded stream gives."""
