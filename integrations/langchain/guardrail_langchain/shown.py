"""What a guarded stream shows: the upstreams' chunks in, the chunks to hand on out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGenerationChunk

from guardrail.action import Action
from guardrail.flow import Draft
from guardrail.outcome import Outcome
from guardrail.streams.values import Chunk, Ended, Item, Release, Retracted, Write
from guardrail_langchain.asking import aready, astream, ready, stream
from guardrail_langchain.call import Call, GenerationError
from guardrail_langchain.marks import MARK, mark
from guardrail_langchain.messages import text_of
from guardrail_langchain.pieces import About, Piece, body_of, calls_tool, like
from guardrail_langchain.settled import OF_THE_MODEL

__all__ = ["Shown"]

_NOTHING = ChatGenerationChunk(message=AIMessageChunk(content=""))


class Shown:
    """One guarded stream of ``call``."""

    def __init__(self, call: Call, *, optimistic: bool = False) -> None:
        self._call, self._optimistic = call, optimistic
        self._about = [About()]
        """Of each upstream."""
        self._sources: set[int] = set()
        """The upstreams that something is shown of."""
        self._within: set[int] = set()
        """Those that go on within an answer."""
        self._last: Piece | None = None
        """The last that was shown."""
        self._outcome: Outcome | None = None
        self._retracted: list[list[int]] = []
        """Places of the text that were shown, and are to be taken back."""

    # upstreams

    def read(self, chunks: Iterator[ChatGenerationChunk]) -> Iterator[Chunk[Piece]]:
        """The first upstream."""
        try:
            for chunk in chunks:
                if (fed := self._fed(0, chunk)) is not None:
                    yield fed
        finally:
            if (close := getattr(chunks, "close", None)) is not None:
                close()

    async def aread(self, chunks: AsyncIterator[ChatGenerationChunk]) -> AsyncIterator[Chunk[Piece]]:
        """The same on the event loop."""
        try:
            async for chunk in chunks:
                if (fed := self._fed(0, chunk)) is not None:
                    yield fed
        finally:
            if (close := getattr(chunks, "aclose", None)) is not None:
                await close()

    def more(self, draft: Draft, index: int) -> Iterator[Chunk[Piece]]:
        """A further upstream, which begins anew or goes on from what is shown."""
        source = self._another()
        request = ready(self._call.again(draft))
        for chunk in stream(request):
            if (fed := self._continued(source, chunk, draft)) is not None:
                yield fed

    async def amore(self, draft: Draft, index: int) -> AsyncIterator[Chunk[Piece]]:
        """The same on the event loop."""
        source = self._another()
        request = await aready(self._call.again(draft))
        async for chunk in astream(request):
            if (fed := self._continued(source, chunk, draft)) is not None:
                yield fed

    def _another(self) -> int:
        self._about.append(About())
        return len(self._about) - 1

    def _fed(self, source: int, chunk: ChatGenerationChunk) -> Chunk[Piece] | None:
        usage = self._about[source].take(chunk)
        body = body_of(chunk)
        if body is None and usage is None:
            return None
        if body is None:
            return Chunk(Piece(source, _NOTHING), usage=usage)
        return Chunk(Piece(source, body), text_of(body.message), calls=calls_tool(body), usage=usage)

    def _continued(self, source: int, chunk: ChatGenerationChunk, draft: Draft) -> Chunk[Piece] | None:
        if calls_tool(chunk):
            # Handed on, it would send an agent round in circles.
            raise GenerationError("the LLM called a tool in the place of an answer")
        if draft.prefix:
            self._within.add(source)
        return self._fed(source, chunk)

    # what is shown

    def take(self, item: Item[Piece]) -> ChatGenerationChunk | None:
        """The chunk to hand on for ``item``, if any."""
        match item:
            case Release():
                return self._released(item.piece)
            case Write():
                return like(self._before, item.text)
            case Retracted() if self._optimistic:
                self._retracted.append([item.start, item.end])
            case Ended():
                self._outcome = item.outcome
        return None

    @property
    def _before(self) -> BaseMessage | None:
        return self._last.chunk.message if self._last is not None else None

    def _released(self, piece: Piece) -> ChatGenerationChunk | None:
        if piece.chunk is _NOTHING:
            return None
        if piece.source in self._within:
            # Of what goes on within an answer there is nothing to show but text: it has no place of its own.
            if not (text := text_of(piece.chunk.message)):
                return None
            piece = Piece(piece.source, like(self._before, text))
        self._sources.add(piece.source)
        self._last = piece
        return piece.chunk

    def last(self) -> ChatGenerationChunk:
        """The last chunk: why the answer ended, the tokens of all attempts, and its report."""
        assert self._outcome is not None
        last = self._last
        said = self._metadata(self._outcome, self._about[last.source if last is not None else 0].merged)
        said[MARK] = {**mark(self._outcome), **({"retracted": self._retracted} if self._retracted else {})}
        return like(
            self._before,
            "",
            response_metadata=said,
            usage_metadata=self._tokens(),
            chunk_position="last",
        )

    def _metadata(self, outcome: Outcome, said: dict[str, Any]) -> dict[str, Any]:
        if (name := self._call.model_name) is not None:  # of an upstream that was cut off nothing more is known
            said.setdefault("model_name", name)
        if outcome.turn is None:
            return {**{k: said[k] for k in OF_THE_MODEL if k in said}, "finish_reason": "content_filter"}
        if len(self._sources) > 1 or outcome.action is Action.REPAIR:
            said.pop("id", None)  # it leads to another answer than the one that is shown
        return said

    def _tokens(self) -> UsageMetadata | None:
        total: UsageMetadata | None = None
        for about in self._about:
            if about.tokens is not None:
                total = add_usage(total, about.tokens)
        return total
