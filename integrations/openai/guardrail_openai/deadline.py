"""The time that the guard's own requests may take."""

from __future__ import annotations

import time

from guardrail_openai.exchange import GenerationError

__all__ = ["Deadline"]


class Deadline:
    """Counts down from ``remaining`` seconds; None: for ever."""

    def __init__(self, remaining: float | None) -> None:
        self._end = None if remaining is None else time.monotonic() + remaining

    def left(self) -> float | None:
        """Seconds that are left, at least 0; None without an end."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raises `GenerationError` when the time is over."""
        if self._end is not None and time.monotonic() > self._end:
            raise GenerationError("the server took longer than the time that was left")
