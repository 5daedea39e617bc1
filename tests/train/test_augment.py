"""Rows that are made of others: what is changed, and what the label of the change is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.train.augment import augmented, chatty, distracted, edited, unsupported
from guardrail.train.data import Row, split

TOWER = Row(
    "fever_nli_binary",
    "The tower was opened in 1889. It stands in Paris near the river Seine. Stephen Sauvestre drew its shape.",
    "",
    "The tower was opened in 1889.",
    0,
)
OTHER = Row("fever_nli_binary", "Bees make honey. They live in hives.", "", "Bees make honey.", 0)


@given(st.integers())
def test_an_edit_makes_another_answer_that_is_wrong(seed: int) -> None:
    made = edited(TOWER, random.Random(seed))
    assert made is not None
    assert made.answer != TOWER.answer
    assert (made.label, made.context, made.source) == (1, TOWER.context, TOWER.source)


def test_what_has_nothing_to_change_is_not_edited() -> None:
    assert edited(Row("begin", "x", "", "so be it", 0), random.Random(1)) is None


@given(st.integers(), st.sampled_from([0, 1]))
def test_what_is_said_as_in_a_dialogue_states_the_same(seed: int, label: int) -> None:
    row = Row(TOWER.source, TOWER.context, "", TOWER.answer, label)
    made = chatty(row, random.Random(seed))
    assert "opened in 1889" in made.answer
    assert (made.label, made.context) == (label, row.context)


@given(st.integers())
def test_a_distraction_leaves_the_evidence_and_the_answer(seed: int) -> None:
    made = distracted(TOWER, OTHER, random.Random(seed))
    assert TOWER.context in made.context
    assert "Bees make honey." in made.context
    assert (made.answer, made.label) == (TOWER.answer, 0)


def test_without_the_sentence_that_bears_it_out_an_answer_is_wrong() -> None:
    made = unsupported(TOWER)
    assert made is not None
    assert "1889" not in made.context
    assert made.label == 1


@pytest.mark.parametrize(
    "context",
    ["The tower was opened in 1889.", "The tower was opened in 1889. In 1889, the tower was opened. It is old."],
)
def test_nor_is_it_made_where_the_rest_may_bear_it_out(context: str) -> None:
    assert unsupported(Row("begin", context, "", TOWER.answer, 0)) is None


def test_the_same_seed_makes_the_same_rows_and_all_that_were_given_stay_in_number() -> None:
    rows = [TOWER, OTHER] * 20
    assert augmented(rows, seed=3) == augmented(rows, seed=3)
    assert len(augmented(rows, seed=3)) >= len(rows)
    assert augmented(rows, seed=3) != augmented(rows, seed=4)


def test_no_row_that_is_held_out_shares_its_evidence_with_one_that_is_trained_on() -> None:
    rows = [Row("begin", f"House {n // 2} is old.", "", "It is old.", n % 2) for n in range(400)]
    train, held = split(rows)
    assert held
    assert not {row.context for row in train} & {row.context for row in held}
    assert len(train) + len(held) == len(rows)
