"""Labelled rows for tests that train nothing."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.conversation import Evidence, Message, Turn
from guardrail.train.example import Example
from guardrail.verifiers.protocol import Check


def example(
    answer: str = "It opened in 1889.",
    *,
    evidence: Sequence[str] = ("It opened in 1889 by the sea.",),
    question: str = "When did it open?",
    unreliable: bool = False,
    source: str = "history",
    file: str = "rows.jsonl",
) -> Example:
    """One row."""
    asked = (Message("user", (question,)),) if question else ()
    check = Check(asked, Turn(answer), tuple(Evidence(text, "caller") for text in evidence))
    return Example(file, source, unreliable, check)


def many(contexts: int, rows: int = 2) -> list[Example]:
    """``rows`` to each of the ``contexts``, of which half are unreliable."""
    return [
        example(
            f"Gate {row} opened in {1800 + place}.", evidence=[f"Hall number {place} is old."], unreliable=row % 2 > 0
        )
        for place in range(contexts)
        for row in range(rows)
    ]
