"""The answers of one request, which come interleaved in one upstream, each with a flow of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from guardrail.outcome import Outcome
from guardrail.streams.commands import Command, Cut, Finish
from guardrail.streams.flow import StreamFlow
from guardrail.streams.values import Chunk

__all__ = ["Choices"]

Piece = TypeVar("Piece")


class Choices(Generic[Piece]):
    """One `StreamFlow` for each choice of a request. The upstream is cut when no choice needs it any longer.

    ``open`` makes the flow of a choice; ``count``: how many choices were asked for.
    """

    def __init__(self, open: Callable[[int], StreamFlow[Piece]], count: int = 1) -> None:
        self._open, self._count = open, count
        self._flows: dict[int, StreamFlow[Piece]] = {}
        self._off: set[int] = set()
        """Choices that need the first upstream no longer."""
        self.upstream_ended = False
        """Whether no further choice can begin."""
        self.outcomes: dict[int, Outcome] = {}
        self.errors: dict[int, Exception] = {}

    @property
    def flows(self) -> dict[int, StreamFlow[Piece]]:
        """The flows so far, by choice; there is one at least."""
        if not self._flows:
            self._flows[0] = self._open(0)
        return self._flows

    def flow(self, index: int) -> StreamFlow[Piece]:
        """The flow of one choice."""
        if index not in self._flows:
            self._flows[index] = self._open(index)
        return self._flows[index]

    def feed(self, index: int, source: int, chunk: Chunk[Piece], now: float) -> list[Command]:
        """A chunk for the choice ``index``."""
        return self.flow(index).feed(source, chunk, now)

    def heeded(self, index: int, command: Command) -> bool:
        """Take note of ``command``, of choice ``index``; whether it is to be performed."""
        match command:
            case Cut(source=0):
                self._off.add(index)
                return len(self._off) >= max(self._count, len(self._flows))
            case Finish():
                self.outcomes[index] = command.outcome
                if command.error is not None:
                    self.errors[index] = command.error
                self._off.add(index)
        return True

    @property
    def is_over(self) -> bool:
        """Whether every choice has ended."""
        begun = len(self.flows)
        return len(self.outcomes) >= (begun if self.upstream_ended else max(begun, self._count))

    @property
    def error(self) -> Exception | None:
        """What the consumer is raised at the end."""
        return next(iter(self.errors.values()), None)
