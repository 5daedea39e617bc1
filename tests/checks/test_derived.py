"""Numbers that follow from those at hand, and those that do not although other numbers do."""

from __future__ import annotations

import pytest

from guardrail.checks import find
from guardrail.conversation import Evidence, Message

FOLLOW = [
    ("Sales: 120, 150, 90 and 140.", "Total sales were 500."),
    (
        "Ward A has 24 beds, 18 of them taken. Ward B has 16 beds, 12 of them taken.",
        "That leaves ten beds out of forty.",
    ),
    (
        "Transport 340 t, heating 260 t, industry 310 t, farming 90 t.",
        "Transport makes up 34 % of the total of 1,000 t.",
    ),
    ("The tank holds 60 litres. It uses 7.5 litres per 100 km.", "You get 800 km out of a full tank."),
    ("The jacket costs 160 euros, less 35 %.", "You save 56 euros and pay 104 euros."),
    ("Amari 412, Bloom 388.", "Amari led by 24."),
    ("Scores: 72, 85, 91, 64.", "The mean of the four scores is 78."),
    ("Age: Ana 12, Ben 9.", "Ana is three years older."),
    ("The rent is 850 euros a month.", "That is 10,200 euros a year."),
    ("| Quarter | Sales (k€) |\n|---|---|\n| Q1 | 120 |\n| Q2 | 150 |", "Together they sold for 270,000 euros."),
    ("The exam lasts from 9:15 to 11:45.", "It takes two and a half hours."),
    ("The show runs from 3 May to 13 May.", "It runs for ten days."),
    ("Up: 1 h 20 min. Down: 50 min.", "You need two hours and ten minutes."),
    ("He is 6 ft 2 in tall.", "He is 188 cm tall."),
    ("It fell to -12 °C.", "It fell to about 10 °F."),
    ("Between thirty and forty pickers.", "30–40 pickers work there."),
]
WRONG = [
    ("Sales: 120, 150, 90 and 140.", "Total sales were 520.", "520"),
    ("The jacket costs 160 euros, less 35 %.", "You save 54 euros.", "54 euros"),
    ("Amari 412, Bloom 388.", "Amari led Bloom by 34.", "34"),
    ("Scores: 72, 85, 91, 64.", "The mean of the four scores is 79.", "79"),
    ("The exam lasts from 9:15 to 11:45.", "It takes three and a half hours.", "three and a half hours"),
    ("The rent is 850 euros a month.", "The rent is 850 euros a year.", "850 euros"),
    ("A dose of 15 mg per kg; the child weighs 18 kg.", "15 mg/kg × 18 kg = 290 mg.", "15 mg/kg × 18 kg = 290 mg"),
    ("The king was born in 1287 and died in 1341.", "He reached the age of 64 (born in 1287, died in 1341).", "64"),
]


@pytest.mark.parametrize(("told", "said"), FOLLOW)
def test_what_follows_from_the_numbers_at_hand_is_no_finding(told: str, said: str) -> None:
    assert find(said, [Evidence(told, "retrieved")]) == []


@pytest.mark.parametrize(("told", "said", "wrong"), WRONG)
def test_what_does_not_follow_is_found(told: str, said: str, wrong: str) -> None:
    found = [finding.text for finding in find(said, [Evidence(told, "retrieved")])]
    assert any(wrong in text for text in found), found


def test_a_result_that_was_shown_may_be_used_again() -> None:
    told = [Evidence("He earns 3,200 a month before tax and pays 25 % tax.", "retrieved")]
    asked = [Message("user", ("What is left?",))]
    assert find("After tax he has 2,400 a month left, 28,800 a year.", told, asked) == []
