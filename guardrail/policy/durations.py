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
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and not (info.context or {}).get("file"):
        return value
    if isinstance(value, str):
        try:
            return parse_seconds(value.strip())
        except ValueError:
            pass
    raise refuse_all([Problem((), _REMEDY, True)])


_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["8s", "250ms"]})
_SERIALIZE = PlainSerializer(format_seconds, return_type=str, when_used="json")

Seconds = Annotated[float, Field(ge=0), BeforeValidator(_read), _SERIALIZE, _SCHEMA]
"""A duration of 0 or more."""
SomeSeconds = Annotated[float, Field(gt=0), BeforeValidator(_read), _SERIALIZE, _SCHEMA]
"""A duration of more than 0."""
