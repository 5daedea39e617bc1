"""Dialects: how to ask a judge by chat, and how to read its reply. Pure."""

from __future__ import annotations

from guardrail.errors import ConfigError
from guardrail.verifiers.dialects.kluster import Kluster
from guardrail.verifiers.dialects.protocol import Dialect, Reading
from guardrail.verifiers.dialects.structured import Structured

__all__ = ["Dialect", "Kluster", "Reading", "Structured", "dialect_named"]


def dialect_named(name: str) -> Dialect:
    """The dialect that policies call ``name``; `ConfigError` when there is none."""
    known: tuple[Dialect, ...] = (Kluster(), Structured())
    for dialect in known:
        if dialect.name == name:
            return dialect
    raise ConfigError(f"dialect {name!r} is not known; choose one of {', '.join(d.name for d in known)}")
