"""Chunks of streams taken apart."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk
from langchain_core.runnables.utils import AddableDict

from guardrail_langchain import answers
from guardrail_langchain.messages import text_of
from guardrail_langchain.pieces import About, Piece, body_of, like, split, whole_chunk

TEXTS = st.text(min_size=1, max_size=12)
BLOCKS = st.lists(
    st.one_of(
        TEXTS,
        st.builds(lambda text, at: {"type": "text", "text": text, "index": at}, TEXTS, st.integers(0, 3)),
        st.just({"type": "reasoning", "reasoning": "hm"}),
    ),
    max_size=4,
)
CONTENTS = st.one_of(TEXTS, BLOCKS)


@given(CONTENTS, st.data())
def test_the_two_parts_of_a_piece_have_its_text_and_nothing_else_twice(content: Any, data: st.DataObject) -> None:
    message = AIMessageChunk(content=content, id="1", additional_kwargs={"a": 1})
    at = data.draw(st.integers(0, len(text_of(message))))
    first, second = split(Piece(0, ChatGenerationChunk(message=message)), at)
    assert text_of(first.chunk.message) == text_of(message)[:at]
    assert text_of(second.chunk.message) == text_of(message)[at:]
    assert second.chunk.message.additional_kwargs == {}
    other = [str(part.chunk.message.content).count("reasoning'") for part in (first, second)]
    assert sum(other) == str(content).count("reasoning'")


@given(st.sampled_from(["text", "message", "dict"]), TEXTS, st.data())
def test_so_have_those_of_whatever_a_chain_streams(form: str, text: str, data: st.DataObject) -> None:
    value: Any = {"text": text, "message": AIMessageChunk(content=text), "dict": AddableDict(answer=text, more=1)}[form]
    at = data.draw(st.integers(1, len(text)))
    first, second = answers.split(value, at)
    assert (answers.text_in(first), answers.text_in(second)) == (text[:at], text[at:])
    assert answers.text_in(first + answers.like(first, "!")) == text[:at] + "!"
    assert "more" not in second


def test_what_is_said_about_the_whole_is_said_once_and_log_probabilities_go_with_their_text() -> None:
    said = {"model_provider": "p", "model_name": "m", "logprobs": {"content": []}}
    message = AIMessageChunk(
        content="ab",
        response_metadata=said,
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    )
    chunk = ChatGenerationChunk(message=message, generation_info={"finish_reason": "stop", "logprobs": 1})
    about = About()
    usage = about.take(chunk)
    about.take(chunk)
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (1, 2)
    assert about.merged == {"model_provider": "p", "model_name": "m", "finish_reason": "stop"}
    body = body_of(chunk)
    assert body is not None
    assert body.message.response_metadata == {"model_provider": "p", "logprobs": {"content": []}}
    first, _ = split(Piece(0, body), 1)
    assert "logprobs" not in first.chunk.message.response_metadata
    assert first.chunk.generation_info is None
    assert body_of(ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata=said))) is None


def test_text_goes_on_in_the_block_that_it_follows() -> None:
    before = AIMessageChunk(content=[{"type": "text", "text": "a", "index": 2}], id="1")
    after = like(before, "b").message
    assert (before + after).content == [{"type": "text", "text": "ab", "index": 2}]
    assert like(None, "b").message.content == "b"
    assert like(AIMessageChunk(content=["a"]), "b").message.content == [{"type": "text", "text": "b"}]


def test_a_whole_answer_is_one_chunk_with_its_calls() -> None:
    from langchain_core.messages import AIMessage

    calls: Any = [{"name": "f", "args": {"x": 1}, "id": "1"}]
    chunk = whole_chunk(ChatGeneration(message=AIMessage("a", tool_calls=calls)), {"model_name": "m"})
    message = chunk.message
    assert isinstance(message, AIMessageChunk)
    assert (message.content, message.tool_calls[0]["args"], message.chunk_position) == ("a", {"x": 1}, "last")
    assert message.response_metadata == {"model_name": "m"}
