"""HTTP clients that guard: they delegate to the user's own client and look at what comes back.

One pair of classes for each HTTP library that the SDK may be using, made when first needed: openai 3 runs on
httpx2, openai 2 on httpx, and openai 3 still takes a client of httpx.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import ModuleType
from typing import Any

from guardrail.conversation import Turn
from guardrail.errors import BlockedError, ConfigError
from guardrail.flow import Draft, Generated
from guardrail.guard import Guard
from guardrail.logs import once
from guardrail.outcome import Outcome, join
from guardrail.wire.exchange import Json
from guardrail_openai.background import Background
from guardrail_openai.errors import OpenAIBlockedError
from guardrail_openai.exchange import (
    Deadline,
    Exchange,
    bounded_extensions,
    open_exchange,
    parse,
    reopened,
    request_headers,
    response_headers,
)
from guardrail_openai.stream import apump, pump
from guardrail_openai.surfaces import retrieved, unguarded

__all__ = ["GuardedSending", "guarded_client"]


def guarded_client(client: Any, guard: Guard, *, owns_guard: bool) -> Any:
    """An HTTP client in front of the one that ``client`` sends through, guarding what passes.

    ``client`` is kept alive with it: the SDK closes its HTTP client when it is collected.
    """
    inner, owner = client._client, client
    if isinstance(inner, GuardedSending):
        inner, owner = inner.inner, inner.owner
    hx, is_async = _http_module(inner)
    kind = _kinds(hx)[1 if is_async else 0]
    return kind(inner, guard, hx, owner=owner, owns_guard=owns_guard)


def _http_module(inner: object) -> tuple[ModuleType, bool]:
    """The HTTP library that ``inner`` belongs to, and whether it is asynchronous."""
    # The SDK's own subclasses come first and live in the module `openai`.
    for kind in type(inner).__mro__:
        if kind.__name__ in ("Client", "AsyncClient"):
            return sys.modules[kind.__module__.partition(".")[0]], kind.__name__ == "AsyncClient"
    raise ConfigError(
        f"the OpenAI client sends through a {type(inner).__module__}.{type(inner).__qualname__}, which is no client of "
        "httpx2 or httpx; give it http_client=httpx2.Client() (openai 3) or httpx.Client() (openai 2)"
    )


@functools.cache
def _kinds(hx: Any) -> tuple[type, type]:
    """The two guarded classes on top of the library ``hx``."""
    return (
        type("GuardedClient", (SyncSending, hx.Client), {}),
        type("GuardedAsyncClient", (AsyncSending, hx.AsyncClient), {}),
    )


@functools.cache
def _streams(hx: Any) -> tuple[type, type]:
    return (
        type("GuardedByteStream", (_Stream, hx.SyncByteStream), {}),
        type("GuardedAsyncByteStream", (_AsyncStream, hx.AsyncByteStream), {}),
    )


class GuardedSending:
    """What both clients share. It opens no connection of its own: everything goes through ``inner``."""

    def __init__(self, inner: Any, guard: Guard, hx: Any, *, owner: object, owns_guard: bool) -> None:
        # A transport is given so that none is built: building one loads certificates.
        options: dict[str, Any] = {"transport": inner._transport, "timeout": inner.timeout, "trust_env": False}
        super().__init__(**options)
        self.inner, self.guard, self.owner, self._hx = inner, guard, owner, hx
        self._owns_guard = owns_guard
        self._background = Background()

    def build_request(self, *args: Any, **kwargs: Any) -> Any:
        """As the user's own client builds it, with its headers, cookies and base URL."""
        return self.inner.build_request(*args, **kwargs)

    @property
    def is_closed(self) -> bool:
        """Whether the user's own client is closed."""
        return bool(self.inner.is_closed)

    def _open(self, request: Any) -> Exchange | None:
        method, path = request.method, request.url.path
        if (name := unguarded(method, path)) is not None:
            once(f"openai:{name}", f"guardrail does not guard {name} yet: its answers pass unverified")
        if (id := retrieved(method, path)) is not None:
            return reopened(self._background.find(id), stream=request.url.params.get("stream") == "true")
        return open_exchange(method, path, request.headers, request.read)

    def _begun(self, exchange: Exchange, reply: Json | None) -> None:
        """Remember what was asked for by a response that is still in the making."""
        if (id := _name(reply)) is not None and (reply or {}).get("object") == "response":
            self._background.keep(id, exchange)

    def _outgoing(self, request: Any, exchange: Exchange) -> Any:
        """The request to send: the SDK's own, or the same without the field that is for the guard."""
        if exchange.content is None:
            return request
        return self._request(request, exchange.content, request.extensions, again=False)

    def _another(self, request: Any, exchange: Exchange, draft: Draft) -> Any:
        extensions = bounded_extensions(request.extensions, draft.remaining)
        return self._request(request, exchange.again(draft), extensions, again=True)

    def _request(self, request: Any, content: bytes, extensions: Any, *, again: bool) -> Any:
        headers = request_headers(request.headers.multi_items(), again=again)
        return self._hx.Request(request.method, request.url, headers=headers, content=content, extensions=extensions)

    def _delivered(self, response: Any, exchange: Exchange, reply: Json, outcomes: Sequence[Outcome]) -> Any:
        """The response to hand on, with everything of the provider's that still holds."""
        outcome = join(outcomes)
        content = exchange.delivered(response.content, reply, outcomes)
        delivered = self._hx.Response(
            response.status_code,
            headers=response_headers(response.headers.multi_items(), outcome),
            content=content,
            request=response.request,
            extensions={**response.extensions, "guardrail": outcome.id},
            history=response.history,
        )
        delivered.elapsed = response.elapsed
        self.guard.remember(outcome, _name(reply), _name(parse(content)))
        return delivered

    def _streaming(self, response: Any, stream: Any, key: str) -> Any:
        return self._hx.Response(
            response.status_code,
            headers=response_headers(response.headers.multi_items(), None),
            stream=stream,
            request=response.request,
            extensions={**response.extensions, "guardrail": key},
            history=response.history,
        )

    def _streamed(self, reply: Json, outcomes: Sequence[Outcome], exchange: Exchange, key: str) -> None:
        sources = (_name(end.source) for end in exchange.settled(outcomes) if end.source)
        self.guard.remember(join(outcomes), _name(reply), key, *sources)


