"""Dialects: how to ask a judge by chat, and how to read its reply. Pure."""

from __future__ import annotations

from guardrail.errors import ConfigError
from guardrail.verifiers.dialect_names import refusal
from guardrail.verifiers.dialects.flow_judge import FlowJudge
from guardrail.verifiers.dialects.glider import Glider
from guardrail.verifiers.dialects.granite import Granite30, Granite32, Granite33, Granite41
from guardrail.verifiers.dialects.kluster import Kluster
from guardrail.verifiers.dialects.lynx import Lynx
from guardrail.verifiers.dialects.minicheck import MiniCheck
from guardrail.verifiers.dialects.prometheus import Prometheus
from guardrail.verifiers.dialects.protocol import Dialect, Piece, Reading, Token
from guardrail.verifiers.dialects.selene import Selene
from guardrail.verifiers.dialects.structured import Structured

__all__ = [
    "DIALECTS",
    "Dialect",
    "FlowJudge",
    "Glider",
    "Granite30",
    "Granite32",
    "Granite33",
    "Granite41",
    "Kluster",
    "Lynx",
    "MiniCheck",
    "Piece",
    "Prometheus",
    "Reading",
    "Selene",
    "Structured",
    "Token",
    "dialect_named",
]

DIALECTS: tuple[Dialect, ...] = (
    Kluster(),
    Structured(),
    Lynx(),
    MiniCheck(),
    Granite30(),
    Granite32(),
    Granite33(),
    Granite41(),
    Selene(),
    FlowJudge(),
    Prometheus(),
    Glider(),
)
"""All that can be named."""


def dialect_named(name: str) -> Dialect:
    """The dialect that policies call ``name``; `ConfigError` when there is none, and why if that is known."""
    for dialect in DIALECTS:
        if dialect.name == name:
            return dialect
    known = ", ".join(dialect.name for dialect in DIALECTS)
    raise ConfigError(refusal(name) or f"dialect {name!r} is not known; choose one of {known}")
