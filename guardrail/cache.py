"""What was found out before, kept within bounds: `Cache`, the interface, and `MemoryCache`, in this process."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

__all__ = ["Cache", "MemoryCache"]

Value = TypeVar("Value")


class Cache(Protocol[Value]):
    """Something that may remember. What it has forgotten is found out again, so it may forget at any time.

    It is asked from several threads at once.
    """

    def get(self, key: Hashable) -> Value | None:
        """The value that was put under ``key``; None where it is not known, or not any more."""
        ...

    def put(self, key: Hashable, value: Value) -> None:
        """Remember ``value`` under ``key``, or do not."""
        ...


class MemoryCache(Generic[Value]):
    """The values used last, within bounds. Safe between threads; a forked child begins with none.

    ``entries``: at most so many. ``size``: at most so much of what ``weigh`` says of a value, taken over all of
    them; a value that is larger is not kept. ``ttl``: seconds after which a value is forgotten; None: never for its
    age. ``clock`` is there for tests.
    """

    def __init__(
        self,
        entries: int,
        *,
        size: float | None = None,
        weigh: Callable[[Value], float] = lambda value: 0,
        ttl: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries, self._limit, self._weigh, self._ttl, self._clock = entries, size, weigh, ttl, clock
        self._begin()

    def _begin(self) -> None:
        self._pid, self._lock, self._size = os.getpid(), threading.Lock(), 0.0
        self._kept: OrderedDict[Hashable, tuple[Value, float, float]] = OrderedDict()
        """By key, the value used last at the end: value, weight, time of its putting."""

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> float:
        """What all values weigh together."""
        return self._size

    def get(self, key: Hashable) -> Value | None:
        """The value of ``key``, or None."""
        with self._locked():
            found = self._kept.get(key)
            if found is None:
                return None
            value, _, since = found
            if self._ttl is not None and self._clock() - since >= self._ttl:
                self._forget(key)
                return None
            self._kept.move_to_end(key)
            return value

    def put(self, key: Hashable, value: Value) -> None:
        """Remember ``value``, and forget what was not used for longest where there is no room."""
        weight = self._weigh(value)
        with self._locked():
            self._forget(key)
            if self._limit is not None and weight > self._limit:
                return
            self._kept[key] = (value, weight, self._clock())
            self._size += weight
            while len(self._kept) > self._entries or (self._limit is not None and self._size > self._limit):
                self._forget(next(iter(self._kept)))

    def _forget(self, key: Hashable) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._size -= found[1]

    def _locked(self) -> threading.Lock:
        if self._pid != os.getpid():
            # Another thread may have held the lock, or been half done, when this process was forked.
            self._begin()
        return self._lock
