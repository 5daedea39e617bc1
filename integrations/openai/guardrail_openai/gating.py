"""One guarded stream, sans I/O: the upstream's bytes into chunks for the gate, and the consumer's bytes out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from guardrail.outcome import Outcome
from guardrail.streams.values import Chunk, Ended, Item, Release, Write
from guardrail.wire.chat import ChatCodec
from guardrail.wire.chat_stream import ChatReader, ChatWriter, merge_chat, split_chat
from guardrail.wire.exchange import Json
from guardrail.wire.gated import Reader, Writer, comment
from guardrail.wire.responses import ResponsesCodec
from guardrail.wire.responses_stream import ResponsesReader, ResponsesWriter, merge_response, split_response
from guardrail.wire.sse import Event, EventDecoder
from guardrail_openai.exchange import Exchange, GenerationError

__all__ = ["Gating", "gating_for"]


@dataclass(slots=True)
class Gating:
    """What a gate needs to know of one API, and the state of one stream."""

    first: Reader[Any]
    writer: Writer[Any]
    split: Any
    merge: Any
    choices: int = 1
    typed: bool = False
    """Whether the consumer asked for typed events."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def read(self, reader: Reader[Any], decoder: EventDecoder, data: bytes | None) -> Iterator[Chunk[Any]]:
        """The chunks in the next bytes of an upstream; None: it has ended. Raises `UpstreamError`."""
        for event in decoder.flush() if data is None else decoder.feed(data):
            if reader.done:
                return
            if event.is_comment:
                yield Chunk(event, aside=True)
            else:
                yield from reader.read(event)

    def went_on(self, reader: Reader[Any], reply: Json | None) -> Sequence[Chunk[Any]]:
        """The chunks of an answer that came whole, to a request to go on. Raises `GenerationError`."""
        if reply is None:
            raise GenerationError("the LLM's answer could not be read")
        reader.state = "ended"
        return reader.read_reply(reply)

    def render(self, item: Item[Any]) -> bytes:
        """What the consumer is sent of one item."""
        if isinstance(item, Release):
            return item.piece.raw if isinstance(item.piece, Event) else self.writer.write(item)
        told = b""
        if isinstance(item, Ended):
            self.outcomes[item.index] = item.outcome
        if not isinstance(item, Write):
            told = comment(item) if self.typed else b""
            if not isinstance(item, Ended):
                return told
        return told + self.writer.write(item)

    def end(self) -> bytes:
        """What ends the consumer's stream."""
        return self.writer.close(self.ended)

    @property
    def ended(self) -> list[Outcome]:
        """How each choice has ended, in the order of their indices."""
        return [outcome for _, outcome in sorted(self.outcomes.items())]


def gating_for(exchange: Exchange) -> Gating | None:
    """How the exchange's stream is released sentence by sentence; None where it is held whole.

    That is JSON, which nothing may be put into, speech, whose sound cannot be cut by sentences, and what was begun
    elsewhere: a response made in the background, and one of a conversation that the server keeps.
    """
    body, asked = exchange.body, exchange.asked
    speaks = "audio" in body or "audio" in (body.get("modalities") or ())  # type: ignore[operator]
    kept = asked.follows is not None and asked.follows.kind != "response"
    if asked.wants_json or speaks or kept or exchange.fetched or body.get("background"):
        return None
    if isinstance(exchange.codec, ChatCodec):
        reader, options, n = ChatReader(), body.get("stream_options"), body.get("n")
        writer = ChatWriter(reader, wants_usage=isinstance(options, dict) and options.get("include_usage") is True)
        return Gating(reader, writer, split_chat, merge_chat, n if isinstance(n, int) else 1, exchange.typed)
    if isinstance(exchange.codec, ResponsesCodec):
        first = ResponsesReader()
        return Gating(first, ResponsesWriter(first), split_response, merge_response, 1, exchange.typed)
    return None
