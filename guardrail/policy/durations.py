"""Durations: seconds in the model, ``8s`` or ``250ms`` in files. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from guardrail.policy.problems import Problem, refuse_all

__all__ = ["IN_FILE", "Seconds", "SomeSeconds", "format_seconds", "parse_seconds"]

IN_FILE = {"file": True}
"""The validation context for what stands in a file, where a number without a unit is refused."""

PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$"
_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_LONGEST = 366 * 24 * 3600.0
"""Seconds. Clocks and sockets overflow somewhere above; whoever wants no bound writes ``none``."""
_REMEDY = "must be a duration with a unit, such as 8s, 250ms, 2m or 1h"


def parse_seconds(text: str) -> float:
    """The seconds of ``8s``, ``250ms``, ``2m`` or ``1h``; ValueError for anything else."""
    if not re.match(PATTERN, text) or text.endswith("\n"):
        raise ValueError(_REMEDY)
    unit = text.lstrip("0123456789.")
    return float(Decimal(text.removesuffix(unit)) * _UNITS[unit])


def format_seconds(seconds: float) -> str:
    """The shortest text that `parse_seconds` turns back into exactly ``seconds``."""
    exact = Decimal(repr(float(seconds)))
    for unit in ("h", "m", "s"):
        whole, rest = divmod(exact, _UNITS[unit])
        if not rest and (whole or unit == "s"):
            return f"{whole:f}{unit}"
    in_ms = exact * 1000
    return f"{int(in_ms)}ms" if exact < 1 and in_ms == int(in_ms) else f"{exact:f}s"


def _read(value: object, info: ValidationInfo) -> object:
    seconds = _seconds(value, bare=not (info.context or {}).get("file"))
    if seconds is None:
        raise refuse_all([Problem((), _REMEDY, True)])
    if seconds > _LONGEST:
        raise refuse_all([Problem((), "must be 8784h, a year, or less", True)])
    return seconds


def _seconds(value: object, *, bare: bool) -> float | None:
    """The seconds that ``value`` says; None when it says none. ``bare``: a number needs no unit."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if bare else None
    try:
        return parse_seconds(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["8s", "250ms"]})
_SERIALIZE = PlainSerializer(format_seconds, return_type=str, when_used="json")

Seconds = Annotated[float, Field(ge=0), BeforeValidator(_read), _SERIALIZE, _SCHEMA]
"""A duration of 0 or more."""
SomeSeconds = Annotated[float, Field(gt=0), BeforeValidator(_read), _SERIALIZE, _SCHEMA]
"""A duration of more than 0."""
