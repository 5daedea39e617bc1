"""A deadline for synchronous HTTP that holds over a whole call, however slowly the bytes come.

The HTTP library bounds each single read, so that a server which sends a byte now and then holds a call for
ever. Its connections are therefore given streams that look at the call's deadline before each operation.
Where the library does not let them in, its own bounds, and a look at the clock between pieces of the body,
remain.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from guardrail.errors import VerifierError
from guardrail.http import core
from guardrail.verdict import Cause

__all__ = ["Deadline", "bind", "bound_backend"]

_current: ContextVar[Deadline | None] = ContextVar("guardrail_http_deadline", default=None)


class Deadline:
    """When one call must have ended."""

    def __init__(self, seconds: float) -> None:
        self.started, self.seconds = time.monotonic(), seconds

    def spent(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self.started

    def left(self) -> float:
        """Seconds that are left; raises `VerifierError` with ``timeout`` when there are none."""
        left = self.seconds - self.spent()
        if left <= 0:
            raise self.late()
        return left

    def late(self) -> VerifierError:
        """The error for a call that took too long."""
        return VerifierError(Cause.TIMEOUT, f"no reply within {max(0.0, self.seconds):.3g} s")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it, connections of `bound_backend`, and of transports that went through `bind`, keep this one."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


def bind(transport: Any) -> None:
    """Have the connections that a synchronous ``transport`` will open keep the deadline that is `Deadline.held`."""
    pool = getattr(transport, "_pool", None)
    backend = getattr(pool, "_network_backend", None)
    if pool is not None and backend is not None and not isinstance(backend, _Backend):
        pool._network_backend = _Backend(backend)


def bound_backend() -> Any:
    """What opens connections of the HTTP library's core that keep the deadline that is `Deadline.held`."""
    return _Backend(core().SyncBackend())


def _cut(timeout: float | None) -> float | None:
    deadline = _current.get()
    if deadline is None:
        return timeout
    return deadline.left() if timeout is None else min(timeout, deadline.left())


class _Backend:
    """Opens connections whose every operation is cut to the deadline."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def connect_tcp(self, *args: Any, timeout: float | None = None, **options: Any) -> _Stream:
        return _Stream(self._inner.connect_tcp(*args, timeout=_cut(timeout), **options))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Stream:
    """A connection."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._inner.read(max_bytes, _cut(timeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _cut(timeout))

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _cut(timeout)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
