"""What is done with an answer, from the mildest to the most severe."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["Action", "most_severe"]


class Action(StrEnum):
    """The six actions; members stand in order of severity."""

    PASS = "pass"
    """Released as it is."""
    FLAG = "flag"
    """Released as it is, and reported."""
    REGENERATE = "regenerate"
    """The LLM is asked again, with the findings as feedback."""
    REPAIR = "repair"
    """Only the bad places are rewritten or cut."""
    FALLBACK = "fallback"
    """The same request goes to another model."""
    BLOCK = "block"
    """Withheld; the policy's message stands in its place."""

    @property
    def severity(self) -> int:
        """0 for ``pass`` up to 5 for ``block``."""
        return _ORDER[self]


_ORDER = {action: place for place, action in enumerate(Action)}


def most_severe(actions: Iterable[Action]) -> Action:
    """The most severe of ``actions``; ``pass`` when there are none."""
    return max(actions, key=lambda action: action.severity, default=Action.PASS)
