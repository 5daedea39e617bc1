"""What numbers count, scores, and shares in words."""

from __future__ import annotations

import pytest

from guardrail.checks import find
from guardrail.checks.things import pairs
from guardrail.conversation import Evidence, Message

WRONG = [
    ("Four whole eggs and three yolks.", "You need 3 whole eggs.", "3"),
    ("Up to 10 devices, 6 of them at once.", "You can use 8 devices.", "8"),
    ("They won 4–1.", "They won 3–1.", "3–1"),
    ("Three of the seven judges were against.", "It was a 5–2 decision.", "5–2"),
    ("Average rating 4.3 out of 5.", "It is rated 4.6 out of 5.", "4.6"),
    ("The pass mark is 65.", "You need at least 60 to pass.", "60"),
    ("Profit was 45 m (2022: 52 m).", "Profit is 52 m.", "52 m"),
    ("A third come by bike, half by bus.", "Two thirds come by bike.", "Two thirds"),
    ("Notice is three months.", "You have to give three weeks' notice.", "three weeks"),
    ("Sign-on comes in Q3 2025, the log in Q2 2025.", "Sign-on comes in Q2 2025.", "Q2 2025"),
    ("It starts in March 2024.", "It starts in the autumn of 2024.", "autumn of 2024"),
]  # fmt: skip
RIGHT = [
    ("14 of 21 residents agree.", "Two out of every three residents agree."),
    ("24 women and 16 men sing.", "40 singers: 24 women and 16 men."),
    ("Three of the seven judges were against.", "It was a 4–3 decision."),
    ("Open day and night.", "It is open 24/7."),
    ("Take 400 mg at most.", "Do not take more than 400 mg."),
    ("The office is closed on the 3rd and the 5th.", "There are two days between."),
    ("The sale starts on 27 December.", "It starts two days after Christmas Day."),
    ("It was finished on 18 March 2025.", "It was finished in Q1 2025."),
    ("The tub holds 270 litres; the tap gives 18 litres a minute.", "It takes a quarter of an hour."),
    ("Adults €14, children €8. Two adults and three children come.", "They pay €52 together."),
]  # fmt: skip


@pytest.mark.parametrize(("told", "said", "wrong"), WRONG)
def test_another_number_of_the_same_things_is_found(told: str, said: str, wrong: str) -> None:
    assert wrong in [finding.text for finding in find(said, [Evidence(told, "retrieved")])]


@pytest.mark.parametrize(("told", "said"), RIGHT)
def test_what_says_the_same_in_other_numbers_is_no_finding(told: str, said: str) -> None:
    asked = [Message("user", ("What is it?",))]
    assert find(said, [Evidence(told, "retrieved")], asked) == []


def test_scores_are_read_either_way_round() -> None:
    assert list(pairs("It ended 1–3; before, 2 to 0.")) == [(1, 3), (0, 2)]
    assert list(pairs("Call 555-0142 or 12:30 on 3-4-2020.")) == []