class SyncSending(GuardedSending):
    """Guards a synchronous client."""

    def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Send ``request``; what comes back is guarded where it is an answer."""
        exchange = self._open(request)
        if exchange is None:
            return self.inner.send(request, stream=stream, **options)
        started = time.monotonic()
        response = self.inner.send(self._outgoing(request, exchange), stream=stream, **options)
        settle = functools.partial(self._settle, exchange, request, options, started)
        if exchange.asked.stream and _is_stream(response):
            return self._stream(response, exchange, settle)
        if response.status_code != 200:
            return response
        response.read()
        reply = parse(response.content)
        if reply is None or not exchange.codec.read_turns(reply):
            self._begun(exchange, reply)
            return response
        return self._delivered(response, exchange, reply, settle(reply))

    def close(self) -> None:
        """Close the user's own client, and the guard if nobody else has it."""
        self.inner.close()
        if self._owns_guard:
            self.guard.close()

    def _stream(self, response: Any, exchange: Exchange, settle: Any) -> Any:
        key = f"stream-{id(exchange):x}-{time.monotonic_ns():x}"

        def settle_stream(reply: Json) -> Sequence[Outcome]:
            outcomes: Sequence[Outcome] = settle(reply)
            self._streamed(reply, outcomes, exchange, key)
            return outcomes

        source = pump(response.iter_bytes(), exchange, settle_stream)
        return self._streaming(response, _streams(self._hx)[0](source, response), key)

    def _settle(self, exchange: Exchange, request: Any, options: Any, started: float, reply: Json) -> list[Outcome]:
        """One guarded turn for each choice; several at a time."""
        elapsed = time.monotonic() - started
        turns = exchange.codec.read_turns(reply)
        one = functools.partial(self._guard, exchange, request, options, elapsed)
        if len(turns) == 1:
            return [one(turns[0])]
        with ThreadPoolExecutor(len(turns), thread_name_prefix="guardrail-choice") as pool:
            return [future.result() for future in [pool.submit(copy_context().run, one, turn) for turn in turns]]

    def _guard(self, exchange: Exchange, request: Any, options: Any, elapsed: float, turn: Turn) -> Outcome:
        generate = functools.partial(self._regenerate, exchange, request, options)
        try:
            return self.guard.run(
                generate,
                exchange.asked.conversation,
                first=exchange.first(turn, elapsed),
                evidence=exchange.evidence,
                info=exchange.info,
            )
        except BlockedError as error:
            raise OpenAIBlockedError(str(error), error.outcome) from error

    def _regenerate(self, exchange: Exchange, request: Any, options: Any, draft: Draft) -> Generated:
        deadline = Deadline(draft.remaining)
        response = self.inner.send(self._another(request, exchange, draft), stream=True, **options)
        pieces = []
        try:
            for piece in response.iter_bytes():
                deadline.check()
                pieces.append(piece)
        finally:
            response.close()
        return exchange.generated(response.status_code, b"".join(pieces))


