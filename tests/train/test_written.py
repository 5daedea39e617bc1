"""The answers that were written for the model."""

from __future__ import annotations

from collections import Counter
from statistics import mean

from guardrail.train.data import WRITTEN, Row, split
from guardrail.train.written import by_sentence, written


def row(answer: str, label: int) -> Row:
    return Row(WRITTEN, "The gate is red. It opens at nine.", "What is known of the gate?", answer, label)


def test_each_context_has_as_many_right_as_wrong_answers_of_like_length() -> None:
    rows = written()
    labels = Counter((row.context, row.label) for row in rows)
    assert set(labels.values()) == {2}
    right, wrong = (mean(len(row.answer) for row in rows if row.label == label) for label in (0, 1))
    assert abs(right - wrong) < 0.05 * right


def test_about_an_eighth_is_held_out_and_no_context_is_in_both_parts() -> None:
    rows = written()
    train, held = split(rows)
    assert 0.08 < len(held) / len(rows) < 0.17
    assert not {row.context for row in train} & {row.context for row in held}


def test_of_a_wrong_answer_the_sentence_that_no_right_one_has_is_the_wrong_one() -> None:
    rows = [
        row("The gate is painted red. It opens at nine o'clock.", 0),
        row("The gate is painted red. It opens at ten o'clock.", 1),
    ]
    assert [(found.answer, found.label) for found in by_sentence(rows)] == [
        ("The gate is painted red.", 0),
        ("It opens at nine o'clock.", 0),
        ("It opens at ten o'clock.", 1),
    ]


def test_where_several_sentences_are_new_nothing_is_known_of_any() -> None:
    assert by_sentence([row("The gate is painted green. It opens at ten o'clock.", 1)]) == []
