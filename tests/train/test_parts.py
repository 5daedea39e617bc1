"""Which rows are trained on, which are held out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import InputError
from guardrail.train.example import Example
from guardrail.train.parts import LEAST, Parts, parts
from tests.train.rows import example, many


def three(found: Parts) -> list[tuple[Example, ...]]:
    return [found.trained, found.choosing, tuple(row.example for row in found.scoring)]


def divided(rows: list[Example], *, hold_out: float = 0.3, seed: int = 1) -> Parts | None:
    try:
        return parts(rows, hold_out=hold_out, seed=seed)
    except InputError:
        return None


def pieces(rows: tuple[Example, ...]) -> set[str]:
    return {piece for row in rows for piece in row.pieces}


@given(st.lists(st.sets(st.integers(0, 150), min_size=1, max_size=2), min_size=100, max_size=150), st.integers(0, 9))
def test_no_evidence_is_in_two_parts_and_no_row_is_lost(contexts: list[set[int]], seed: int) -> None:
    rows = [
        example(
            f"Gate {place} is red.", evidence=[f"Text {number}." for number in sorted(told)], unreliable=place % 2 > 0
        )
        for place, told in enumerate(contexts)
    ]
    found = divided(rows, hold_out=0.4, seed=seed)
    if found is None:
        return
    assert sorted(row.digest for part in three(found) for row in part) == sorted(row.digest for row in rows)
    if not found.pieces_shared:
        trained, choosing, scoring = map(pieces, three(found))
        assert not trained & choosing
        assert not trained & scoring
        assert not choosing & scoring


def test_about_the_asked_share_is_held_out_half_to_choose_by_and_half_to_score() -> None:
    found = parts(many(200), hold_out=0.3, seed=1)
    assert [len(part) for part in three(found)] == [280, 60, 60]
    assert found.contexts == 200


def test_the_seed_decides_and_the_order_of_rows_does_not() -> None:
    rows = many(100)
    held = {row.digest for row in parts(rows, hold_out=0.3, seed=1).choosing}
    assert {row.digest for row in parts(rows[::-1], hold_out=0.3, seed=1).choosing} == held
    assert {row.digest for row in parts(rows, hold_out=0.3, seed=2).choosing} != held


def test_a_context_with_half_of_all_rows_is_trained_on() -> None:
    common = [example(f"Door {n} is red.", evidence=["The old hall."], unreliable=n % 2 > 0) for n in range(100)]
    found = parts([*common, *many(50)], hold_out=0.3, seed=1)
    assert {row.digest for row in common} <= {row.digest for row in found.trained}


def test_rows_that_all_share_a_piece_of_evidence_are_divided_by_the_whole_of_it() -> None:
    rows = [
        example(f"Gate {n} is red.", evidence=["House rules.", f"Text {n}."], unreliable=n % 2 > 0) for n in range(100)
    ]
    found = parts(rows, hold_out=0.3, seed=1)
    assert found.pieces_shared
    assert [len(part) for part in three(found)] == [70, 15, 15]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([example(f"Gate {n} is red.") for n in range(100)], "no usable row is labelled unreliable"),
        ([example(f"Gate {n} is red.", unreliable=True) for n in range(100)], "no usable row is labelled reliable"),
        (many(7), "7 usable rows are labelled reliable, too few to train on: it takes 15"),
        (
            [example(f"Gate {n} is red.", unreliable=n % 2 > 0) for n in range(100)],
            "100 rows with 1 different contexts cannot be divided",
        ),
    ],
    ids=["all reliable", "all unreliable", "few", "one context"],
)
def test_rows_that_cannot_be_divided_are_refused_with_the_reason(rows: list[Example], says: str) -> None:
    with pytest.raises(InputError, match=says):
        parts(rows, hold_out=0.3, seed=1)


@pytest.mark.parametrize("bad", [15, 20, 40, 80])
def test_every_part_has_rows_of_both_labels_or_all_are_refused(bad: int) -> None:
    rows = [example(f"Gate {n} is red.", evidence=[f"Text {n}."], unreliable=n < bad) for n in range(400)]
    found = divided(rows)
    assert found is None or all(sum(row.unreliable for row in part) >= LEAST for part in three(found))
    assert found is not None or bad < 80
