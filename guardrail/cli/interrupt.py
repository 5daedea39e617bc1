"""Ctrl-C that is heard at once.

Python runs a signal's handler between two steps of the main thread. A signal that comes in the moment before
that thread begins to wait for a lock is only noticed when the wait is over, which for a slow verifier may be
a minute. So a second thread makes sure that the main thread wakes up.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["heed_interrupts", "put_off"]

_PATIENCE = 0.2
"""Seconds that the main thread has to notice by itself."""


def heed_interrupts() -> None:
    """Let Ctrl-C raise KeyboardInterrupt in the main thread, whatever it waits for.

    Nothing happens where interrupts are ignored, as under ``nohup``, or where threads cannot be sent signals.
    """
    if not hasattr(signal, "pthread_kill") or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    noticed = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        noticed.set()
        raise KeyboardInterrupt

    heard, told = socket.socketpair()
    told.setblocking(False)
    signal.signal(signal.SIGINT, interrupt)
    signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_wake, args=(heard, told, noticed), name="guardrail-interrupt", daemon=True).start()


@contextmanager
def put_off(tell: Callable[[], object]) -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C inside the block only be noticed, so that a step can be finished; the second one is as ever.

    ``tell`` is called at the first. Yields what says whether it has come. Nothing is put off outside of the main
    thread, or where interrupts are ignored.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: False
        return
    asked = False

    def notice(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        try:
            before(number, frame)
        except KeyboardInterrupt:
            if asked:
                raise
            asked = True
            tell()

    signal.signal(signal.SIGINT, notice)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _wake(heard: socket.socket, told: socket.socket, noticed: threading.Event) -> None:
    """Wait for a signal, then send it to the main thread until that has noticed. ``told`` is kept open."""
    main = threading.main_thread().ident
    while heard.recv(1) and main is not None:
        while not noticed.wait(_PATIENCE):
            signal.pthread_kill(main, signal.SIGINT)
