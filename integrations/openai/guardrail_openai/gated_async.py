"""The body of an asynchronous guarded stream that is released sentence by sentence."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from guardrail.errors import BlockedError
from guardrail.flow import Draft
from guardrail.guard import Guard
from guardrail.streaming import AsyncGated
from guardrail.streams.values import Chunk, Ended
from guardrail.wire.gated import Reader, UpstreamError
from guardrail.wire.sse import EventDecoder
from guardrail_openai.bodies import apieces
from guardrail_openai.errors import OpenAIBlockedError
from guardrail_openai.exchange import Exchange, GenerationError, parse
from guardrail_openai.gating import Gating

__all__ = ["AsyncGatedStream"]


class AsyncGatedStream:
    """Iterate it once for the bytes that the consumer may read; `GatedStream` for an event loop."""

    def __init__(
        self,
        guard: Guard,
        gating: Gating,
        response: Any,
        *,
        known: Callable[[], Awaitable[Exchange]],
        ask: Callable[[Draft, int], Awaitable[Any]],
        note: Callable[[Ended], None],
    ) -> None:
        self._guard, self._gating, self._response = guard, gating, response
        self._known, self._ask, self._note = known, ask, note
        self._gated: AsyncGated[Any] | None = None
        self._closing: set[asyncio.Future[None]] = set()
        self._over = False

    def __aiter__(self) -> AsyncGatedStream:
        # Not a generator: one that is dropped is closed by the loop, at the same time as those that wait for it.
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            if told := await self._next():
                return told
        raise StopAsyncIteration

    async def _next(self) -> bytes:
        """The bytes of all that can be shown now; none of an item that is not told of."""
        gated = self._gated or await self._begin()
        try:
            items = [await anext(gated), *gated.ready()]
        except StopAsyncIteration:
            return await self._end()
        except UpstreamError as error:
            return error.event.raw + await self._end()
        except BlockedError as error:
            await self._end()
            raise OpenAIBlockedError(str(error), error.outcome) from error
        except BaseException:
            await self._end()
            raise
        return b"".join([self._told(item) for item in items])

    def _told(self, item: Any) -> bytes:
        told = self._gating.render(item)
        if isinstance(item, Ended):
            self._note(item)
        return told

    async def _end(self) -> bytes:
        self._over = True
        await self.aclose()
        return self._gating.end()

    async def aclose(self) -> None:
        """End all that is under way: the upstream, those that go on from it, and verifications."""
        if self._gated is not None:
            await self._gated.aclose()
        await self._close(self._response)
        await asyncio.gather(*self._closing)

    async def _begin(self) -> AsyncGated[Any]:
        known = await self._known()
        self._gated = self._guard.agated(
            self._chunks(self._response, self._gating.first),
            known.conversation,
            split=self._gating.split,
            merge=self._gating.merge,
            generate=self._go_on,
            close=functools.partial(self._close, self._response),
            evidence=known.evidence,
            info=known.info,
            choices=self._gating.choices,
            cannot_generate=known.cannot_generate,
            notes=known.history.notes,
        )
        return self._gated

    async def _go_on(self, draft: Draft, index: int) -> AsyncIterator[Chunk[Any]]:
        response = await self._ask(draft, index)
        if not response.is_success:
            await self._close(response)
            raise GenerationError(f"the LLM answered HTTP {response.status_code}")
        reader = self._gating.writer.go_on()
        if "json" not in response.headers.get("content-type", "").lower():
            async for chunk in self._chunks(response, reader):
                yield chunk
            return
        try:
            reply = parse(await response.aread())
        finally:
            await self._close(response)
        for chunk in self._gating.went_on(reader, reply):
            yield chunk

    async def _chunks(self, response: Any, reader: Reader[Any]) -> AsyncIterator[Chunk[Any]]:
        """The chunks of one upstream; whoever reads them closes it."""
        decoder = EventDecoder()
        try:
            async with aclosing(apieces(response)) as body:
                async for data in body:
                    for chunk in self._gating.read(reader, decoder, data):
                        yield chunk
                    if reader.done:
                        break
            for chunk in self._gating.read(reader, decoder, None):
                yield chunk
            reader.state = "ended"
        except Exception:
            reader.state = "failed"
            raise
        finally:
            await self._close(response)

    async def _close(self, response: Any) -> None:
        """Close a response even though the task that does it is cancelled: half closed, a connection is lost."""
        closing = asyncio.ensure_future(response.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.shield(closing)