class AsyncSending(GuardedSending):
    """Guards an asynchronous client."""

    async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Send ``request``; what comes back is guarded where it is an answer."""
        exchange = self._open(request)
        if exchange is None:
            return await self.inner.send(request, stream=stream, **options)
        started = time.monotonic()
        response = await self.inner.send(self._outgoing(request, exchange), stream=stream, **options)
        settle = functools.partial(self._settle, exchange, request, options, started)
        if exchange.asked.stream and _is_stream(response):
            return self._stream(response, exchange, settle)
        if response.status_code != 200:
            return response
        await response.aread()
        reply = parse(response.content)
        if reply is None or not exchange.codec.read_turns(reply):
            self._begun(exchange, reply)
            return response
        return self._delivered(response, exchange, reply, await settle(reply))

    async def aclose(self) -> None:
        """Close the user's own client, and the guard if nobody else has it."""
        await self.inner.aclose()
        if self._owns_guard:
            await self.guard.aclose()

    def _stream(self, response: Any, exchange: Exchange, settle: Any) -> Any:
        key = f"stream-{id(exchange):x}-{time.monotonic_ns():x}"

        async def settle_stream(reply: Json) -> Sequence[Outcome]:
            outcomes: Sequence[Outcome] = await settle(reply)
            self._streamed(reply, outcomes, exchange, key)
            return outcomes

        source = apump(response.aiter_bytes(), exchange, settle_stream)
        return self._streaming(response, _streams(self._hx)[1](source, response), key)

    async def _settle(
        self, exchange: Exchange, request: Any, options: Any, started: float, reply: Json
    ) -> list[Outcome]:
        """One guarded turn for each choice, at the same time."""
        elapsed = time.monotonic() - started
        turns = exchange.codec.read_turns(reply)
        one = functools.partial(self._guard, exchange, request, options, elapsed)
        if len(turns) == 1:
            return [await one(turns[0])]
        return list(await asyncio.gather(*(one(turn) for turn in turns)))

    async def _guard(self, exchange: Exchange, request: Any, options: Any, elapsed: float, turn: Turn) -> Outcome:
        generate = functools.partial(self._regenerate, exchange, request, options)
        try:
            return await self.guard.arun(
                generate,
                exchange.asked.conversation,
                first=exchange.first(turn, elapsed),
                evidence=exchange.evidence,
                info=exchange.info,
            )
        except BlockedError as error:
            raise OpenAIBlockedError(str(error), error.outcome) from error

    async def _regenerate(self, exchange: Exchange, request: Any, options: Any, draft: Draft) -> Generated:
        response = await self.inner.send(self._another(request, exchange, draft), stream=True, **options)
        try:
            content = await response.aread()
        finally:
            await response.aclose()
        return exchange.generated(response.status_code, content)


class _Stream:
    """The body of a guarded streaming response."""

    def __init__(self, source: Iterator[bytes], upstream: Any) -> None:
        self._source, self._upstream = source, upstream

    def __iter__(self) -> Iterator[bytes]:
        return self._source

    def close(self) -> None:
        """End the upstream too, read or not."""
        self._upstream.close()


class _AsyncStream:
    """The same for an event loop."""

    def __init__(self, source: AsyncIterator[bytes], upstream: Any) -> None:
        self._source, self._upstream = source, upstream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._source

    async def aclose(self) -> None:
        """End the upstream too, read or not."""
        await self._upstream.aclose()


def _is_stream(response: Any) -> bool:
    return response.status_code == 200 and "text/event-stream" in response.headers.get("content-type", "")


def _name(reply: Json | None) -> str | None:
    name = (reply or {}).get("id")
    return name if isinstance(name, str) else None
