"""What carries a call to an endpoint on an event loop: a connection of its own, or a transport of the HTTP library."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import aclosing
from typing import Any, Protocol

from guardrail.http import core, library
from guardrail.verifiers.deadlines import Deadline
from guardrail.verifiers.reply import Reply, add

__all__ = ["Carried", "Carrier", "Direct", "Target"]

_KEPT = 5.0
"""Seconds for which an idle connection is used again, as the library has it: servers close theirs after about that."""


class Carrier(Protocol):
    """Carries one call at a time."""

    async def post(self, body: bytes, deadline: Deadline) -> Reply:
        """The reply to ``body``; what is wrong is raised as the HTTP library's own error."""

    async def aclose(self) -> None:
        """Close its connection."""


class Carried:
    """Carries calls to ``url`` over a ``transport`` of the HTTP library: one with a proxy, or the caller's own."""

    def __init__(self, transport: Any, url: Any, headers: Any) -> None:
        self._transport, self._url, self._headers = transport, url, headers

    async def post(self, body: bytes, deadline: Deadline) -> Reply:
        """`Carrier.post`."""
        # The library's own clocks, one an operation, would only repeat the deadline's.
        clocks = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"))}
        request = library().Request("POST", self._url, headers=self._headers, content=body, extensions=clocks)
        async with aclosing(await self._transport.handle_async_request(request)) as response:
            content = bytearray()
            async for piece in _pieces(response):
                add(content, piece, deadline)
            return Reply(response.status_code, response.headers, bytes(content))

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


def _pieces(response: Any) -> AsyncIterable[bytes]:
    # Almost no judge encodes what it was asked not to; decoding takes an object a piece.
    return response.aiter_bytes() if "content-encoding" in response.headers else response.stream  # type: ignore[no-any-return]


class Target:
    """Where `Direct` posts to, as the core of the HTTP library has it: made once for all connections."""

    def __init__(self, url: Any, headers: Any) -> None:
        asked = library().Request("POST", url, headers=headers)
        port = asked.url.port or {"http": 80, "https": 443}[asked.url.scheme]
        scheme, host = asked.url.raw_scheme, asked.url.raw_host
        self._url = core().URL(scheme=scheme, host=host, port=port, target=asked.url.raw_path)
        self._headers = [(name, value) for name, value in asked.headers.raw if name.lower() != b"content-length"]
        self._origin = core().Origin(scheme, host, port)
        # Making it reads certificates, which takes longer than a call.
        self._tls = library().create_ssl_context() if scheme == b"https" else None

    def connection(self) -> Any:
        """A connection that is not open yet."""
        return core().AsyncHTTPConnection(self._origin, ssl_context=self._tls, keepalive_expiry=_KEPT)

    def request(self, body: bytes) -> Any:
        """What is sent."""
        headers = [*self._headers, (b"Content-Length", b"%d" % len(body))]
        return core().Request(b"POST", self._url, headers=headers, content=body)


class Direct:
    """Carries calls over one connection of the core of the HTTP library, opened anew where it has been closed.

    The layers above, a pool of one and objects for its requests and responses, were two fifths of a call.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: Any = None

    async def post(self, body: bytes, deadline: Deadline) -> Reply:
        """`Carrier.post`."""
        connection = await self._open()
        async with aclosing(await connection.handle_async_request(self._target.request(body))) as response:
            content = bytearray()
            async for piece in response.stream:
                add(content, piece, deadline)
        return _read(response, content, deadline)

    async def _open(self) -> Any:
        if self._connection is None or not self._connection.is_available() or self._connection.has_expired():
            await self.aclose()
            self._connection = self._target.connection()
        return self._connection

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()


def _read(response: Any, content: bytearray, deadline: Deadline) -> Reply:
    """The reply that the core's ``response`` with so much ``content`` is, decoded where it is encoded unasked."""
    headers = library().Headers(response.headers)
    if "content-encoding" in headers:
        encoded = library().Response(response.status, headers=headers, stream=library().ByteStream(bytes(content)))
        content = bytearray()
        for piece in encoded.iter_bytes():
            add(content, piece, deadline)
    return Reply(response.status, headers, bytes(content))
