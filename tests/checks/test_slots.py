"""Values that the evidence gives of something else: found by the words around them, and nothing that is told right."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.checks import Case, find
from guardrail.checks.misplaced import misplaced
from guardrail.checks.slots import read
from guardrail.conversation import Evidence

WRONG = [
    ("Adults pay 12 euros and children 7 euros.", "Children pay 12 euros.", "12 euros", "7 euros"),
    ("The red pill has 20 mg, the blue pill 40 mg.", "The red pill has 40 mg.", "40 mg", "20 mg"),
    ("The lake is 12 km long and 4 km wide.", "The lake is 12 km wide.", "12 km", "4 km"),
    ("Paris office: 45 employees. Lyon office: 30 employees.", "The Lyon office has 45 employees.", "45", "30"),
    ("Sales in March: 410. Sales in April: 380.", "April sales were 410.", "410", "380"),
    ("The bridge was begun in 1931 and opened in 1937.", "It was opened in 1931.", "1931", "1937"),
    ("The north gate closes at 18:00, the south gate at 20:00.", "The north gate closes at 20:00.", "20:00", "18:00"),
    ("- Tea: 3 minutes\n- Coffee: 5 minutes", "Coffee takes 3 minutes.", "3 minutes", "5 minutes"),
    ("| Town | Beds | Staff |\n|---|---|---|\n| Ulm | 12 | 4 |\n| Bern | 30 | 9 |", "Bern has 12 beds.", "12", "30"),
    ("Ana leads marketing and Ben leads sales.", "Ana leads sales.", "Ana", "Ben"),
    ("The story is set in Berlin; the film was shot in Prague.", "The story is set in Prague.", "Prague", "Berlin"),
    ("The novel was written by Iris Tan and translated by Leo Marsh.", "Iris Tan translated the novel.",
     "Iris Tan", "Leo Marsh"),
]  # fmt: skip
RIGHT = [
    ("Adults pay 12 euros and children 7 euros.", "Adults pay 12 euros, children only 7 euros."),
    ("The bridge was begun in 1931 and opened in 1937.", "Opened in 1937, six years after it was begun in 1931."),
    ("Of 214 volunteers who enrolled, 187 completed all nights.", "187 of the 214 volunteers completed all nights."),
    ("Turnover was 640 million against 610 million the year before.", "Turnover rose to 640 million from 610 million."),
    ("Clause 9 is about rent. Clause 10 is about pets.", "Clause 10 is about pets."),
    ("The Cyclades are an island group south-east of Greece.", "The Cyclades are an island group."),
    ("Ana leads marketing and Ben leads sales.", "Ana does not lead sales; Ben does."),
    ("The story is set in Berlin; the film was shot in Prague.", "Shot in Prague, the film has a story set in Berlin."),
]  # fmt: skip


@pytest.mark.parametrize(("told", "said", "wrong", "instead"), WRONG)
def test_a_value_in_the_place_of_another_is_found_with_the_one_that_belongs_there(
    told: str, said: str, wrong: str, instead: str
) -> None:
    found = misplaced(read(said), read(told))
    assert wrong in [slot.value.text for slot, _ in found]
    assert instead in [rival.value.text for slot, rival in found if slot.value.text == wrong]


@pytest.mark.parametrize(("told", "said"), RIGHT)
def test_values_in_their_own_places_are_not_found(told: str, said: str) -> None:
    assert find(said, [Evidence(told, "retrieved")]) == []


def test_the_finding_says_what_the_evidence_has_instead() -> None:
    (found,) = find("Children pay 12 euros.", [Evidence("Adults pay 12 euros and children 7 euros.", "retrieved")])
    assert (found.text, found.kind) == ("12 euros", "quantity")
    assert found.explanation == "the evidence says so of something else; of this it says '7 euros'"


TEXTS = st.lists(
    st.sampled_from(
        ["Ana", " paid 3 euros", " and", " Ben", " 1931", ", ", "| a | 4 |\n", "\n- Tea: 5", ". ", " in ", "(", "May"]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_slots_quote_their_text_and_what_the_evidence_says_word_for_word_is_not_misplaced(told: str, said: str) -> None:
    slots = read(said)
    assert all(said[slot.start : slot.end] == slot.value.text for slot in slots)
    assert all(said[slot.start : slot.end] for slot, _ in misplaced(slots, read(told)))
    case = Case(told, [Evidence(told, "tool")])
    assert case.misplaced == {}
