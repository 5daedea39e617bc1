"""What carries a call to an endpoint: a connection of its own, or a transport of the HTTP library.

Each carries one call at a time, but for a caller's own transport, and raises the errors of the HTTP library or of its
core.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from contextlib import aclosing, closing
from typing import Any, Protocol

from guardrail.http import core, library
from guardrail.verifiers.deadlines import Deadline, bind, bound_backend
from guardrail.verifiers.reply import Reply, add

__all__ = ["AsyncCarried", "AsyncCarrier", "AsyncDirect", "Carried", "Carrier", "Direct", "Target"]

_KEPT = 5.0
"""Seconds for which an idle connection is used again, as the library has it: servers close theirs after about that."""
_FRAMING = (b"content-length", b"transfer-encoding")
"""Headers that say how long a body is: both at once, servers refuse."""
_SLICE = 16 * 1024
"""Bytes of an encoded reply that are decoded at once: a small reply can decode to a thousand times as much."""


class Carrier(Protocol):
    """For threads; `Deadline.held` is the caller's to call."""

    def post(self, body: bytes, deadline: Deadline) -> Reply:
        """The reply to ``body``."""

    def close(self) -> None:
        """Close what it opened."""


class AsyncCarrier(Protocol):
    """For an event loop; bounding its time is the caller's."""

    async def post(self, body: bytes, deadline: Deadline) -> Reply:
        """The reply to ``body``."""

    async def aclose(self) -> None:
        """Close what it opened."""


# over a transport of the HTTP library


class Carried:
    """Carries calls to ``url`` over a ``transport`` of the HTTP library: one with a proxy, or the caller's own."""

    def __init__(self, transport: Any, url: Any, headers: Any) -> None:
        bind(transport)
        self._transport, self._url, self._headers = transport, url, headers

    def post(self, body: bytes, deadline: Deadline) -> Reply:
        """`Carrier.post`."""
        request = _request(self._url, self._headers, body, deadline.left())
        with closing(self._transport.handle_request(request)) as response:
            content = bytearray()
            for piece in _pieces(response):
                add(content, piece, deadline)
            return Reply(response.status_code, response.headers, bytes(content))

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


class AsyncCarried:
    """`Carried` for an event loop."""

    def __init__(self, transport: Any, url: Any, headers: Any) -> None:
        self._transport, self._url, self._headers = transport, url, headers

    async def post(self, body: bytes, deadline: Deadline) -> Reply:
        """`AsyncCarrier.post`."""
        request = _request(self._url, self._headers, body, None)
        async with aclosing(await self._transport.handle_async_request(request)) as response:
            content = bytearray()
            async for piece in _apieces(response):
                add(content, piece, deadline)
            return Reply(response.status_code, response.headers, bytes(content))

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


def _request(url: Any, headers: Any, body: bytes, seconds: float | None) -> Any:
    return library().Request("POST", url, headers=headers, content=body, extensions=_clocks(seconds))


def _clocks(seconds: float | None) -> dict[str, Any]:
    """What each operation may take; on an event loop there is no such bound: it would only repeat the deadline."""
    return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)}


def _pieces(response: Any) -> Iterable[bytes]:
    # Almost no judge encodes what it was asked not to; decoding takes an object a piece.
    return response.iter_bytes() if "content-encoding" in response.headers else response.stream  # type: ignore[no-any-return]


def _apieces(response: Any) -> AsyncIterable[bytes]:
    return response.aiter_bytes() if "content-encoding" in response.headers else response.stream  # type: ignore[no-any-return]


# over a connection


class Target:
    """Where `Direct` posts to, as the core of the HTTP library has it: made once for all connections."""

    def __init__(self, url: Any, headers: Any) -> None:
        asked = library().Request("POST", url, headers=headers)
        scheme, host = asked.url.raw_scheme, asked.url.raw_host
        port = asked.url.port or {b"http": 80, b"https": 443}[scheme]
        self._url = core().URL(scheme=scheme, host=host, port=port, target=asked.url.raw_path)
        self._headers = [(name, value) for name, value in asked.headers.raw if name.lower() not in _FRAMING]
        self._origin = core().Origin(scheme, host, port)
        # Making it reads certificates, which takes longer than a call.
        self._options = {
            "ssl_context": library().create_ssl_context() if scheme == b"https" else None,
            "keepalive_expiry": _KEPT,
        }

    def connection(self) -> Any:
        """A connection for threads that is not open yet; it keeps the deadline that is `Deadline.held`."""
        return core().HTTPConnection(self._origin, network_backend=bound_backend(), **self._options)

    def aconnection(self) -> Any:
        """The same for an event loop, which keeps no deadline."""
        return core().AsyncHTTPConnection(self._origin, **self._options)

    def request(self, body: bytes, seconds: float | None) -> Any:
        """What is sent; ``seconds``: what each operation may take."""
        headers = [*self._headers, (b"Content-Length", b"%d" % len(body))]
        return core().Request(b"POST", self._url, headers=headers, content=body, extensions=_clocks(seconds))


class Direct:
    """Carries calls over one connection of the core of the HTTP library, opened anew where it has been closed.

    The layers above, a pool of one and objects for its requests and responses, were half of a call's CPU.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: Any = None

    def post(self, body: bytes, deadline: Deadline) -> Reply:
        """`Carrier.post`."""
        if _is_spent(self._connection):
            self.close()
            self._connection = self._target.connection()
        asked = self._target.request(body, deadline.left())
        with closing(self._connection.handle_request(asked)) as response:
            content = bytearray()
            for piece in response.stream:
                add(content, piece, deadline)
        return _read(response, content, deadline)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class AsyncDirect:
    """`Direct` for an event loop."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: Any = None

    async def post(self, body: bytes, deadline: Deadline) -> Reply:
        """`AsyncCarrier.post`."""
        if _is_spent(self._connection):
            await self.aclose()
            self._connection = self._target.aconnection()
        async with aclosing(await self._connection.handle_async_request(self._target.request(body, None))) as response:
            content = bytearray()
            async for piece in response.stream:
                add(content, piece, deadline)
        return _read(response, content, deadline)

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()


def _is_spent(connection: Any) -> bool:
    return connection is None or not connection.is_available() or connection.has_expired()


def _read(response: Any, body: bytearray, deadline: Deadline) -> Reply:
    """The reply that the core's ``response`` with such a ``body`` is, decoded where it is encoded unasked."""
    headers, content = library().Headers(response.headers), body
    if "content-encoding" in headers:
        slices = (bytes(body[start : start + _SLICE]) for start in range(0, len(body), _SLICE))
        content = bytearray()
        for piece in library().Response(response.status, headers=headers, content=slices).iter_bytes():
            add(content, piece, deadline)
    return Reply(response.status, headers, bytes(content))
