"""What a test expects, held against what came. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from guardrail.outcome import Outcome
from guardrail.policy.cases import Expected, TextCheck

__all__ = ["Mismatch", "actual", "mismatches"]

Shown = str | int | None | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One expectation that was not met."""

    key: str
    """Its key in ``expect``, such as ``action`` or ``text.contains``."""
    expected: Shown
    actual: Shown

    def __str__(self) -> str:
        return f"{self.key}: expected {_word(self.expected)}, got {_word(self.actual)}"


def actual(outcome: Outcome) -> dict[str, Shown]:
    """What came, under the keys of ``expect``; ``status`` and ``cause`` are None where there is none."""
    return {
        "action": outcome.action.value,
        "text": outcome.text,
        "attempts": len(outcome.attempts),
        "status": outcome.verdict.status.value if outcome.verdict else None,
        "cause": outcome.cause.value if outcome.cause else None,
        "policy": outcome.policy,
        "notes": outcome.notes,
    }


def mismatches(expected: Expected, outcome: Outcome) -> tuple[Mismatch, ...]:
    """Every expectation that ``outcome`` does not meet, in the order of the keys."""
    return tuple(_mismatches(expected, outcome))


def _mismatches(expected: Expected, outcome: Outcome) -> Iterator[Mismatch]:
    came = actual(outcome)
    for key in ("action", "attempts", "status", "cause", "policy"):
        wanted = getattr(expected, key)
        if wanted is not None and wanted != came[key]:
            yield Mismatch(key, wanted, came[key])
    if expected.text is not None:
        yield from _about_text(expected.text, outcome.text)
    for note in expected.notes:
        if not any(note in told for told in outcome.notes):
            yield Mismatch("notes", note, outcome.notes)


def _about_text(check: TextCheck, text: str) -> Iterator[Mismatch]:
    if check.exactly is not None and check.exactly != text:
        yield Mismatch("text", check.exactly, text)
    for part in check.contains:
        if part not in text:
            yield Mismatch("text.contains", part, text)


def _word(value: Shown) -> str:
    if isinstance(value, tuple):
        return ", ".join(repr(item) for item in value) or "none"
    return "none" if value is None else repr(str(value)) if isinstance(value, str) else str(value)
