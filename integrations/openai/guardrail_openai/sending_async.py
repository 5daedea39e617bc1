"""The asynchronous guarded client."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from guardrail.conversation import Turn
from guardrail.errors import BlockedError
from guardrail.flow import Draft, Generated
from guardrail.logs import logger
from guardrail.outcome import Outcome
from guardrail.wire.exchange import Json
from guardrail_openai.deadline import Deadline
from guardrail_openai.errors import OpenAIBlockedError
from guardrail_openai.exchange import Exchange, parse, spent_on
from guardrail_openai.gated_async import AsyncGatedStream
from guardrail_openai.gating import Gating
from guardrail_openai.histories import Fetch, History
from guardrail_openai.sending import FETCHING, GuardedSending, is_stream
from guardrail_openai.stream import apump, byte_streams

__all__ = ["AsyncSending"]


class AsyncSending(GuardedSending):
    """Guards an asynchronous client."""

    async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Send ``request``; what comes back is guarded where it is an answer."""
        exchange = self._open(request)
        if exchange is None:
            return await self.inner.send(request, stream=stream, **options)
        started = time.monotonic()
        response = await self.inner.send(self._outgoing(request, exchange), stream=stream, **options)
        if not response.is_success:
            return response
        settle = functools.partial(self._settle, exchange, request, options, started)
        opened = functools.partial(self._stream, response, exchange, settle, request, options, read=not stream)
        if is_stream(response, asked=exchange.asked.stream):
            return await opened()
        await response.aread()
        reply = parse(response.content)
        if reply is None and exchange.asked.stream:  # events under a wrong type
            return await opened()
        if reply is None or not exchange.codec.read_turns(reply):
            self._unanswered(exchange, reply)
            return response
        return self._delivered(response, exchange, reply, await settle(reply))

    async def aclose(self) -> None:
        """Close the user's own client, and the guard if nobody else has it."""
        await self.inner.aclose()
        if self._owns_guard:
            await self.guard.aclose()

    async def _stream(
        self, response: Any, exchange: Exchange, settle: Any, request: Any, options: Any, *, read: bool
    ) -> Any:
        """The response with a guarded stream for its body; ``read``: to its end, as the SDK wants it whole."""
        key = f"stream-{id(exchange):x}-{time.monotonic_ns():x}"

        async def settle_stream(reply: Json) -> Sequence[Outcome]:
            outcomes: Sequence[Outcome] = await settle(reply)
            self._streamed(reply, outcomes, exchange, key)
            return outcomes

        if (gating := self._gating(exchange)) is not None:
            gated = self._in_sentences(gating, response, exchange, request, options, key)
            body = byte_streams(self._hx)[1](aiter(gated), gated)
        else:
            body = byte_streams(self._hx)[1](apump(response.aiter_bytes(), exchange, settle_stream), response)
        streaming = self._streaming(response, body, key)
        if read:
            await streaming.aread()
        return streaming

    def _in_sentences(
        self, gating: Gating, response: Any, exchange: Exchange, request: Any, options: Any, key: str
    ) -> AsyncGatedStream:
        async def ask(draft: Draft, index: int) -> Any:
            def another() -> Any:
                again = self._another(request, exchange, draft, index, stream=draft.sample is None)
                return self.inner.send(again, stream=True, **options)

            answer = await another()
            if not self._refused(request, exchange, draft, answer.status_code):
                return answer
            await answer.aclose()
            return await another()

        async def known() -> Exchange:
            return replace(exchange, history=await self._history(exchange, request, options, {}))

        return AsyncGatedStream(
            self.guard,
            gating,
            response,
            known=known,
            ask=ask,
            note=functools.partial(self._gated, exchange, gating, key=key),
        )

    async def _settle(
        self, exchange: Exchange, request: Any, options: Any, started: float, reply: Json
    ) -> list[Outcome]:
        """One guarded turn for each choice, at the same time."""
        if before := self._settled_before(exchange, reply):
            return before
        answered = time.monotonic()
        turns = exchange.codec.read_turns(reply)
        history = await self._history(exchange, request, options, reply)
        known = replace(exchange, history=history, spent=spent_on(reply, len(turns)))
        waited = time.monotonic() - answered
        one = functools.partial(self._guard, known, request, options, answered - started, waited)
        try:
            outcomes = await _each(one, turns)
        except OpenAIBlockedError as error:
            self._raised(exchange, reply, error)
            raise
        self._known(exchange, reply, outcomes)
        return outcomes

    async def _guard(
        self, exchange: Exchange, request: Any, options: Any, elapsed: float, waited: float, turn: Turn
    ) -> Outcome:
        try:
            return await self.guard.arun(
                functools.partial(self._regenerate, exchange, request, options, turn.index),
                exchange.conversation(turn.index),
                first=exchange.first(turn, elapsed, waited),
                evidence=exchange.evidence,
                info=exchange.info,
            )
        except BlockedError as error:
            raise OpenAIBlockedError(str(error), error.outcome) from error

    async def _regenerate(self, exchange: Exchange, request: Any, options: Any, index: int, draft: Draft) -> Generated:
        status, content = await self._read(self._another(request, exchange, draft, index), options)
        if self._refused(request, exchange, draft, status):
            status, content = await self._read(self._another(request, exchange, draft, index), options)
        return exchange.generated(status, content)

    async def _history(self, exchange: Exchange, request: Any, options: Any, reply: Json) -> History:
        """What was said before, where the request only names it."""
        if exchange.asked.follows is None:
            return exchange.history
        fetching, deadline = self._fetching(exchange, reply), Deadline(FETCHING)
        try:
            fetch = next(fetching)
            while True:
                fetch = fetching.send(await self._fetched(request, options, fetch, deadline))
        except StopIteration as end:
            history: History = end.value
            return history

    async def _fetched(self, request: Any, options: Any, fetch: Fetch, deadline: Deadline) -> Json | None:
        left = deadline.left()
        try:
            async with asyncio.timeout(left):
                status, content = await self._read(self._fetch(request, fetch, left), options)
        except Exception as error:  # the answer at hand must not be lost to a lookup
            logger.info("could not fetch %s: %s", "/".join(fetch.path), error)
            return None
        return parse(content) if status == 200 else None

    async def _read(self, request: Any, options: Any) -> tuple[int, bytes]:
        """The status and the body of the response to a request of the guard's own."""
        response = await self.inner.send(request, stream=True, **options)
        try:
            return response.status_code, await response.aread()
        finally:
            await response.aclose()


async def _each(one: Callable[[Turn], Awaitable[Outcome]], turns: Sequence[Turn]) -> list[Outcome]:
    if len(turns) == 1:
        return [await one(turns[0])]
    tasks = [asyncio.ensure_future(one(turn)) for turn in turns]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        # One that raises must not leave the others asking and paying.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
