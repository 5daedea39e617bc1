"""Clauses that say the opposite of each other."""

from __future__ import annotations

import pytest

from guardrail.checks.case import claims_of
from guardrail.checks.polarity import clauses, opposed

OPPOSED = [
    ("The client supports Linux.", "The client does not support Linux."),
    ("Admission is free on Sundays.", "On Sundays you pay the normal price."),
    ("The deposit cannot be refunded.", "You get the full deposit back."),
    ("Dogs are allowed in the garden.", "Dogs are forbidden in the garden."),
    ("Nobody on your team knows Rust.", "Your team already knows Rust."),
    ("The shop is open on Mondays.", "The shop is closed on Mondays."),
]
TOGETHER = [
    ("The client supports Linux.", "The client supports macOS."),
    ("The shop is open on Mondays.", "The museum is closed on Mondays."),
    ("Dogs are allowed in the garden.", "Dogs are not forbidden in the garden."),
    ("Breakfast is included in the rate.", "Parking costs nothing."),
    ("It is not cheap.", "It is not far."),
]


def are_opposed(one: str, two: str) -> bool:
    first, second = ([c for claim in claims_of(text) for c in clauses(claim)] for text in (one, two))
    return any(opposed(a, b) for a in first for b in second)


@pytest.mark.parametrize(("one", "two"), OPPOSED)
def test_clauses_that_cannot_both_be_true_are_opposed_either_way_round(one: str, two: str) -> None:
    assert are_opposed(one, two)
    assert are_opposed(two, one)


@pytest.mark.parametrize(("one", "two"), TOGETHER)
def test_clauses_that_can_both_be_true_are_not(one: str, two: str) -> None:
    assert not are_opposed(one, two)
    assert not are_opposed(two, one)
