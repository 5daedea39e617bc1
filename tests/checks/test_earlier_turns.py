"""Contradictions to earlier turns: what was chosen, compared, denied; and where the user goes on."""

from __future__ import annotations

import pytest

from guardrail.checks.case import Case
from guardrail.checks.consistency import consistency
from guardrail.checks.ranked import outranked, ranks
from guardrail.checks.turns import Turns
from guardrail.conversation import Evidence, Message

CHOSEN = [
    ("Rooms are free on Tuesday and Friday.", "I've booked the room for Friday.", "When is my room booked?",
     "Your room is booked for Tuesday.", "Tuesday"),
    ("Buses leave at 8:05 and 9:35.", "You're on the 8:05 bus.", "Which bus am I on?",
     "You're on the 9:35 bus.", "9:35"),
    ("Tea: green, black or white.", "I've put green tea in your basket.", "What tea is in my basket?",
     "In your basket is black tea.", "black"),
    ("Ana Rey knows Go. Ben Ohm knows Rust.", "I'd hire Ana Rey.", "Whom did you say you'd hire?",
     "I said Ben Ohm.", "Ben"),
]  # fmt: skip
DENIED = [
    ("You can take the pill on an empty stomach.", "And at noon?", "You must not take the pill on an empty stomach."),
    ("In my view the clause is enforceable.", "So what's your view?", "In my view the clause is unenforceable."),
    ("I ran the tests. All of them passed.", "Can we ship?", "Some tests failed when I ran them."),
    ("I have no way to open your account.", "Is my balance right?", "I've opened your account and it is right."),
    ("Route A is the shorter of the two.", "Which is shorter?", "Route B is shorter than Route A."),
    ("It's the left knee that hurts.", "Which knee was it?", "It was the right knee."),
    ("I dropped 120 rows.", "How many rows did you drop?", "I dropped 210 rows."),
]  # fmt: skip
GOES_ON = [
    ("Rooms are free on Tuesday and Friday.", "I've booked the room for Friday.", "Move it to Tuesday instead.",
     "Your room is booked for Tuesday."),
    ("Tea: green, black or white.", "I'd take the green tea.", "I don't like green tea, what else is there?",
     "Then I'd take the black tea."),
    ("Solo: 1 project. Team: 20 projects, with support.", "There is no support on Solo.", "And on Team?",
     "There is support, and you get 20 projects."),
    ("Adults pay £9, children £4.", "Adults pay £9.", "And for a child?", "It's £4."),
    ("The hall seats 60.", "The hall seats 60 people.", "How many minutes is that from here?", "Five minutes on foot."),
    ("Boxes of 6 cost £3.", "Six cost £3.", "We need 12, not 6.", "Twelve cost £6."),
]  # fmt: skip


def found(told: str, before: str, question: str, answer: str) -> list[str]:
    turns = [Message("user", ("Hello.",)), Message("assistant", (before,)), Message("user", (question,))]
    return [finding.text for finding in consistency(Case(answer, [Evidence(told, "retrieved")], turns))]


@pytest.mark.parametrize(("told", "before", "question", "answer", "wrong"), CHOSEN)
def test_another_option_than_the_one_that_was_chosen_is_found(
    told: str, before: str, question: str, answer: str, wrong: str
) -> None:
    assert found(told, before, question, answer) == [wrong]


@pytest.mark.parametrize(("before", "question", "answer"), DENIED)
def test_what_an_earlier_answer_denies_is_found(before: str, question: str, answer: str) -> None:
    assert len(found("", before, question, answer)) == 1


@pytest.mark.parametrize(("told", "before", "question", "answer"), GOES_ON)
def test_where_the_user_goes_on_to_something_else_nothing_is_found(
    told: str, before: str, question: str, answer: str
) -> None:
    assert found(told, before, question, answer) == []


def test_an_answer_may_deny_itself() -> None:
    answer = "Parking is included in the rate. Parking is not included in the rate."
    assert found("", "Hello!", "Is it?", answer) == ["Parking is not included in the rate"]


def test_the_last_message_is_told_from_what_was_said_before() -> None:
    before = [Message("user", ("Which tent?",)), Message("assistant", ("The red tent.",))]
    asked = Turns([*before, Message("user", ("Which tent did you recommend?",))], "")
    assert (asked.asks_back, asked.moves) == (True, False)
    assert Turns([*before, Message("user", ("What about the blue one?",))], "").moves
    assert Turns([*before, Message("user", ("I have two children.",))], "").moves
    assert Turns([*before, Message("user", ("And the stove?",))], "").turns_to == {"stov"}


def test_comparisons_that_are_turned_round_are_contrary_and_others_are_not() -> None:
    told = list(ranks("Ana is taller than Ben."))
    assert len(list(outranked(ranks("Ben is taller than Ana."), told))) == 1
    assert list(outranked(ranks("Ana is taller than Cleo."), told)) == []
    assert list(outranked(ranks("Ben is older than Ana."), told)) == []
