"""Plain text as an upstream, and whatever a generate function returns."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from inspect import isgenerator
from typing import Any

from guardrail.conversation import Turn
from guardrail.errors import InputError
from guardrail.flow import Generated
from guardrail.streams.values import Chunk
from guardrail.verdict import Usage

__all__ = ["Texts", "agathered", "answered", "atexts", "gathered", "interrupt"]


class Texts:
    """``source`` as an upstream; closing it closes ``source``."""

    def __init__(self, source: Iterable[str]) -> None:
        self.source = source

    def __iter__(self) -> Iterator[Chunk[str]]:
        for text in self.source:
            yield _chunk(text)

    def close(self) -> None:
        """Close what can be closed."""
        close = getattr(self.source, "close", None)
        if close is not None:
            close()


async def atexts(source: AsyncIterable[str]) -> AsyncIterator[Chunk[str]]:
    """The same on an event loop."""
    try:
        async for text in source:
            yield _chunk(text)
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


def _chunk(text: str) -> Chunk[str]:
    if not isinstance(text, str):
        raise InputError(
            f"a piece of the stream is no string: {text!r:.60}; give the text of each chunk, and '' where it has none"
        )
    return Chunk(text, text)


def answered(answer: str | Turn | Generated) -> Chunk[str]:
    """An answer that came whole."""
    turn = answer.turn if isinstance(answer, Generated) else answer
    usage = answer.usage if isinstance(answer, Generated) else None
    if isinstance(turn, str):
        return Chunk(turn, turn)
    return Chunk(turn.text, turn.text, calls=bool(turn.tool_calls), usage=usage)


def gathered(source: Iterable[Chunk[Any]]) -> Generated:
    """The answer that an upstream adds up to; closes it."""
    found = list[Chunk[Any]]()
    try:
        found.extend(source)
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()
    return _whole(found)


async def agathered(source: AsyncIterable[Chunk[Any]]) -> Generated:
    """The same on an event loop."""
    found = list[Chunk[Any]]()
    try:
        async for chunk in source:
            found.append(chunk)
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
    return _whole(found)


def _whole(chunks: Sequence[Chunk[Any]]) -> Generated:
    usages = [chunk.usage for chunk in chunks if chunk.usage is not None]
    return Generated(Turn("".join(chunk.text for chunk in chunks)), sum(usages, Usage()) if usages else None)


def interrupt(source: Any) -> Any:
    """What ends ``source`` while another thread waits for it; None where nothing does, as for a generator."""
    if isinstance(source, Texts):
        return interrupt(source.source)
    return None if isgenerator(source) else getattr(source, "close", None)
