"""By which labelled answers are known again: the data, not how a file spells it or in which order. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from guardrail.verifiers.protocol import Check

__all__ = ["data_digest", "row_digest"]


def row_digest(check: Check, unreliable: bool) -> str:
    """The SHA-256 of one answer, its conversation, its own evidence and its label, in hexadecimal."""
    said = [message.to_dict() for message in check.conversation]
    evidence = [[piece.text, piece.title, piece.url] for piece in check.evidence]
    text = json.dumps([said, check.turn.text, evidence, unreliable], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def data_digest(rows: Iterable[str]) -> str:
    """16 hexadecimal digits that change with any row, and with how often it is there; their order does not matter."""
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()[:16]
