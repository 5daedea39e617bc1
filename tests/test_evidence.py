"""What `collect` finds, held against labelled prompts; and what must hold for every text."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.conversation import Evidence, Message
from guardrail.errors import ConfigError
from guardrail.grounding import as_evidence, collect, missing_note
from guardrail.wire.messages import read_messages

ROWS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "evidence_prompts.jsonl").read_text(encoding="utf-8").splitlines()
]


def found_and_expected(row: dict[str, Any]) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    found: set[tuple[str, str]] = {(piece.origin, piece.text) for piece in collect(read_messages(row["messages"]))}
    return found, {(piece["origin"], piece["text"]) for piece in row["evidence"]}


WRITTEN = "Message: the bus is late.\nFrom: Ann"


def user(text: str) -> Message:
    return Message("user", (text,))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['id']}-{row['style']}")
def test_a_labelled_prompt_gives_its_evidence(row: dict[str, Any]) -> None:
    found, expected = found_and_expected(row)
    assert found == expected


@pytest.mark.parametrize("row", [row for row in ROWS if row["evidence"]], ids=lambda row: f"{row['id']}-{row['style']}")
def test_titles_and_addresses_are_found_beside_the_text(row: dict[str, Any]) -> None:
    found = {piece.text: (piece.title, piece.url) for piece in collect(read_messages(row["messages"]))}
    assert found == {piece["text"]: (piece.get("title"), piece.get("url")) for piece in row["evidence"]}


def test_precision_and_recall_over_all_labelled_prompts(capsys: pytest.CaptureFixture[str]) -> None:
    """By piece: text and origin must both be right."""
    pairs = [found_and_expected(row) for row in ROWS]
    right = sum(len(found & expected) for found, expected in pairs)
    precision = right / sum(len(found) for found, _ in pairs)
    recall = right / sum(len(expected) for _, expected in pairs)
    with capsys.disabled():
        print(f"\nevidence: {len(ROWS)} prompts, precision {precision:.3f}, recall {recall:.3f}")
    assert len(ROWS) == 101
    assert precision >= 0.98
    assert recall >= 0.98


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Answer the following questions based on the passage:\n\nOwls eat voles.\n\n1. What do they eat?",
            [("retrieved", "Owls eat voles.")],
        ),
        (
            "Search results:\n[Document 1] Title: Rain\nIt rained.\n[Document 2] Title: Sun\nIt shone.\n\nDid it?",
            [("retrieved", "It rained."), ("retrieved", "It shone.")],
        ),
        (
            "--- BEGIN DOCUMENT ---\nThe fee is 20 euros.\n--- END DOCUMENT ---\nWhat is it?",
            [("retrieved", "The fee is 20 euros.")],
        ),
        ('{"documents": [{"text": "Defoe wrote it."}]}', [("retrieved", "Defoe wrote it.")]),
        ("I own a kettle. It leaks. What now?", [("user", "I own a kettle. It leaks.")]),
        ("Now make it about snow and use the word 'silent'.", []),
        ("문서: 도서관은 월요일에 쉽니다.\n\n질문: 월요일에 열어요?", [("retrieved", "도서관은 월요일에 쉽니다.")]),
        ("<context>---</context>", []),
        ("<handbook>Lunch is at one.</handbook>\nWhen is lunch?", [("retrieved", "Lunch is at one.")]),
        ("Write a card for Ann. It has to be short. She is 40.", [("user", "She is 40.")]),
        ("Context:\nMessage: the bus is late.\nFrom: Ann\n\nWho is late?", [("retrieved", WRITTEN)]),
        ("Who wrote this?\n> Context: none was given.", [("user", "> Context: none was given.")]),
        ("[DOCUMENT]\nIt rained.\n[/DOCUMENT]\nDid it?", [("retrieved", "It rained.")]),
        ("Name a shop. It should be a funny name.", []),
    ],
)
def test_a_users_prompt_that_was_once_misread(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(piece.origin, piece.text) for piece in collect((user(text),))] == expected


REFUNDS = "Refunds are possible within 30 days. It's free."
PARCEL = 'The parcel is "free".'


FIRST = f"metadata={{'source': 'r.md'}}, page_content={REFUNDS!r}"
SPELLED = {
    "list": f"[Document({FIRST}), Document(page_content={PARCEL!r})]",
    "id": f"[Document(id='a', {FIRST}),\n Document(page_content={PARCEL!r})]",
    "str": f"page_content={REFUNDS!r} metadata={{'source': 'r.md'}}\n\npage_content={PARCEL!r}",
}


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
@pytest.mark.parametrize("role", ["system", "user"])
def test_documents_that_a_chain_did_not_format_are_evidence(spelled: str, role: Literal["system", "user"]) -> None:
    found = collect([Message(role, (f"Answer from the context:\n{spelled}\n\nQuestion: how long?",))])
    assert found == (Evidence(REFUNDS, "retrieved", url="r.md"), Evidence(PARCEL, "retrieved"))


def test_metadata_that_is_no_literal_costs_the_title_and_not_the_text() -> None:
    spelled = "[Document(metadata={'date': datetime.date(2024, 1, 2)}, page_content='Open at nine.')]"
    assert collect([user(f"Use this:\n{spelled}")]) == (Evidence("Open at nine.", "retrieved"),)


@pytest.mark.parametrize(
    "said", ["Answer from the context:", "Reply using only our documents:", "Help the customer with these facts:"]
)
def test_a_request_to_answer_from_grounding_announces_it(said: str) -> None:
    assert collect([Message("system", (f"{said}\n{PARCEL}",))]) == (Evidence(PARCEL, "retrieved"),)


def test_a_sample_of_the_wanted_json_in_a_system_prompt_is_no_document() -> None:
    prompt = 'You are a JSON API. Return a list of objects:\n```json\n[{"name": "string", "price": 0}]\n```'
    assert collect((Message("system", (prompt,)),)) == ()


def test_the_order_is_given_tool_retrieved_user_and_repetitions_count_once() -> None:
    conversation = (
        user("<context>The pool closes at nine.</context> I live in Leeds. When does it close?"),
        Message("tool", ("Sunny today.",), name="weather"),
        user("<context>The  pool closes at nine.</context>"),
    )
    mine = Evidence("The sauna is hot.", "search")
    found = collect(conversation, (mine, mine))
    assert [piece.origin for piece in found] == ["search", "tool", "retrieved", "user"]
    assert found[0] is mine


def test_what_the_caller_gives_wins_over_the_same_text_in_a_prompt() -> None:
    given_piece = Evidence("The pool closes at nine.", "caller", title="Rules")
    assert collect((user("<context>The pool closes at nine.</context>"),), (given_piece,)) == (given_piece,)


def test_the_missing_note_names_the_line_that_supplies_evidence() -> None:
    assert "with guardrail.evidence(docs): ..." in missing_note()


class Document:
    """What LangChain's document looks like."""

    def __init__(self) -> None:
        self.page_content = "The lease ends in May."
        self.metadata = {"source": "lease.pdf", "title": "Lease"}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (" A fact. ", Evidence("A fact.", "caller")),
        (Evidence("A fact.", "knowledge"), Evidence("A fact.", "knowledge")),
        ({"text": "A fact.", "title": "T", "url": "u"}, Evidence("A fact.", "caller", "T", "u")),
        ({"body": "A fact.", "metadata": {"source": "u"}}, Evidence("A fact.", "caller", None, "u")),
        (Document(), Evidence("The lease ends in May.", "caller", "Lease", "lease.pdf")),
    ],
)
def test_documents_of_many_shapes_become_evidence(item: object, expected: Evidence) -> None:
    assert as_evidence(item) == expected


