"""Many calls at a time, results in order, input read only as fast as it is worked off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

__all__ = ["in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 4
"""Items read ahead per worker, so that one slow item does not leave the others idle."""
_SLICE = 0.5
"""Seconds of one wait."""


def in_order(call: Callable[[Item], Result], items: Iterable[Item], *, concurrency: int) -> Iterator[Result]:
    """``call`` on each of ``items``, at most ``concurrency`` at once; yields results in order.

    The first error is raised in its place; what has not begun by then, or when the caller stops
    iterating, never does.
    """
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="guardrail-check")
    try:
        for item in items:
            pending.append(pool.submit(copy_context().run, call, item))
            while pending and (len(pending) >= concurrency * _AHEAD or pending[0].done()):
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _result(future: Future[Result]) -> Result:
    # An interrupt that comes in just before a wait without end can be missed: so no wait is without end.
    while not future.done():
        wait([future], timeout=_SLICE)
    return future.result()
