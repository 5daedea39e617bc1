"""What a `StreamFlow` asks of the pump that drives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from guardrail.events import Event
from guardrail.flow import Draft
from guardrail.outcome import Outcome
from guardrail.streams.values import Item
from guardrail.verifiers.protocol import Check

__all__ = ["Ask", "Command", "Cut", "Finish", "Forget", "Give", "GoOn", "Listen", "Pause", "Say"]


@dataclass(frozen=True, slots=True)
class Give:
    """Give the consumer this."""

    item: Item[Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the verifier, without waiting; answered by `StreamFlow.judged`."""

    ticket: int
    verifier: str
    check: Check


@dataclass(frozen=True, slots=True)
class Forget:
    """Nobody waits for these verdicts any more."""

    tickets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """End the upstream ``source`` at once."""

    source: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Call `StreamFlow.woken` ``seconds`` from now."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Listen:
    """Call `StreamFlow.silent` with ``source`` and ``place``, ``seconds`` from now."""

    seconds: float
    source: int
    place: int


@dataclass(frozen=True, slots=True)
class GoOn:
    """Ask the LLM for what comes next; its chunks are those of ``source``."""

    source: int
    draft: Draft


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the listeners."""

    event: Event


@dataclass(frozen=True, slots=True)
class Finish:
    """It is over."""

    outcome: Outcome
    error: Exception | None = None
    """What the consumer is raised."""


Command: TypeAlias = Give | Ask | Forget | Cut | Pause | GoOn | Listen | Say | Finish