@pytest.mark.parametrize("item", [3, None, "", "  ", {}, {"title": "only"}, {"text": 5}, b"bytes", object()])
def test_what_holds_no_text_is_refused_with_a_remedy(item: object) -> None:
    with pytest.raises(ConfigError, match=r"no text.*pass a string, an Evidence, a mapping"):
        as_evidence(item)


def hostile() -> list[str]:
    """Long enough to make anything quadratic take minutes."""
    units = (
        "<",
        "<a>",
        "<document>",
        "</document>",
        '<a b="',
        "<a b=",
        "[",
        "[{",
        "\n[{",
        "[1] a\n",
        "1. a\n",
        "```\n",
        '"""\n',
        "---\n",
        "Context:\n",
        "Context:\n---\n",
        "Context: a\nAnswer: b\n",
        "a. ",
        "a ",
        " ",
        "\n",
        "\n \n",
        "# ",
        "#\n",
        "**",
        ":",
        "。",
        "[1] ",
        "\t",
        "Source: a\n\n",
        "the following context ",
        "Use the following context\n",
        "Summarise: ",
        "> ",
        "> a\n",
        "|",
        "| a |\n",
        "|-",
        "|-|\n",
        "(",
        "(a: ",
        '{"',
        '{"context": "',
        "a: |\n",
        "Write. It is. ",
        "«. ",
    )
    return [unit * (60_000 // len(unit)) for unit in units]


@pytest.mark.parametrize("text", hostile(), ids=lambda text: repr(text[:16]))
def test_hostile_text_takes_linear_time(text: str) -> None:
    begin = time.process_time()
    collect((user(text), Message("system", (text,)), Message("tool", (text,))))
    assert time.process_time() - begin < 5.0


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<document>",
                "</document>",
                "<context>",
                "</context>",
                "Context:",
                "Question: ",
                "Answer: no",
                "\n",
                "\n\n",
                "```",
                '"""',
                "---",
                "[1] ",
                "[2] ",
                "The sky is blue. ",
                "Is it? ",
                "Use the following text:",
                '[{"text": "a"}]',
                "# Rules",
                "Title: x",
                "> ",
                "| a |\n",
                "| - |\n",
                '{"context": "a. b"}',
                "Review: ",
                "File: a.txt",
                "text: |",
                "Passage 1 (x: ",
                "[/CONTEXT]",
            ]
        ),
        max_size=25,
    ).map("".join)
)
def test_every_piece_stands_in_the_text_and_finding_is_stable(text: str) -> None:
    """A piece's words all come from the prompt, in order: nothing is made up."""
    found = collect((user(text),))
    assert found == collect((user(text),))
    words = text.replace("<", " <").replace(">", "> ").replace('"', ' " ').split()
    for piece in found:
        assert piece.text.strip()
        assert piece.origin in ("retrieved", "user")
        left = iter("".join(words))
        assert all(letter in left for letter in "".join(piece.text.replace('"', ' " ').split()))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["assistant", "system", "user"]))
def test_any_text_can_be_read_and_an_answer_is_never_evidence(text: str, role: str) -> None:
    found = collect((Message(role, (text,)),))  # type: ignore[arg-type]
    assert role != "assistant" or found == ()
    assert role != "system" or all(piece.origin == "retrieved" for piece in found)
