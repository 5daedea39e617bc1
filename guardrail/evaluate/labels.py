"""What a labelled row says besides its conversation: the label, and where the row comes from. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from guardrail.errors import InputError

__all__ = ["read_label", "read_source"]

_WORDS = {"reliable": False, "unreliable": True}
_EXPECTED = "expected 0 or reliable, or 1 or unreliable"


def read_label(row: Mapping[str, object]) -> bool:
    """Whether the answer is labelled unreliable, by the row's ``label``: 0 or 1, false or true, or the word.

    Raises:
        InputError: There is no label, or it is none of these.
    """
    if row.get("label") is None:
        raise InputError(f'"label" is missing; {_EXPECTED}')
    label = row["label"]
    if isinstance(label, int | float) and label in (0, 1):
        return bool(label)
    if isinstance(label, str) and label.lower() in _WORDS:
        return _WORDS[label.lower()]
    raise InputError(f"label: {_EXPECTED}, got {_short(label)}")


def read_source(row: Mapping[str, object], otherwise: str) -> str:
    """The row's ``source``; ``otherwise`` where it has none.

    Raises:
        InputError: It is no text.
    """
    source = row.get("source")
    if source is None or source == "":
        return otherwise
    if not isinstance(source, str):
        raise InputError(f"source: expected a string, got {_short(source)}")
    return source


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
