"""A stream in, a guarded stream out: the two pumps between the SDK and the upstream's events."""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from guardrail.gate import WholeGate
from guardrail.outcome import Outcome
from guardrail.wire.exchange import Json
from guardrail.wire.sse import Event, EventDecoder
from guardrail_openai.exchange import Exchange

__all__ = ["apump", "byte_streams", "pump"]


def pump(source: Iterator[bytes], exchange: Exchange, settle: Callable[[Json], Sequence[Outcome]]) -> Iterator[bytes]:
    """Hold the events of ``source`` until ``settle`` has judged the reply they add up to."""
    decoder, gate = EventDecoder(), WholeGate[Event]()
    for data in source:
        yield from _take(decoder.feed(data), gate)
    yield from _take(decoder.flush(), gate)
    if (reply := _reply(exchange, gate)) is None:
        yield from _unjudged(gate)
    else:
        yield from exchange.restreamed(gate.held, reply, settle(reply))


async def apump(
    source: AsyncIterator[bytes], exchange: Exchange, settle: Callable[[Json], Awaitable[Sequence[Outcome]]]
) -> AsyncIterator[bytes]:
    """The same on the event loop."""
    decoder, gate = EventDecoder(), WholeGate[Event]()
    async for data in source:
        for raw in _take(decoder.feed(data), gate):
            yield raw
    for raw in _take(decoder.flush(), gate):
        yield raw
    if (reply := _reply(exchange, gate)) is None:
        ready = _unjudged(gate)
    else:
        ready = exchange.restreamed(gate.held, reply, await settle(reply))
    for raw in ready:
        yield raw


def _take(events: Sequence[Event], gate: WholeGate[Event]) -> list[bytes]:
    """Put events into the gate; comments go out at once, as they keep the connection alive."""
    out = [event.raw for event in events if event.is_comment]
    for event in events:
        if not event.is_comment:
            out += [released.raw for released in gate.feed(event)]
    return out


def _reply(exchange: Exchange, gate: WholeGate[Event]) -> Json | None:
    """What the held events add up to; None where they tell of an error or hold no answer."""
    if any(_is_error(event) for event in gate.held):
        return None
    reply = exchange.codec.assemble(gate.held)
    return reply if reply is not None and exchange.codec.read_turns(reply) else None


def _unjudged(gate: WholeGate[Event]) -> list[bytes]:
    """The events of a stream without an answer; of one that broke off, only those that say so."""
    errors = [event.raw for event in gate.held if _tells_of_failure(event)]
    return errors or [event.raw for event in gate.held]


def _is_error(event: Event) -> bool:
    payload = event.json() or {}
    return bool(payload.get("error")) or payload.get("type") == "error"


def _tells_of_failure(event: Event) -> bool:
    return _is_error(event) or (event.json() or {}).get("type") == "response.failed"


@functools.cache
def byte_streams(hx: Any) -> tuple[type, type]:
    """The bodies of guarded streaming responses for the HTTP library ``hx``: synchronous, asynchronous."""
    return (
        type("GuardedByteStream", (_Stream, hx.SyncByteStream), {}),
        type("GuardedAsyncByteStream", (_AsyncStream, hx.AsyncByteStream), {}),
    )


def _nobody() -> None:
    return None


def _tell_elapsed(response: Any, begun: float) -> None:
    if response is not None:
        response.elapsed = timedelta(seconds=time.perf_counter() - begun)


class _Stream:
    """The body of the guarded streaming response that it will be ``delivered`` in."""

    def __init__(self, source: Iterator[bytes], upstream: Any) -> None:
        self._source, self._upstream = source, upstream
        self._begun = time.perf_counter()
        self.delivered: Callable[[], Any] = _nobody
        """Gives the response, which holds this, as long as anyone has it."""

    def __iter__(self) -> Iterator[bytes]:
        return self._source

    def close(self) -> None:
        """End the upstream too, read or not."""
        self._upstream.close()
        _tell_elapsed(self.delivered(), self._begun)


class _AsyncStream:
    """The same for an event loop."""

    def __init__(self, source: AsyncIterator[bytes], upstream: Any) -> None:
        self._source, self._upstream = source, upstream
        self._begun = time.perf_counter()
        self.delivered: Callable[[], Any] = _nobody

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._source

    async def aclose(self) -> None:
        """End the upstream too, read or not."""
        await self._upstream.aclose()
        _tell_elapsed(self.delivered(), self._begun)
