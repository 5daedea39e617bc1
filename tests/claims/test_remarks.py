"""Remarks and affirmations: what an answer says besides what it states."""

from __future__ import annotations

import pytest

from guardrail.claims import asks, claims

REMARKS = [
    "That's cool.",
    "Wow, that is so interesting!",
    "Great!",
    "It sounds fun.",
    "Haha, it’s really weird.",
]
PERSONAL = [
    "I just had pasta with meatballs the other day.",
    "But I've shopped at both.",
    "Well, I'd probably go to a hairdresser to do it for me.",
    "Personally, I really like the blues rhythm and the backbeat of the snare drum.",
]
AFFIRMATIONS = [
    "Yes!",
    "Oh yeah, that's true.",
    "I agree with you.",
    "You're right.",
    "Yes, it is.",
    "No, they do not.",
    "Definitely.",
]
STATEMENTS = [
    "I heard it closes early on weekends.",
    "I have cancelled your order.",
    "I was born in 1961.",
    "I really enjoyed the tower which stands by the river in the old town.",
    "I visited Rome.",
    "Its doors are open.",
    "It is free.",
    "The food was bad.",
    "He is doing great!",
    "That's 12 euros, great!",
    "It's amazing in Rome.",
    "Yes, it is closed on Mondays.",
]


def stated(text: str, *, asked: bool) -> list[str]:
    return [claim.text for claim in claims(text, asked=asked)]


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("remark", REMARKS)
def test_a_remark_states_nothing(remark: str, asked: bool) -> None:
    assert stated(f"{remark} It has twelve floors.", asked=asked) == ["It has twelve floors."]


@pytest.mark.parametrize("personal", PERSONAL)
def test_what_the_speaker_likes_or_does_is_a_claim_where_nothing_else_is_stated(personal: str) -> None:
    assert stated(f"{personal} It has twelve floors.", asked=True) == ["It has twelve floors."]
    assert stated(personal, asked=True) == [personal]


@pytest.mark.parametrize("affirmation", AFFIRMATIONS)
def test_an_affirmation_states_what_was_asked_and_nothing_else(affirmation: str) -> None:
    assert stated(affirmation, asked=True) == [affirmation]
    assert stated(affirmation, asked=False) == []


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_in_the_form_of_a_remark_stays_a_claim(statement: str, asked: bool) -> None:
    assert stated(statement, asked=asked) == [statement]


@pytest.mark.parametrize("said", ["Is it free?", "is it free", "Tell me: is it free? Thanks.", "它免费吗？"])
def test_a_question_is_known_by_its_mark_or_its_first_word(said: str) -> None:
    assert asks(said)


@pytest.mark.parametrize("said", ["", "I like cats.", "Summarise the report."])
def test_what_asks_nothing_is_no_question(said: str) -> None:
    assert not asks(said)
