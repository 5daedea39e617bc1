"""The combination of the reading with what is new: how it is fitted."""

from __future__ import annotations

import math
import random

import pytest

from guardrail.errors import InputError
from guardrail.train.combine import FEATURES, fitted
from guardrail.train.data import Row

pytest.importorskip("sklearn", reason="scikit-learn is of the extra train: make test-train")


def drawn(source: str, wrong: float, *, seed: int, count: int = 400) -> tuple[list[Row], list[list[float]]]:
    """Rows of which a share is wrong, with a reading that tells it and a novelty that does not."""
    chance = random.Random(seed)
    rows, features = [], []
    for _ in range(count):
        label = int(chance.random() < wrong)
        rows.append(Row(source, "c", "", "a", label))
        features.append([chance.gauss(2.0 * label, 1.0), *(chance.random() for _ in FEATURES[1:])])
    return rows, features


def test_how_many_of_a_sets_answers_are_wrong_tells_nothing() -> None:
    one, told = drawn("one", 0.9, seed=1)
    other, likewise = drawn("other", 0.1, seed=2)
    # All answers of the first set are new, and of the second none is: that is the set, not the answer.
    features = [[row[0], 1.0, *row[2:]] for row in told] + [[row[0], 0.0, *row[2:]] for row in likewise]
    learned, _ = fitted(features, [*one, *other])
    assert learned["word"] < 0.3 * learned["logit"]


def test_the_mean_risk_is_the_share_of_wrong_answers() -> None:
    rows, features = drawn("one", 0.3, seed=3)
    learned, _ = fitted(features, rows)
    weighed = [sum(learned[name] * value for name, value in zip(FEATURES, row, strict=True)) for row in features]
    mean = sum(1 / (1 + math.exp(-learned["bias"] - z)) for z in weighed) / len(weighed)
    assert mean == pytest.approx(sum(row.label for row in rows) / len(rows), abs=1e-3)


def test_files_of_one_label_each_are_told_apart_by_their_answers() -> None:
    rows, features = drawn("all", 0.5, seed=4)
    apart = [Row("bad" if row.label else "good", "c", "", "a", row.label) for row in rows]
    assert fitted(features, apart)[0] == pytest.approx(fitted(features, rows)[0], abs=0.1)


def test_labels_that_are_turned_are_no_fit() -> None:
    rows, features = drawn("one", 0.5, seed=5)
    turned = [[(1 - row.label) + 0.01 * value for value in values] for row, values in zip(rows, features, strict=True)]
    with pytest.raises(InputError, match="are the labels turned"):
        fitted(turned, rows)
