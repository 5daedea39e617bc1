"""What `Guard.stream` and `Guard.astream` return: an iterator that knows its outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from guardrail.errors import NoReport
from guardrail.outcome import Outcome

__all__ = ["AsyncGuardedStream", "GuardedStream"]


class GuardedStream:
    """Iterate it for the pieces that may be shown; afterwards ``outcome`` tells how it went."""

    def __init__(self, pieces: Iterator[str], outcomes: list[Outcome]) -> None:
        self._pieces, self._outcomes = pieces, outcomes

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    @property
    def outcome(self) -> Outcome:
        """Raises `NoReport` until the stream has been read to its end."""
        return _ended(self._outcomes)


class AsyncGuardedStream:
    """The same for ``async for``."""

    def __init__(self, pieces: AsyncIterator[str], outcomes: list[Outcome]) -> None:
        self._pieces, self._outcomes = pieces, outcomes

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        return await anext(self._pieces)

    @property
    def outcome(self) -> Outcome:
        """Raises `NoReport` until the stream has been read to its end."""
        return _ended(self._outcomes)


def _ended(outcomes: list[Outcome]) -> Outcome:
    if not outcomes:
        raise NoReport("the stream has not ended yet: read it to its end before you ask for its outcome")
    return outcomes[-1]
