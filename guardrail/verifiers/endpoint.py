"""One HTTP endpoint that JSON is posted to: pooled connections, one deadline a call, errors of our own."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from guardrail import __version__
from guardrail.errors import ConfigError, VerifierError
from guardrail.http import core, library
from guardrail.verdict import Cause
from guardrail.verifiers.carriers import AsyncCarried, AsyncCarrier, AsyncDirect, Carried, Carrier, Direct, Target
from guardrail.verifiers.connections import Connections, Shared, proxy_for
from guardrail.verifiers.deadlines import Deadline
from guardrail.verifiers.reply import Reply

__all__ = ["Endpoint", "address"]


class Endpoint:
    """Posts to ``url`` with ``headers`` and, as a bearer token, ``key``.

    Shared by threads, tasks and event loops: connections are kept by process, and by event loop. A forked
    process opens its own. ``transport``: an object of the HTTP library that carries the requests instead of its
    own, all of them; it is closed with this. Raises `ConfigError` when the URL or a header cannot be sent.
    """

    def __init__(self, url: str, *, key: str | None, headers: Mapping[str, str], transport: Any = None) -> None:
        self.url, self._transport = _checked(url), transport
        self._headers = {"accept": "application/json", "user-agent": f"guardrail/{__version__}"}
        self._headers |= {name.lower(): _sendable(name, value) for name, value in headers.items()}
        # A verdict is short: nothing is gained by compressing it.
        self._headers |= {"content-type": "application/json", "accept-encoding": "identity"}
        if key:
            self._headers["authorization"] = f"Bearer {_sendable('authorization', key)}"
        self._connections: dict[int, Connections | Shared] = {}
        self._async_connections: dict[asyncio.AbstractEventLoop, Connections | Shared] = {}

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    def post(self, body: bytes, deadline: Deadline) -> Reply:
        """The reply to ``body``; raises `VerifierError` ``connect``, ``timeout`` or ``unparsable``."""
        with _translated(deadline), deadline.held():
            kept = self._kept()
            carrier: Carrier = kept.take()
            try:
                return carrier.post(body, deadline)
            finally:
                for unused in kept.give(carrier):
                    unused.close()

    async def apost(self, body: bytes, deadline: Deadline) -> Reply:
        """The same on the event loop; cancelling closes the connection."""
        with _translated(deadline):
            kept = self._akept()
            carrier: AsyncCarrier = kept.take()
            try:
                async with asyncio.timeout(deadline.left()):
                    return await carrier.post(body, deadline)
            finally:
                for unused in kept.give(carrier):
                    await unused.aclose()

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

    @functools.cached_property
    def _address(self) -> tuple[Any, Any]:
        """The URL and the headers, as the library has them: reading them is a tenth of a call."""
        return library().URL(self.url), library().Headers(self._headers)

    @functools.cached_property
    def _options(self) -> dict[str, Any]:
        # One for all transports with a proxy: making it reads certificates, which takes longer than a call.
        return {"verify": library().create_ssl_context(), "proxy": self._proxy}

    @functools.cached_property
    def _proxy(self) -> str | None:
        return proxy_for(self.url)

    def _new(self) -> Carrier:
        if self._proxy is None:
            return Direct(self._target)
        return Carried(_made(library().HTTPTransport, self._options), *self._address)

    def _anew(self) -> AsyncCarrier:
        if self._proxy is None:
            return AsyncDirect(self._target)
        return AsyncCarried(_made(library().AsyncHTTPTransport, self._options), *self._address)

    @functools.cached_property
    def _target(self) -> Target:
        return Target(*self._address)

    def _kept(self) -> Connections | Shared:
        # By process: a fork must not share its parent's connections. Without a lock, which a fork could
        # inherit locked.
        kept = self._connections.get(os.getpid())
        if kept is None:
            kept = self._connections.setdefault(os.getpid(), self._carriers(self._new, Carried))
        return kept

    def _carriers(self, make: Callable[[], Any], carried: type[Carried | AsyncCarried]) -> Connections | Shared:
        own = self._transport
        return Connections(make) if own is None else Shared(carried(own, *self._address))

    def _akept(self) -> Connections | Shared:
        loop = asyncio.get_running_loop()
        kept = self._async_connections.get(loop)
        if kept is None:
            self._forget_closed_loops()
            kept = self._async_connections[loop] = self._carriers(self._anew, AsyncCarried)
        return kept

    def _forget_closed_loops(self) -> None:
        # A connection refers to its loop, so that weak references would keep both; the copy is for other threads.
        for loop in list(self._async_connections):
            if loop.is_closed():
                self._async_connections.pop(loop, None)

    def close(self) -> None:
        """Close the connections of threads; one that is in use, once it is not. Another call opens new ones."""
        kept = self._connections.pop(os.getpid(), None)
        for carrier in kept.close() if kept else ():
            carrier.close()

    async def aclose(self) -> None:
        """Close those, and the connections of the running event loop."""
        self.close()
        kept = self._async_connections.pop(asyncio.get_running_loop(), None)
        for carrier in kept.close() if kept else ():
            await carrier.aclose()


def _made(kind: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    try:
        return kind(**options)
    except (ImportError, ValueError, library().InvalidURL):
        # Without what the library says, which may hold the proxy's password.
        raise VerifierError(Cause.CONNECT, _NO_PROXY) from None


_NO_PROXY = (
    "the proxy that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) cannot be used: it must be an http or "
    "https URL, or socks5 with the package socksio installed; NO_PROXY names hosts that need none"
)


def _first(failures: BaseExceptionGroup[VerifierError]) -> VerifierError:
    inner = failures.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


@contextmanager
def _translated(deadline: Deadline) -> Iterator[None]:
    """The HTTP library's errors as ours: an SDK above would take them for its own and repeat a paid call.

    They are named by type alone, without what they say, which may hold a header.
    """
    hx, under = library(), core()
    try:
        yield
    except (TimeoutError, hx.TimeoutException, under.TimeoutException):
        raise deadline.late() from None
    except hx.DecodingError:
        raise VerifierError(Cause.UNPARSABLE, "the reply is not encoded as it says") from None
    except (hx.HTTPError, hx.InvalidURL, OSError, UnicodeError, under.NetworkError, under.ProtocolError) as error:
        # UnicodeError: a host that no name can be, as the standard library finds when it looks for it.
        raise VerifierError(Cause.CONNECT, f"cannot reach the endpoint: {type(error).__name__}") from None


def address(base_url: str, path: str) -> str:
    """Where ``path`` is, which begins with a slash, below ``base_url``, whose query stays behind it.

    A query is Azure's ``api-version``, say. Raises `ConfigError` where the URL cannot be read.
    """
    try:
        parts = urlsplit(base_url)
        parts.port  # noqa: B018  reading it raises
    except ValueError:
        raise ConfigError(_NO_URL.format(base_url)) from None
    return parts._replace(path=parts.path.rstrip("/") + path).geturl()


_NO_URL = "base_url must be a URL such as https://api.example.com/v1, not {!r}"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError(_NO_URL.format(url)) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in url or not url.isprintable():
        raise ConfigError(_NO_URL.format(url))
    return url


def _sendable(name: str, value: str) -> str:
    # The value stays out of the message: it may be a secret.
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise ConfigError(f"the value of the header {name!r} must be printable ASCII without space around it")
    return value
