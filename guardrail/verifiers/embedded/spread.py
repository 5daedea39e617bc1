"""One call on each of many items, by the calling thread and whichever helpers are free."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

__all__ = ["spread"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(call: Callable[[Item], Result], items: Sequence[Item], helpers: Executor, *, most: int) -> list[Result]:
    """``call`` on each of ``items``, begun in their order; the results in the same order.

    The calling thread works too, beside at most ``most - 1`` of the ``helpers``. It waits for none that has not begun:
    helpers that are busy elsewhere cannot hold it up. After an error nothing new is begun, and the error is raised.
    """
    waiting = deque(range(len(items)))
    results: dict[int, Result] = {}

    def work() -> None:
        try:
            while (place := _taken(waiting)) is not None:
                results[place] = call(items[place])
        except BaseException:
            waiting.clear()
            raise

    begun = [helpers.submit(work) for _ in range(min(most, len(items)) - 1)]
    try:
        work()
    finally:
        waiting.clear()
        running = [future for future in begun if not future.cancel()]
    for future in running:
        future.result()
    return [results[place] for place in range(len(items))]


def _taken(waiting: deque[int]) -> int | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None
