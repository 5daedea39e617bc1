"""Who did what: found where the answer names another than the evidence, and nothing that is told right."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.checks.deeds import deeds, not_done

WRONG = [
    ("The novel was written by Iris Tan in 1990.", "Leo Marsh wrote the novel.", "Leo Marsh", "Iris Tan"),
    ("Goals were scored by Ito and Marsh.", "Goals were scored by Keane.", "Keane", "Ito"),
    ("Kerr advised Orbita; Tallis advised the buyer.", "Carto Nova was advised by Kerr.", "Kerr", "Tallis"),
    ("Your adviser is Helen Park.", "Please write to your adviser, Tom Reyes.", "Tom Reyes", "Helen Park"),
]  # fmt: skip
RIGHT = [
    ("The novel was written by Iris Tan in 1990.", "Iris Tan wrote the novel."),
    ("The novel was written by Iris Tan in 1990.", "Leo Marsh did not write the novel."),
    ("The composer Pyotr Tchaikovsky wrote the ballet.", "Pyotr Chaikovsky wrote the ballet."),
    ("Ana Rey of Acme chairs the panel.", "The panel is chaired by Ana Rey."),
    ("Ana Rey wrote the play.", "Ben Ohm wrote the music."),
]  # fmt: skip


@pytest.mark.parametrize(("told", "said", "wrong", "instead"), WRONG)
def test_a_deed_of_another_is_found_with_whose_it_is(told: str, said: str, wrong: str, instead: str) -> None:
    found = list(not_done(deeds(said), deeds(told)))
    assert [(name.text, rival.text) for name, rival in found] == [(wrong, instead)]


@pytest.mark.parametrize(("told", "said"), RIGHT)
def test_deeds_that_are_told_right_or_of_nobody_else_are_not_found(told: str, said: str) -> None:
    assert list(not_done(deeds(said), deeds(told))) == []


TEXTS = st.lists(
    st.sampled_from(
        ["Ana", " Rey", " wrote", " it", ", ", "was written by ", "Ben", " of ", ". ", "The ", "play", " not", "\n"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_doers_quote_their_text_and_a_text_agrees_with_itself(text: str) -> None:
    found = deeds(text)
    assert all(text[name.start : name.end] == name.text for deed in found for name in deed.doers)
    assert list(not_done(found, found)) == []
