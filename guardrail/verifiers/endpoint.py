"""One HTTP endpoint that JSON is posted to: pooled connections, one deadline a call, errors of our own."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from guardrail.errors import ConfigError, VerifierError
from guardrail.http import library
from guardrail.verdict import Cause
from guardrail.verifiers.deadlines import Deadline, bind
from guardrail.verifiers.status import cause_of, retry_after

__all__ = ["Endpoint", "Reply"]

_LARGEST = 4 * 1024 * 1024
"""Bytes of a reply: a verdict is short, and nobody gets to fill the memory."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def error(self) -> VerifierError:
        """What an answer with a status other than 200 amounts to."""
        wait = retry_after(self.headers, time.time())
        return VerifierError(cause_of(self.status), f"HTTP status {self.status}", retry_after=wait)


class Endpoint:
    """Posts to ``url`` with ``headers`` and, as a bearer token, ``key``.

    Shared by threads, tasks and event loops: one pool of connections a process, and one an event loop. A
    forked process opens its own. ``transport``: an object of the HTTP library that carries the requests
    instead of its own. Raises `ConfigError` when the URL or a header cannot be sent.
    """

    def __init__(self, url: str, *, key: str | None, headers: Mapping[str, str], transport: Any = None) -> None:
        self.url, self._transport = _checked(url), transport
        self._headers = {name.lower(): _sendable(name, value) for name, value in headers.items()}
        # A verdict is short: nothing is gained by compressing it.
        self._headers |= {"content-type": "application/json", "accept-encoding": "identity"}
        if key:
            self._headers["authorization"] = f"Bearer {_sendable('authorization', key)}"
        self._clients: dict[int, Any] = {}
        self._async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    def post(self, body: bytes, deadline: Deadline) -> Reply:
        """The reply to ``body``; raises `VerifierError` ``connect``, ``timeout`` or ``unparsable``."""
        with (
            _translated(deadline),
            deadline.held(),
            self._client().stream("POST", self.url, **self._options(body, deadline)) as response,
        ):
            content = bytearray()
            for piece in response.iter_bytes():
                _add(content, piece, deadline)
            return _reply(response, content)

    async def apost(self, body: bytes, deadline: Deadline) -> Reply:
        """The same on the event loop; cancelling closes the connection."""
        with _translated(deadline):
            async with (
                asyncio.timeout(deadline.left()),
                self._async_client().stream("POST", self.url, **self._options(body, deadline)) as response,
            ):
                content = bytearray()
                async for piece in response.aiter_bytes():
                    _add(content, piece, deadline)
                return _reply(response, content)

    def post_all(self, bodies: Sequence[bytes], deadline: Deadline) -> list[Reply]:
        """The replies to ``bodies``, posted at once, in order; the first failure is raised."""
        if len(bodies) == 1:
            return [self.post(bodies[0], deadline)]
        with ThreadPoolExecutor(len(bodies), thread_name_prefix="guardrail-post") as threads:
            return list(threads.map(lambda body: self.post(body, deadline), bodies))

    async def apost_all(self, bodies: Sequence[bytes], deadline: Deadline) -> list[Reply]:
        """The same on the event loop; a failure, or cancelling, closes the other connections."""
        if len(bodies) == 1:
            return [await self.apost(bodies[0], deadline)]
        try:
            async with asyncio.TaskGroup() as group:
                posts = [group.create_task(self.apost(body, deadline)) for body in bodies]
        except* VerifierError as failures:
            failure = _first(failures)
        else:
            return [post.result() for post in posts]
        raise failure

    def _options(self, body: bytes, deadline: Deadline) -> dict[str, Any]:
        return {
            "content": body,
            "headers": self._headers,
            "timeout": deadline.left(),
            "follow_redirects": False,
        }

    def _client(self) -> Any:
        # By process: a fork must not share its parent's connections. Without a lock, which a fork could
        # inherit locked.
        process = os.getpid()
        client = self._clients.get(process)
        if client is None:
            made = library().Client(transport=self._transport)
            bind(made)
            client = self._clients.setdefault(process, made)
            if client is not made:
                made.close()
        return client

    def _async_client(self) -> Any:
        loop = asyncio.get_running_loop()
        client = self._async_clients.get(loop)
        if client is None:
            client = self._async_clients[loop] = library().AsyncClient(transport=self._transport)
        return client

    def close(self) -> None:
        """Close the connections of threads. Another call opens new ones."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()

    async def aclose(self) -> None:
        """Close those, and the connections of the running event loop."""
        self.close()
        client = self._async_clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()


def _first(failures: BaseExceptionGroup[VerifierError]) -> VerifierError:
    inner = failures.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _add(content: bytearray, piece: bytes, deadline: Deadline) -> None:
    deadline.left()
    content += piece
    if len(content) > _LARGEST:
        raise VerifierError(Cause.UNPARSABLE, f"the reply is longer than {_LARGEST} bytes")


def _reply(response: Any, content: bytearray) -> Reply:
    return Reply(response.status_code, dict(response.headers), bytes(content))


@contextmanager
def _translated(deadline: Deadline) -> Iterator[None]:
    """The HTTP library's errors as ours: an SDK above would take them for its own and repeat a paid call.

    They are named by type alone, without what they say, which may hold a header.
    """
    hx = library()
    try:
        yield
    except (TimeoutError, hx.TimeoutException):
        raise deadline.late() from None
    except hx.DecodingError:
        raise VerifierError(Cause.UNPARSABLE, "the reply is not encoded as it says") from None
    except (hx.HTTPError, hx.InvalidURL, OSError) as error:
        raise VerifierError(Cause.CONNECT, f"cannot reach the endpoint: {type(error).__name__}") from None
    except RuntimeError as error:
        # What the library says when another thread closes the client under a call.
        if "closed" not in str(error):
            raise
        raise VerifierError(Cause.CONNECT, "the verifier was closed during the call") from error


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in url or not url.isprintable():
        raise ConfigError(f"base_url must be a URL such as https://api.example.com/v1, not {url!r}")
    return url


def _sendable(name: str, value: str) -> str:
    # The value stays out of the message: it may be a secret.
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise ConfigError(f"the value of the header {name!r} must be printable ASCII without space around it")
    return value
