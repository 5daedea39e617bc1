"""The sentences of one upstream between their generation and their release, in order. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from guardrail.gate import SentenceGate, Unit
from guardrail.outcome import Attempt
from guardrail.streams.joining import Joint
from guardrail.streams.verdicts import apart
from guardrail.verdict import Verdict

__all__ = ["Group", "Line", "Part"]

Piece = TypeVar("Piece")


@dataclass(slots=True)
class Group:
    """Sentences that are verified together."""

    units: list[Unit]
    since: float
    """When the first of them had come to its end."""
    ticket: int | None = None
    """None where no verdict is asked for."""
    verdict: Verdict | None = None
    shift: int = 0
    gone: int = 0
    """`Line.shift`, and how many places were in `Line.gone`, when the verdict was asked for."""


@dataclass(slots=True)
class Part:
    """Sentences that share a verdict and so a fate."""

    units: list[Unit]
    verdict: Verdict


@dataclass(slots=True)
class Line(Generic[Piece]):
    """The sentences of one upstream: ``waiting`` to be verified, in ``groups`` with a verdict on its way, and the
    ``parts`` of the first group whose verdict is in."""

    source: int
    gate: SentenceGate[Piece]
    shift: int = 0
    """A place of the gate less this is the place in the answer that is shown."""
    joint: Joint[Piece] | None = None
    glue: str = ""
    """White space to go before what does not begin with any."""
    model: str | None = None
    live: bool = True
    """Whether more may come from the upstream."""
    cut: bool = False
    """Whether it was ended before its time."""
    withdrawn: bool = False
    """Whether readers who had seen its sentences before their verdicts were told to forget them."""
    calls: bool = False
    """Whether it calls a tool."""
    text: list[str] = field(default_factory=list)
    """The sentences so far."""
    waiting: deque[tuple[Unit, float]] = field(default_factory=deque)
    """With the time at which each had come to its end."""
    groups: deque[Group] = field(default_factory=deque)
    parts: deque[Part] = field(default_factory=deque)
    gone: list[tuple[int, int]] = field(default_factory=list)
    """The places of the gate that were left out."""
    gap: str | None = None
    """The white space before the sentences that were just left out."""
    settled: int = 0
    """How many sentences have been released or left out."""
    left_out: list[Verdict] = field(default_factory=list)
    """On those that were left out."""
    attempt: Attempt | None = None
    """What is reported of it, once it has been rejected."""
    generated: float = 0.0
    """Seconds that it took to generate."""
    asked: float = 0.0
    """When it was asked for."""

    def take(self, now: float) -> list[Unit]:
        """The sentences that have come to their end since the last call; they wait from ``now`` on."""
        units = self.gate.take()
        for unit in units:
            self.text.append(unit.text)
            self.waiting.append((unit, now))
        return units

    @property
    def in_flight(self) -> int:
        """How many verdicts are on their way."""
        return sum(group.verdict is None for group in self.groups)

    @property
    def tickets(self) -> tuple[int, ...]:
        """Those verdicts."""
        return tuple(g.ticket for g in self.groups if g.verdict is None and g.ticket is not None)

    @property
    def is_done(self) -> bool:
        """Whether nothing is under way any more."""
        return not (self.live or self.waiting or self.groups or self.parts)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all came."""
        said = self.joint is not None and self.joint.repeats
        return not (self.calls or said or self.gate.fed > self.gate.start)

    def unsettled(self) -> Iterable[Unit]:
        """The sentences that have neither been released nor left out."""
        for part in self.parts:
            yield from part.units
        for group in self.groups:
            yield from group.units
        for unit, _ in self.waiting:
            yield unit

    def group(self, count: int, size: int) -> Group:
        """Takes the next ``count`` sentences, or fewer where they have more than ``size`` characters together."""
        unit, since = self.waiting.popleft()
        units = [unit]
        while self.waiting and len(units) < count and self.waiting[0][0].end - units[0].start <= size:
            units.append(self.waiting.popleft()[0])
        # White space alone is no sentence: it costs no verdict of its own.
        while self.waiting and self.waiting[0][0].is_blank:
            units.append(self.waiting.popleft()[0])
        group = Group(units, since)
        self.groups.append(group)
        return group

    def open_head(self, verdict: Verdict, *, whole: bool) -> None:
        """Takes the first group out of the line, as the ``parts`` that ``verdict`` makes of it; ``whole``: as one."""
        group = self.groups.popleft()
        if whole:
            return self.parts.append(Part(group.units, verdict))
        places = [(unit.start - self.shift, unit.end - self.shift) for unit in group.units]
        together: list[Unit] = []
        for unit, own in zip(group.units, apart(verdict, places), strict=True):
            together.append(unit)
            if own is not None:
                self.parts.append(Part(together, own))
                together = []

    def forget(self) -> tuple[int, ...]:
        """Has all sentences whose verdicts are on their way wait again; returns the tickets of those."""
        tickets = self.tickets
        again = [(unit, group.since) for group in self.groups for unit in group.units]
        self.waiting.extendleft(reversed(again))
        self.groups.clear()
        return tickets
