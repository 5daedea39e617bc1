"""LangChain's messages as guardrail reads them: roles, parts, calls, and the documents that come with them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from guardrail_langchain.artifacts import documents_of, documents_with, parts_by_document
from guardrail_langchain.messages import read_conversation, read_message, read_turn

DOCS = [Document("The pool closes at nine.", metadata={"title": "Hours"}), Document("A day ticket is 9.40.")]


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


@pytest.mark.parametrize(
    ("message", "role"),
    [
        (SystemMessage("x"), "system"),
        (SystemMessage("x", additional_kwargs={"__openai_role__": "developer"}), "developer"),
        (HumanMessage("x"), "user"),
        (AIMessage("x"), "assistant"),
        (AIMessageChunk(content="x"), "assistant"),
        (ToolMessage("x", tool_call_id="1"), "tool"),
        (FunctionMessage(content="x", name="f"), "tool"),
        (ChatMessage(content="x", role="assistant"), "assistant"),
        (ChatMessage(content="x", role="critic"), "user"),
    ],
)
def test_every_kind_of_message_has_its_role(message: BaseMessage, role: str) -> None:
    [read] = read_conversation([message])
    assert (read.role, read.text) == (role, "x")


def test_parts_without_text_are_named() -> None:
    parts: list[Any] = ["a", {"type": "text", "text": "b"}, {"type": "image_url", "image_url": "data:"}]
    read = read_message(HumanMessage(content=parts))
    assert (read.parts, read.omitted) == (("a", "b"), ("image_url",))


def test_calls_are_read_whether_their_arguments_are_json_or_not() -> None:
    good = {"name": "search", "args": {"q": "\u00fc"}, "id": "1"}
    bad = {"name": "search", "args": "{", "id": "2", "error": None, "type": "invalid_tool_call"}
    read = read_message(AIMessage("", tool_calls=[good], invalid_tool_calls=[bad]))
    assert [(call.id, call.arguments) for call in read.tool_calls] == [("1", '{"q": "\u00fc"}'), ("2", "{")]


def test_a_turn_has_what_its_provider_said_of_it() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1}]}
    turn = read_turn(AIMessage("ab"), {"finish_reason": "stop", "logprobs": logprobs})
    assert (turn.text, turn.finish_reason, turn.logprobs) == ("ab", "stop", (-0.5, -1.0))
    assert read_turn(AIMessage("", additional_kwargs={"refusal": "No."}), {}).refusal == "No."
    assert read_turn(AIMessage(content=[{"type": "refusal", "refusal": "No."}]), {}).refusal == "No."
    assert read_turn(AIMessage("a", response_metadata={"logprobs": {"content": ["?"]}}), {}).logprobs is None


def test_the_arguments_of_the_one_call_are_the_answer_where_it_is_structured() -> None:
    message = AIMessage("", tool_calls=[{"name": "City", "args": {"name": "Paris"}, "id": "1"}])
    assert read_turn(message, {}, structured=True).text == '{"name": "Paris"}'
    assert read_turn(message, {}).tool_calls[0].name == "City"


def test_documents_in_the_content_are_evidence_and_not_what_the_user_says() -> None:
    content: list[Any] = [
        {"type": "document", "title": "Hours", "source": {"type": "text", "data": "The pool closes at nine."}},
        {"type": "document", "source": {"type": "content", "content": [text("It opens at six.")]}},
        {"type": "document", "source": {"type": "base64", "data": "QUJD"}},
        {
            "type": "search_result",
            "source": "https://a.example",
            "title": "A",
            "content": [{"type": "text", "text": "B"}],
        },
        {"type": "text-plain", "text": "A day ticket is 9.40.", "title": "Fares"},
        text("When does it close?"),
    ]
    message = HumanMessage(content=content)
    found = [(piece.text, piece.title, piece.url) for piece in documents_with([message])]
    assert found == [
        ("The pool closes at nine.", "Hours", None),
        ("It opens at six.", None, None),
        ("B", "A", "https://a.example"),
        ("A day ticket is 9.40.", "Fares", None),
    ]
    assert read_message(message).text == "When does it close?"


@pytest.mark.parametrize(
    "artifact",
    [DOCS, {"documents": DOCS}, {"context": DOCS}, [{"text": DOCS[0].page_content}, {"content": DOCS[1].page_content}]],
)
def test_artifacts_of_any_usual_form_hold_documents(artifact: Any) -> None:
    message = ToolMessage("x", tool_call_id="1", artifact=artifact)
    assert [piece.text for piece in documents_with([message])] == [doc.page_content for doc in DOCS]
    assert {piece.origin for piece in documents_with([message])} == {"tool"}


@pytest.mark.parametrize("artifact", [None, 3, "text", b"bytes", {"rows": 3}, [1, 2], [{"id": 1}], Document("")])
def test_artifacts_may_be_anything_else(artifact: Any) -> None:
    assert documents_of(artifact) == ()


def test_a_text_that_is_made_of_documents_alone_is_cut_at_their_edges() -> None:
    documents = documents_of(DOCS)
    texts = tuple(doc.page_content for doc in DOCS)
    assert parts_by_document(("\n\n".join(texts),), documents) == texts
    for other in (("Something else.",), (f"{texts[0]}{'x' * 99}{texts[1]}",), texts, (texts[0],)):
        assert parts_by_document(other, documents) == other
