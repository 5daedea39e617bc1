"""A call in a thread of its own, as a future."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

__all__ = ["begun"]

Result = TypeVar("Result")


def begun(call: Callable[[], Result], *, name: str) -> Future[Result]:
    """The future of ``call()``, which has begun in a thread called ``name``; it sees the caller's context variables.

    A thread cannot be stopped: when nobody waits for the future any longer, what the thread does is thrown away. It
    keeps neither the process nor an event loop from ending, as one of a pool would.
    """
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()
    context = copy_context()

    def work() -> None:
        try:
            result = context.run(call)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future
