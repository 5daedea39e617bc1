"""Verifiers: anything that turns a conversation, a turn and evidence into a verdict."""

from __future__ import annotations

from guardrail.verifiers.protocol import Check, Verifier

__all__ = ["Check", "Verifier"]
