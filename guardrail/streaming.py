"""What `Guard.gated`, `Guard.stream` and their twins return: iterators that can be closed and know their outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Generic, TypeVar

from guardrail.errors import NoReport
from guardrail.outcome import Outcome, join
from guardrail.streams.apump import AsyncPump
from guardrail.streams.pump import Pump
from guardrail.streams.values import Item, Release, Write

__all__ = ["AsyncGated", "AsyncGuardedStream", "Gated", "GuardedStream"]

Piece = TypeVar("Piece")


class Gated(Generic[Piece]):
    """Iterate it for what may be shown, as it may be, and for what happens beside it (`guardrail.streams`).

    `close` it, or leave its ``with`` block, when you stop before its end.
    """

    def __init__(self, pump: Pump[Piece], outcomes: dict[int, Outcome]) -> None:
        self._pump, self._outcomes = pump, outcomes
        self._items = pump.items()

    def __iter__(self) -> Iterator[Item[Piece]]:
        return self

    def __next__(self) -> Item[Piece]:
        return next(self._items)

    def close(self) -> None:
        """End the upstream and all verifications; safe to call twice, and from any thread."""
        self._pump.close()

    def __enter__(self) -> Gated[Piece]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def outcomes(self) -> dict[int, Outcome]:
        """How each choice has ended, so far."""
        return self._outcomes

    @property
    def outcome(self) -> Outcome:
        """One for all choices. Raises `NoReport` until the stream has been read to its end."""
        return _ended(self._outcomes)


class AsyncGated(Generic[Piece]):
    """The same for ``async for`` and ``async with``."""

    def __init__(self, pump: AsyncPump[Piece], outcomes: dict[int, Outcome]) -> None:
        self._pump, self._outcomes = pump, outcomes
        self._items = pump.items()

    def __aiter__(self) -> AsyncIterator[Item[Piece]]:
        return self

    async def __anext__(self) -> Item[Piece]:
        return await anext(self._items)

    def ready(self) -> list[Item[Piece]]:
        """What else can be had without waiting: for those that hand on many items as one."""
        return self._pump.ready()

    async def aclose(self) -> None:
        """End the upstream and all verifications, and wait for their end; safe to call twice."""
        await self._pump.aclose()

    async def __aenter__(self) -> AsyncGated[Piece]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def outcomes(self) -> dict[int, Outcome]:
        """How each choice has ended, so far."""
        return self._outcomes

    @property
    def outcome(self) -> Outcome:
        """One for all choices. Raises `NoReport` until the stream has been read to its end."""
        return _ended(self._outcomes)


class GuardedStream:
    """Iterate it for the text that may be shown; afterwards ``outcome`` tells how it went.

    `close` it, or leave its ``with`` block, when you stop before its end.
    """

    def __init__(self, gated: Gated[str]) -> None:
        self._gated = gated

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            item = next(self._gated)
            if isinstance(item, Release | Write) and item.text:
                return item.text

    def events(self) -> Iterator[Item[str]]:
        """In place of the text alone: the text as `Release` and `Write`, and all that a user interface may want to
        tell, in order."""
        return self._gated

    def close(self) -> None:
        """End the source and all verifications; safe to call twice, and from any thread."""
        self._gated.close()

    def __enter__(self) -> GuardedStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def outcome(self) -> Outcome:
        """Raises `NoReport` until the stream has been read to its end."""
        return self._gated.outcome


class AsyncGuardedStream:
    """The same for ``async for`` and ``async with``."""

    def __init__(self, gated: AsyncGated[str]) -> None:
        self._gated = gated

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        while True:
            item = await anext(self._gated)
            if isinstance(item, Release | Write) and item.text:
                return item.text

    def events(self) -> AsyncIterator[Item[str]]:
        """In place of the text alone: the text as `Release` and `Write`, and all that a user interface may want to
        tell, in order."""
        return self._gated

    async def aclose(self) -> None:
        """End the source and all verifications, and wait for their end; safe to call twice."""
        await self._gated.aclose()

    async def __aenter__(self) -> AsyncGuardedStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def outcome(self) -> Outcome:
        """Raises `NoReport` until the stream has been read to its end."""
        return self._gated.outcome


def _ended(outcomes: dict[int, Outcome]) -> Outcome:
    if not outcomes:
        raise NoReport("the stream has not ended yet: read it to its end before you ask for its outcome")
    return join([outcome for _, outcome in sorted(outcomes.items())])
