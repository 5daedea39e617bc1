"""Where an answer is gone on with."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.gate import split_text
from guardrail.streams.joining import Joint

SHOWN = "France is a country. It has a capital."
JOINED = [
    ("The capital is Paris.", "The capital is Paris."),
    (" The capital is Paris.", " The capital is Paris."),
    ("It has a capital. The capital is Paris.", " The capital is Paris."),
    (f"{SHOWN} The capital is Paris.", " The capital is Paris."),
    ("France is a country.\nIt has a capital.\n\nThe capital is Paris.", "\n\nThe capital is Paris."),
    ("It has a capital, and that is Paris.", "It has a capital, and that is Paris."),
    ("It has", ""),
    ("", ""),
]


def joined(pieces: list[str]) -> tuple[str, bool]:
    joint = Joint(SHOWN, split_text)
    said = [text for piece in pieces for _, text in joint.feed(piece, piece)]
    said += [text for _, text in joint.end()]
    return "".join(said), joint.restarted


@pytest.mark.parametrize(("said", "new"), JOINED)
def test_what_is_shown_already_is_cut_off(said: str, new: str) -> None:
    assert joined([said]) == (new, False)


@given(st.sampled_from(JOINED), st.lists(st.integers(0, 80), max_size=6))
def test_chunks_make_no_difference(case: tuple[str, str], places: list[int]) -> None:
    said, new = case
    at = [0, *sorted({place % (len(said) + 1) for place in places}), len(said)]
    assert joined([said[a:b] for a, b in pairwise(at)]) == (new, False)


def test_an_answer_that_is_begun_anew_in_other_words_is_told() -> None:
    assert joined(["France is a country. Its capital is Paris."])[1]


def test_pieces_without_text_are_kept() -> None:
    joint = Joint(SHOWN, split_text)
    assert joint.feed("<role>", "") == []
    assert joint.feed("It has a capital.", "It has a capital.") == [("<role>", "")]
    assert joint.feed(" So", " So") == [(" So", " So")]
