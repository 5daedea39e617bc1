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
RULES = [
    "We do not charge a fee for transfers.",
    "We don't ship to Canada.",
    "We cannot refund opened items.",
    "I'm afraid the flight is cancelled, madam.",
    "I am sorry, but the refund is denied.",
    "Of course, breakfast is included.",
    "Sure, pets are allowed.",
    "Welcome drinks are included.",
    "Unknown senders are blocked.",
]
REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I am sorry for the trouble.",
    "We do not have information about that.",
    "We cannot say.",
    "Unknown.",
    "Sure!",
    "Of course, happy to help!",
    "Sure, here you go:",
    "Welcome to our shop!",
]
DEEDS = [
    "I have credited your account.",
    "I've waived the late fee.",
    "I have blocked your card.",
    "I got you a window seat.",
    "I would avoid alcohol with this medication.",
    "I/O ports are unavailable.",
    "I heard it closes early on weekends.",
    "Noah.",
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


@pytest.mark.parametrize("rule", RULES)
def test_what_is_denied_or_granted_is_a_claim(rule: str) -> None:
    assert stated(rule, asked=True) == [rule]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_and_a_courtesy_are_none(refusal: str) -> None:
    assert stated(refusal, asked=True) == []


@pytest.mark.parametrize("deed", DEEDS)
def test_what_an_assistant_did_is_a_claim_beside_others_too(deed: str) -> None:
    assert stated(f"{deed} It has twelve floors.", asked=True) == [deed, "It has twelve floors."]


def test_affirmations_without_end_take_no_time_without_end() -> None:
    # Were it tried in every way to part them, this would take longer than the universe has been there.
    assert stated("That is true, " * 2000 + "but it closes.", asked=True)


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
