"""Which sentences of an answer are read together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.claims import claims
from guardrail.verifiers.embedded.units import Unit, room, units


def read(answer: str, *, words: int = 60, since: int = 0) -> list[Unit]:
    said = [claim for claim in claims(answer) if claim.end > since]
    return units(answer, said, room=words, since=since)


def texts(answer: str, *, words: int = 60, since: int = 0) -> list[str]:
    return [unit.text for unit in read(answer, words=words, since=since)]


def test_neighbours_stand_together_as_far_as_there_is_room() -> None:
    answer = "It opened in May. It is tall. It stands in Paris. It is made of iron."
    assert texts(answer) == [answer]
    assert texts(answer, words=11) == [
        "It opened in May. It is tall. It stands in Paris.",
        "It stands in Paris. It is made of iron.",
    ]


def test_without_room_every_claim_is_a_unit() -> None:
    assert texts("It opened in May. It is tall.", words=0) == ["It opened in May.", "It is tall."]


def test_what_is_no_claim_stands_beside_what_is() -> None:
    (unit,) = read("Do you know the tower? It is tall. Let me know if you want more!")
    assert unit.text == "Do you know the tower? It is tall. Let me know if you want more!"
    assert [claim.text for claim in unit.claims] == ["It is tall."]


def test_a_unit_without_a_claim_is_none() -> None:
    assert texts("Would you like to know more?") == []


def test_the_last_unit_reaches_back_as_far_as_there_is_room() -> None:
    answer = "One two three four. Five six seven eight. Nine ten eleven twelve."
    assert texts(answer, words=8) == [
        "One two three four. Five six seven eight.",
        "Five six seven eight. Nine ten eleven twelve.",
    ]


def test_what_was_read_before_is_read_again_only_beside_what_is_new() -> None:
    answer = "The tower is old. It opened in May. It is tall."
    since = answer.index(" It is tall")
    (unit,) = read(answer, since=since)
    assert unit.text == answer
    assert [claim.text for claim in unit.claims] == ["It is tall."]
    assert texts(answer, words=8, since=since) == ["It opened in May. It is tall."]


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_no_unit_reaches_over_code(fence: str) -> None:
    answer = f"The tower is old.\n{fence}\nprint(1)\n{fence}\nIt opened in May."
    assert texts(answer) == ["The tower is old.", "It opened in May."]


def test_long_evidence_is_held_against_one_claim_at_a_time() -> None:
    assert room(100) > 0
    assert room(1000) == 0


@given(
    st.lists(
        st.sampled_from(["It is tall.", "Hello!", "Is it?", "The tower opened in 1889.", "a " * 70 + "b."]), max_size=9
    ),
    st.integers(0, 80),
    st.integers(0, 60),
)
def test_every_claim_stands_in_one_unit(said: list[str], words: int, since: int) -> None:
    answer = " ".join(said)
    stated = [claim for claim in claims(answer) if claim.end > since]
    made = units(answer, stated, room=words, since=since)
    assert [claim for unit in made for claim in unit.claims] == stated
    assert all(claim.text in unit.text for unit in made for claim in unit.claims)
    assert all(unit.text in answer for unit in made)
