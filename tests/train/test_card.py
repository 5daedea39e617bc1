"""What the card of a trained model says, and what it warns of."""

from __future__ import annotations

from guardrail.evaluate.scores import Quality
from guardrail.train.card import card
from guardrail.train.extent import DataFile, Labels
from guardrail.train.measured import Interval
from guardrail.train.trained import doubts
from tests.train.made import BASE, UNSURE, WORSE, made, scores


def test_the_card_says_what_it_rests_on() -> None:
    text = card(made())
    for said in (
        "| **this model** | 0.900 (0.870 to 0.930) | |",
        f"| {BASE} | 0.850 (0.800 to 0.900) | +0.050 (+0.020 to +0.080) |",
        "400 rows, 200 unreliable, 300 contexts",
        f"| qa.jsonl | 2000 | 1100 (55%) | CC BY 4.0 | `{'ab' * 32}` |",
        "| chats.jsonl | 200 | 100 (50%) | not stated | - |",
        "Left out: 12 without evidence. Digest of the rows that were used: `9f2c61d0a7b85e34`.",
        "| trained on | 1400 | 700 | 700 (50%) |",
        "digest `0957a6295b03`",
        "| epochs, batch, rate | 3, 16, 5e-05",
        "torch 2.6.0",
        "the rows come from qa (2000), chats (200)",
        "half of the answers have 12 words or fewer, and 95 % have 40 or fewer",
        "25% of the answers have several",
    ):
        assert said in text


def test_a_clear_gain_leaves_nothing_to_doubt() -> None:
    assert doubts(made()) == []
    assert "Nothing that can be seen in these numbers" in card(made())


def test_a_model_that_does_not_beat_its_base_says_so_first() -> None:
    worse = made(scores=scores(base=WORSE))
    assert doubts(worse)[0].startswith(f"It is WORSE than {BASE} (difference of AUROC -0.050")
    assert doubts(worse)[0].endswith("Use that one.")
    assert doubts(worse)[0] in card(worse)
    assert doubts(made(scores=scores(base=UNSURE)))[0].startswith(f"It is not shown to be better than {BASE}")


def test_a_model_that_does_not_beat_counting_says_so() -> None:
    assert "It has learned less than there is to count" in doubts(made(scores=scores(words=WORSE)))[0]
    assert "not shown to be better than word novelty" in doubts(made(scores=scores(words=UNSURE)))[0]


def test_few_rows_are_said_to_tell_little() -> None:
    few = scores(rows=40, unreliable=20, contexts=30, auroc=Interval(0.7, 0.49, 0.86))
    guessing, little, trained = doubts(made(scores=few, training=Labels(60, 60)))
    assert "no better than guessing" in guessing
    assert "40 rows to score (20 unreliable, 30 contexts) tell little" in little
    assert "anything from 0.49 to 0.86" in little
    assert "trained on 120 rows" in trained


def test_a_source_on_which_the_base_is_better_is_named() -> None:
    part = scores(source="chats", base=WORSE)
    assert doubts(made(by_source=(part,))) == [
        f"On the rows of chats it is WORSE than {BASE} (difference of AUROC -0.050, interval -0.080 to -0.020)."
    ]
    assert "**Source chats**" in card(made(by_source=(part,)))


def test_what_is_odd_about_the_rows_is_told() -> None:
    found = doubts(made(contradictory=4, pieces_shared=True, scores=scores(quality=Quality(*[0.8] * 9))))
    assert [said.split(":")[0][:30] for said in found] == [
        "20% of the rows to score got no"[:30],
        "4 rows are there with both lab"[:30],
        "Rows share so many pieces of e"[:30],
    ]


def test_no_name_breaks_a_table() -> None:
    text = card(made(files=(DataFile("a|b.jsonl", None, Labels(1, 1), "two\nlines"),)))
    assert "| a\\|b.jsonl | 2 | 1 (50%) | two lines | - |" in text
