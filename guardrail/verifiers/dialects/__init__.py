"""Dialects: how to ask a judge by chat, and how to read its reply. Pure."""

from __future__ import annotations

from guardrail.errors import ConfigError
from guardrail.verifiers.dialect_names import refusal
from guardrail.verifiers.dialects.kluster import Kluster
from guardrail.verifiers.dialects.lynx import Lynx
from guardrail.verifiers.dialects.minicheck import MiniCheck
from guardrail.verifiers.dialects.protocol import Dialect, Piece, Reading, Token
from guardrail.verifiers.dialects.structured import Structured

__all__ = [
    "DIALECTS",
    "Dialect",
    "Kluster",
    "Lynx",
    "MiniCheck",
    "Piece",
    "Reading",
    "Structured",
    "Token",
    "dialect_named",
]

DIALECTS: tuple[Dialect, ...] = (Kluster(), Structured(), Lynx(), MiniCheck())
"""All that can be named."""


def dialect_named(name: str) -> Dialect:
    """The dialect that policies call ``name``; `ConfigError` when there is none, and why if that is known."""
    for dialect in DIALECTS:
        if dialect.name == name:
            return dialect
    known = ", ".join(dialect.name for dialect in DIALECTS)
    raise ConfigError(refusal(name) or f"dialect {name!r} is not known; choose one of {known}")
