"""No check raises, whatever the texts are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.checks import CHECKS, Case
from guardrail.conversation import Evidence, Message

PIECES = [
    "Ana", "Rey", "Acme Corp", "Ltd", "-", "–", " - ", " ", "'", "’s", ".", "...", ",", ";", ":", "?", "!", "\n",
    "\t", "|", "| - |",
    "\u00a0", "\ufffc", "(", ")", "[", "]", "[1]", "[^1]", "[0]", "²", '"', "“", "”", "`", "```", "**", "#", "/",
    "@", "_", "&", "%",
    "0", "00", "1", "12", "9999", "1.5", "1,000", "1/2", "½", "-3", "12:30", "24:00", "7 pm", "31 June",
    "2024-02-30", "1900", "'99",
    "Q1 2025", "the 1990s", "Monday", "May", "next week", "three", "a dozen", "half", "first", "hundred", "km", "°C",
    "€", "$", "kg",
    "is", "are", "not", "n't", "was", "and", "or", "of", "from", "to", "by", "with", "than", "total", "average",
    "per", "each",
    "I suggested", "you can", "you cannot", "said", "=", "+", "×", "÷", "É", "ß", "ﬁ", "中文", "𝒳", "\U0001f389",
    "\u0301", "ı", "İ",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=16).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=16).map(" ".join),
    st.text(max_size=40),
)


def checked(answer: str, told: str, before: str = "", question: str = "") -> None:
    case = Case(
        answer,
        [Evidence(told, "retrieved", title=before), Evidence(question, "tool")],
        [Message("user", (told,)), Message("assistant", (before,)), Message("user", (question,))],
    )
    for check in CHECKS.values():
        assert all(answer[f.start : f.end] == f.text != "" for f in check(case))


@pytest.mark.parametrize("told", ["Ana Rey- and more", "Ana -Rey", "- Ana Rey", " Ana Rey Ltd-"])
def test_names_with_hyphens_at_their_ends_are_read(told: str) -> None:
    checked("The RPL wrote it.", told)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_check_raises_and_findings_quote_the_answer(answer: str, told: str, before: str, question: str) -> None:
    checked(answer, told, before, question)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_no_check_raises_where_the_texts_share_their_words(one: str, two: str) -> None:
    checked(f"{one} {two}", f"{two} {one}", f"{one}", f"{two}?")


def test_a_note_that_names_itself_is_read() -> None:
    checked("So it is [1] [1]\n- [1]", "It is so [1].")
    checked("So it is [1][2].\n\n[1]: 2\n[2]: 1", "It is so.")
