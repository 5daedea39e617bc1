"""Labels and sources of rows."""

from __future__ import annotations

import pytest

from guardrail.errors import InputError
from guardrail.evaluate.labels import read_label, read_source

UNRELIABLE = (1, 1.0, True, "unreliable", "Unreliable")
RELIABLE = (0, 0.0, False, "reliable", "RELIABLE")
NEITHER = (2, -1, 0.5, "", "1", "good", "hallucinated", [1], {"label": 1}, "x" * 10_000)


@pytest.mark.parametrize("label", UNRELIABLE)
def test_one_true_and_the_word_say_unreliable(label: object) -> None:
    assert read_label({"label": label}) is True


@pytest.mark.parametrize("label", RELIABLE)
def test_zero_false_and_the_word_say_reliable(label: object) -> None:
    assert read_label({"label": label}) is False


@pytest.mark.parametrize("label", NEITHER)
def test_what_is_no_label_is_named_with_what_would_be(label: object) -> None:
    with pytest.raises(InputError, match=r"label: expected 0 or reliable, or 1 or unreliable, got ") as error:
        read_label({"label": label})
    assert len(str(error.value)) < 120


@pytest.mark.parametrize("row", [{}, {"label": None}, {"Label": 1}])
def test_no_label_is_missing(row: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r'"label" is missing'):
        read_label(row)


def test_a_row_without_source_counts_for_something_else() -> None:
    assert read_source({"source": "qa"}, "file") == "qa"
    assert read_source({"source": ""}, "file") == "file"
    assert read_source({"source": None}, "file") == "file"
    assert read_source({}, "file") == "file"
    with pytest.raises(InputError, match="source: expected a string, got 3"):
        read_source({"source": 3}, "file")
