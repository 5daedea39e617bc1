"""Connections of one HTTP endpoint: each carries one call at a time, and the one used last is used next.

They stand in the place of the HTTP library's own pool, which asks the system about every idle socket whenever a call
begins or ends: with 64 calls in flight that was a seventh of a guarded call. And of its client, which merges the
same headers, looks for cookies and follows redirects: a fifth of a call to a judge.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Connections", "Shared", "proxy_for"]

_MOST = 256
"""Connections kept for the next call."""
_UNUSED = 30.0
"""Seconds after which a connection that was not needed is closed."""


class Connections:
    """A stack of carriers, of which each has one connection at most. Safe between threads.

    Whoever closes what comes back knows whether that must be awaited, so nothing is closed here.
    """

    def __init__(self, make: Callable[[], Any], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._make, self._clock = make, clock
        self._idle: deque[tuple[Any, float]] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> Any:
        """A carrier that nobody uses; a new one where there is none."""
        with self._lock:
            if self._idle:
                return self._idle.pop()[0]
        return self._make()

    def give(self, carrier: Any) -> list[Any]:
        """Have a carrier back; returns those to be closed."""
        now = self._clock()
        with self._lock:
            if self._closed:
                return [carrier]
            self._idle.append((carrier, now))
            # The one at the bottom is the one that was used longest ago.
            old = len(self._idle) > _MOST or self._idle[0][1] < now - _UNUSED
            return [self._idle.popleft()[0]] if old else []

    def close(self) -> list[Any]:
        """Keep none from now on; returns those to be closed."""
        with self._lock:
            self._closed = True
            idle = [carrier for carrier, _ in self._idle]
            self._idle.clear()
            return idle


class Shared:
    """In the place of `Connections`: the carrier over a caller's transport, for any number of calls at once."""

    def __init__(self, carrier: Any) -> None:
        self._carrier = carrier

    def take(self) -> Any:
        """The carrier."""
        return self._carrier

    def give(self, carrier: Any) -> list[Any]:
        """Nothing is closed: others may be using it."""
        return []

    def close(self) -> list[Any]:
        """The carrier, to be closed."""
        return [self._carrier]


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for ``url`` (``HTTPS_PROXY``, ``NO_PROXY`` ...), if any."""
    from urllib.request import getproxies, proxy_bypass

    parts, known = urlsplit(url), getproxies()
    proxy = known.get(parts.scheme) or known.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
