"""From rows to pairs of evidence and claim, by the selection that runs at verification."""

from __future__ import annotations

import random
from collections.abc import Sequence

from guardrail.conversation import Evidence
from guardrail.train.data import Row
from guardrail.verifiers.embedded.select import Sources

__all__ = ["claim_of", "pair", "pairs"]

QUESTION = 240
"""Characters of the question (or of the dialogue so far), from its end."""


def pairs(rows: Sequence[Row], *, without_question: float, seed: int) -> list[tuple[str, str]]:
    """One pair a row; in a share ``without_question`` (0..1) of them the claim stands alone."""
    chance = random.Random(seed)
    return [pair(row, with_question=chance.random() >= without_question) for row in rows]


def pair(row: Row, *, with_question: bool) -> tuple[str, str]:
    """(evidence, claim)."""
    claim = claim_of(row) if with_question else row.answer
    return Sources([Evidence(row.context, "caller")]).passage(claim).text, claim


def claim_of(row: Row) -> str:
    """The answer behind the end of its question."""
    return f"{row.question[-QUESTION:]} {row.answer}".strip()
