"""Which clause of a claim is the bad one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.claims import bad_clause

EVIDENCE = "The crew of seven was rescued by fishermen, but the cargo of timber was lost. The ship ran aground in 1893."
CASES = [
    ("The ship ran aground in 1893, and the owner went bankrupt.", "the owner went bankrupt"),
    ("The crew of seven was rescued by fishermen although a blizzard was raging.", "a blizzard was raging"),
    ("The cargo of timber was lost.", "The cargo of timber was lost."),  # nothing new: the relation is wrong
    (
        "Penguins breed on the southern coast, and whales pass.",
        "Penguins breed on the southern coast, and whales pass.",
    ),
    ("A blizzard was raging.", "A blizzard was raging."),
]


@pytest.mark.parametrize(("claim", "bad"), CASES)
def test_the_clause_with_the_new_words_is_marked_or_else_the_claim(claim: str, bad: str) -> None:
    start, end = bad_clause(claim, EVIDENCE)
    assert claim[start:end] == bad


@given(st.text(), st.text())
def test_the_place_lies_within_any_claim(claim: str, evidence: str) -> None:
    start, end = bad_clause(claim, evidence)
    assert 0 <= start <= end <= len(claim)
    assert start < end or not claim
