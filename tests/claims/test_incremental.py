"""Sentences of a text that is still being written: the same however it comes in, and no later than need be."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from guardrail.claims.incremental import SentenceStream
from guardrail.claims.segment import Sentence, sentences

CASES: dict[str, list[str]] = {
    "abbreviations": ["Dr. Smith met Ms. Jones, e.g. in Paris.", "Max. 5 of approx. 9 came at 5 p.m. on Monday.", "So"],
    "numbers": ["It costs 3.14 euros or 1,000.50 in all.", "It was 1990.", "Then it ended."],
    "addresses": ["See https://a.example/b.c?d=e.f and mail x.y@z.example.", "Then ask v1.2.3."],
    "quotations": ['He said: "Yes. I will. Go." and left.', "She said “No. Never.”", "They (see below. It is) met."],
    "inches": ['It is 5" wide.', 'Then it is 7" long.', "End"],
    "closers": [
        "**It is bold.**",
        "It is sourced.[1][2]",
        "It is cited.【4:0†source】",
        "(It is aside.)",
        '"It is."',
        "So",
    ],
    "ellipses": ["Then he left... and came back.", "Wait...", "What?!", "Yes"],
    "initials": ["J. K. Rowling wrote it for the U.S. Army.", "Next"],
    "other marks": ["これは。", "本当？", "「はい。」", "そう！", "नमस्ते।", "كيف؟", "لا۔", "هو"],
}


def run(pieces: list[str], **options: int) -> list[Sentence]:
    stream = SentenceStream(**options)
    found = [sentence for piece in pieces for sentence in stream.feed(piece)]
    return found + stream.flush()


def texts(found: list[Sentence]) -> list[str]:
    return [sentence.text for sentence in found]


@pytest.mark.parametrize("name", CASES)
def test_an_end_is_no_stop_of_another_kind(name: str) -> None:
    assert texts(run(list(" ".join(CASES[name])))) == CASES[name]


def test_marks_of_other_scripts_need_no_white_space() -> None:
    parts = ["これは。", "本当？", "「はい。いいえ。」", "そう。"]
    assert texts(run(list("".join(parts)))) == parts


def test_a_line_is_a_sentence_and_marks_of_lists_are_none() -> None:
    text = "# 1. Title\n\nThree things:\n1. One is here. It is more.\n  2) Two\n- a. Third\r\nThe end"
    assert texts(run(list(text))) == [
        "# 1. Title",
        "Three things:",
        "1. One is here.",
        "It is more.",
        "2) Two",
        "- a. Third",
        "The end",
    ]


def test_blocks_of_code_and_tables_are_whole() -> None:
    code = "```python\nprint('A. B')\n\n# Done. Next.\n```"
    table = "| a. B | c |\n|---|---|\n| Mr. X. Yes. | 1. |"
    text = f"Before. Then:\n{code}\nBetween.\n{table}\nAfter. All"
    assert texts(run(list(text))) == ["Before.", "Then:", code, "Between.", table, "After.", "All"]


def test_places_are_those_of_the_whole_text() -> None:
    text = "  First one.\n\n Second one. 東京。 Third"
    assert [text[found.start : found.end] for found in run(list(text))] == texts(run([text]))


def test_an_end_is_declared_when_the_next_word_begins() -> None:
    stream = SentenceStream()
    assert stream.feed("It is 3") == []
    assert stream.feed(".") == []
    assert texts(stream.feed(" I")) == ["It is 3."]
    assert stream.feed("t is 5 p.m. i") == []  # may become "in the evening", and "item"
    assert texts(stream.feed("t is. So it")) == ["It is 5 p.m. it is."]
    assert texts(stream.feed(" is here.\n")) == ["So it is here."]
    assert texts(stream.feed("これは。本")) == ["これは。"]
    assert stream.pending == "本"


def test_nothing_but_white_space_is_no_sentence() -> None:
    assert run([" \n\n", "\t ", "\r\n"]) == []


ENDS = [". ", "! ", "? ", "... ", "…", ".", "。", "？", "।", "\n", "\n\n", "\r\n", "\u2028"]
PAIRS = ['"', "“", "”", "(", ")", "`", "「", "」", "[1]", "[", "**", "```\n", "\n```py\n", "\n| a | b |\n"]
WORDS = [
    "1. ",
    "\n- ",
    "Dr. ",
    "e.g. ",
    "3.14",
    " ",
    "  ",
    "\xa0",
    "\ud83d",
    "\ude00",
    "😀",
    "Yes",
    "it is",
    "A",
    " The",
]
MARKS = st.sampled_from([*ENDS, *PAIRS, *WORDS, "https://a.b/c.d"])
TEXTS = st.lists(st.one_of(MARKS, MARKS, st.text(max_size=8)), max_size=40).map("".join)


def cut(text: str, cuts: list[int]) -> list[str]:
    pieces, start = [], 0
    for size in cuts:
        pieces.append(text[start : start + size])
        start += size
    return [*pieces, text[start:]]


@given(TEXTS, st.lists(st.integers(0, 12), max_size=60))
@example("Yes.[1] It is.", [5, 1])
@example("It is 5\u2028. A", [])
@example("\n```py\n. ", [])
@example("``` x\na. B\n``", [])
@settings(max_examples=300)
def test_any_chunking_gives_the_same(text: str, cuts: list[int]) -> None:
    for limit in (2000, 40):
        whole = run([text], longest=limit)
        assert run(cut(text, cuts), longest=limit) == whole
        assert run(list(text), longest=limit) == whole


@given(TEXTS)
def test_all_but_white_space_is_in_one_sentence_each(text: str) -> None:
    found, at = run(list(text)), 0
    for sentence in found:
        assert text[sentence.start : sentence.end] == sentence.text == sentence.text.strip() != ""
        assert not text[at : sentence.start].strip()
        at = sentence.end
    assert not text[at:].strip()


@given(st.lists(st.sampled_from(CASES["abbreviations"] + CASES["numbers"] + CASES["addresses"]), max_size=6))
def test_plain_prose_is_cut_as_in_one_pass(parts: list[str]) -> None:
    # But for the abbreviations that only the incremental one knows.
    text = " ".join(part for part in parts if "Ms." not in part and "approx." not in part)
    assert run(list(text)) == sentences(text)


# what is too long


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("```\nsome code here\nmore of it", "```\nsome code here"),
        ('He said: "Yes. I will, and so on and on', 'He said: "Yes.'),
        ("One clause, and then another without an end", "One clause,"),
        ("words and words and words and wo", "words and words and words and"),
        ("x" * 50, "x" * 40),
    ],
)
def test_one_that_grows_too_long_is_cut_at_a_soft_place(text: str, first: str) -> None:
    padded = f"{text} " + "y" * 60
    assert run(list(padded), longest=40)[0].text in (first, padded[:40].rpartition(" ")[0] or first)
    assert max(len(found.text) for found in run(list(padded), longest=40)) <= 40


def test_one_that_has_waited_too_long_is_cut_where_it_can_be() -> None:
    stream = SentenceStream()
    stream.feed("One clause, and then ano")
    assert stream.cut() == Sentence(0, 11, "One clause,")
    assert stream.cut() == Sentence(12, 20, "and then")
    assert stream.cut() is None
    assert texts(stream.feed("ther. Next one")) == ["another."]
    assert texts(stream.flush()) == ["Next one"]


def test_a_block_of_code_that_is_cut_stays_one() -> None:
    stream = SentenceStream()
    stream.feed("```\nx = 1. Y\n``")
    assert stream.cut() == Sentence(0, 12, "```\nx = 1. Y")
    assert texts(stream.feed("`\nDone. Then it")) == ["```", "Done."]


SAME = [
    "a. B ",
    ".",
    '"a. B ',
    "(a. B ",
    "|a. b|\n",
    "```\nx. Y\n",
    " ",
    "a",
    "\n",
    "Dr. ",
    "。",
    "[",
    "Then it ends. ",
]


@pytest.mark.parametrize("part", SAME)
def test_the_work_grows_with_the_text_and_not_faster(part: str) -> None:
    def seconds(size: int) -> float:
        text, stream = part * (size // len(part)), SentenceStream()
        began = time.process_time()
        for at in range(0, len(text), 4):
            stream.feed(text[at : at + 4])
        stream.flush()
        return time.process_time() - began

    # Eight times the text takes about eight times as long; were all of it looked at anew, it would be sixty-four.
    small = min(seconds(4_000) for _ in range(3))
    assert min(seconds(32_000) for _ in range(2)) < 24 * small + 0.02


# what has fallen silent

ENDED = ["It is here.", "Built in 1874. ", "Is it?", '"It is." ', "これは。", "**It is.**", "It is.[1]"]
OPEN = ["It is", "It is 3.", "Dr.", "See e.g.", "1.", "J.", "at www.a.", "in main.py.", 'He said: "Yes.', "(It is.", ""]
OPEN += ["| a. ", "```\nb.", "U.S.", "Go to https://a.b/c.", "Line.\n"]


@pytest.mark.parametrize("text", ENDED)
def test_a_text_that_ends_with_a_sentence_rests(text: str) -> None:
    stream = SentenceStream()
    assert stream.feed(text) == []
    assert stream.rests
    assert stream.rest() == Sentence(0, len(text.strip()), text.strip())
    assert not stream.rests
    assert texts([*stream.feed(" Then it"), *stream.flush()]) == ["Then it"]


@pytest.mark.parametrize("text", OPEN)
def test_a_text_that_may_go_on_does_not(text: str) -> None:
    stream = SentenceStream()
    stream.feed(text)
    assert not stream.rests
    assert stream.rest() is None
