"""From rows to pairs of evidence and claim, by the selection that runs at verification."""

from __future__ import annotations

import random
from collections.abc import Sequence

from guardrail.claims import with_question
from guardrail.conversation import Evidence
from guardrail.train.data import Row
from guardrail.verifiers.embedded.select import Sources

__all__ = ["pair", "pairs"]

QUESTION = 240
"""Characters of the question (or of the dialogue so far), from its end."""


def pairs(rows: Sequence[Row], *, with_question: float, seed: int) -> list[tuple[str, str]]:
    """One pair a row; in a share ``with_question`` (0..1) of them every claim stands behind its question."""
    chance = random.Random(seed)
    return [pair(row, always_question=chance.random() < with_question) for row in rows]


def pair(row: Row, *, always_question: bool) -> tuple[str, str]:
    """(evidence, claim). Unless ``always_question`` the claim is what the verifier would read."""
    if always_question:
        claim = f"{row.question[-QUESTION:]} {row.answer}".strip()
    else:
        claim = with_question(row.answer, row.question)
    return Sources([Evidence(row.context, "caller")]).passage(claim).text, claim
