"""What findings of each kind are worth. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.evaluate.judgement import Judgement
from guardrail.verdict import FindingKind

__all__ = ["by_kind"]


def by_kind(rows: Sequence[Judgement]) -> list[tuple[FindingKind, int, int]]:
    """Each kind of finding that is there, the rows that have one, and how many of these are labelled unreliable.

    The most frequent comes first. A row with findings of two kinds counts for both.
    """
    found = []
    for kind in FindingKind:
        marked = [row.unreliable for row in rows if kind in row.kinds]
        if marked:
            found.append((kind, len(marked), sum(marked)))
    return sorted(found, key=lambda one: -one[1])
