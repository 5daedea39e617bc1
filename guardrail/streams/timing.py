"""How much time a guarded stream has left, by a clock that others read. Pure."""

from __future__ import annotations

from collections import deque

from guardrail.policy.model import Rules

__all__ = ["Timing"]

_LONGER, _AT_LEAST, _SILENCE, _SILENCE_AT_MOST = 1.1, 0.003, 0.02, 1.0
"""An upstream is silent when it says nothing for so many times its last pauses, and seconds more; the pause of one that
is not known yet; seconds at most."""
_PAUSES = 8


class Timing:
    """The moments of one stream that count, in seconds on any clock."""

    def __init__(self, rules: Rules) -> None:
        self._budget, self._held = rules.budget, rules.stream.hold.time
        self.now = 0.0
        self._began: float | None = None
        self._answered: float | None = None
        """When the first upstream had ended, or was cut: what comes after that is added."""
        self._last_out: float | None = None
        self._pauses: deque[float] = deque(maxlen=_PAUSES)
        """Seconds between the last pieces of text."""
        self._heard: float | None = None

    def begin(self) -> bool:
        """Whether this is the first moment."""
        first = self._began is None
        if first:
            self._began = self.now
        return first

    def answer(self) -> None:
        """An upstream has ended; the first one counts."""
        self._answered = self.now if self._answered is None else self._answered

    def show(self) -> None:
        """Something was shown."""
        self._last_out = self.now

    def hear(self) -> None:
        """A piece of text came from the upstream."""
        if self._heard is not None:
            self._pauses.append(self.now - self._heard)
        self._heard = self.now

    def forget(self) -> None:
        """What comes next is another upstream's."""
        self._heard = None

    @property
    def silence(self) -> float:
        """Seconds after which an upstream that says nothing is silent: longer than it is between its words."""
        return min(_LONGER * max(self._pauses, default=_SILENCE) + _AT_LEAST, _SILENCE_AT_MOST)

    @property
    def remaining(self) -> float | None:
        """Seconds left of the budget; None without bound."""
        bounds = []
        if self._budget.added is not None and self._answered is not None:
            bounds.append(self._budget.added - (self.now - self._answered))
        if self._budget.total is not None:
            bounds.append(self._budget.total - (self.now - (self._began or 0.0)))
        return min(bounds) if bounds else None

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of the budget."""
        remaining = self.remaining
        return remaining is not None and remaining <= 0

    def left_for(self, since: float) -> float:
        """Seconds left for the verdict on a sentence that had come to its end at ``since``."""
        held, remaining = self._held - (self.now - since), self.remaining
        return held if remaining is None else min(held, remaining)

    def hindrance(self, pause: float) -> str | None:
        """Why the LLM cannot be asked ``pause`` seconds from now, in words."""
        remaining = self.remaining
        if remaining is None or remaining > pause:
            return None
        return f"a wait of {pause:.3g} s would outlast the budget" if remaining > 0 else "the budget was spent"

    @property
    def added(self) -> float:
        """Milliseconds from the first answer's end to the last that was shown."""
        out = self.now if self._last_out is None else self._last_out
        return max(0.0, out - (out if self._answered is None else self._answered)) * 1000
