"""Where a quotation stands in an answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardrail.verifiers.dialects.quotes import locate


@given(st.text(), st.text(min_size=1).filter(str.strip), st.text())
def test_words_of_the_answer_are_found_where_they_first_stand(before: str, quote: str, after: str) -> None:
    answer = before + quote + after
    place = locate(quote, answer)
    assert place is not None
    assert answer[slice(*place)] == quote.strip()
    assert place[0] == answer.find(quote.strip())


@given(st.lists(st.text(alphabet="ab'’\"“”-–", min_size=1), min_size=1), st.text(alphabet=" \n\t", min_size=1))
def test_white_space_quotation_marks_and_dashes_do_not_matter(words: list[str], gap: str) -> None:
    answer = "x " + gap.join(words) + " y"
    plain = " ".join(words).translate(str.maketrans("’“”–", '\'""-'))
    place = locate(plain, answer)
    assert place is not None
    assert answer[slice(*place)].split() != []


@given(st.text(), st.text())
def test_a_place_is_always_within_the_answer(quote: str, answer: str) -> None:
    place = locate(quote, answer)
    assert place is None or 0 <= place[0] < place[1] <= len(answer)


def test_nothing_stands_nowhere() -> None:
    assert locate("", "text") is None
    assert locate(" \n", "text") is None
    assert locate('""', "text") is None
    assert locate("other", "text") is None
