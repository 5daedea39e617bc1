"""Reading foreign values with care: each error names the place, what is there and the remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from guardrail.errors import InputError

__all__ = ["as_mapping", "as_sequence", "fail", "kind_of", "optional_text", "required_text", "typename"]


def fail(where: str, problem: str) -> NoReturn:
    """Raise `InputError` as ``place: what is wrong; remedy``."""
    raise InputError(f"{where}: {problem}")


def typename(value: object) -> str:
    """What a user calls the type of ``value``: JSON's words where there are any."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "a string"),
        (bytes, "bytes"),
        ((int, float), "a number"),
        (Mapping, "an object"),
        ((list, tuple), "a list"),
    )
    return next((word for kind, word in names if isinstance(value, kind)), type(value).__name__)


def as_mapping(value: object, where: str, remedy: str) -> Mapping[str, object]:
    """``value`` as a mapping: itself, or what an object of the OpenAI SDK (or pydantic) dumps to."""
    if isinstance(value, Mapping):
        return value
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        # The SDK builds its objects without validating; warnings about that say nothing to our user.
        dumped = dump(warnings=False)
        if isinstance(dumped, Mapping):
            return dumped
    fail(where, f"expected an object, got {typename(value)}; {remedy}")


def as_sequence(value: object, where: str, remedy: str) -> Sequence[object]:
    """``value`` if it is a list or tuple (strings, bytes and iterators are not: they are used up once)."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return value
    fail(where, f"expected a list, got {typename(value)}; {remedy}")


def optional_text(value: object, where: str) -> str | None:
    """``value`` if it is a string or None."""
    if value is None or isinstance(value, str):
        return value
    fail(where, f"expected a string, got {typename(value)}; convert it to text or leave it out")


def required_text(value: object, where: str) -> str:
    """``value`` if it is a string."""
    if isinstance(value, str):
        return value
    fail(where, f"expected a string, got {typename(value)}; put the text there")


def kind_of(part: Mapping[str, object], where: str, remedy: str) -> str:
    """The ``type`` of a part or item."""
    kind = part.get("type")
    if kind is None:
        fail(f"{where}.type", f"missing; {remedy}")
    if not isinstance(kind, str):
        fail(f"{where}.type", f"expected a string, got {typename(kind)}; {remedy}")
    return kind
