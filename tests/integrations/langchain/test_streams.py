"""Streams of guarded chat models: sentence by sentence, and nothing of a bad one in any of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnablePassthrough
from pydantic import PrivateAttr

import guardrail
from guardrail import Action, BlockedError
from guardrail.testing import ScriptedVerifier, reliable, unreliable
from tests.integrations.langchain.guarded import ASKED, guard, run

FIRST, BAD, LAST = "Paris is the capital.", " London is in France.", " The Seine flows there."
REGENERATE = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "block"]}}}
NOTICE = {"messages": {"blocked": "Withheld."}}
BLOCK = {"version": 1, "policies": {"default": {"on_unreliable": "block", **NOTICE}}}
REPAIR = {"version": 1, "policies": {"default": {"on_unreliable": "repair", **NOTICE}}}
RAISE = {"version": 1, "policies": {"default": {"on_unreliable": "block", "on_block": "raise", **NOTICE}}}
WHOLE = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "block"], "stream": {"mode": "whole"}}}}
OPTIMISTIC = {"version": 1, "policies": {"default": {"on_unreliable": "block", "stream": {"mode": "optimistic"}}}}
TOKENS = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


def judged(check: Any) -> Any:
    """Unreliable is the sentence that speaks of London."""
    return unreliable("London is in France.") if "London" in check.turn.text else reliable()


class Streaming(BaseChatModel):
    """Streams each of ``answers`` in turn, in pieces of ``size`` characters, as an OpenAI or a list of blocks does."""

    answers: list[str]
    size: int = 4
    blocks: bool = False
    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _said: list[str] = PrivateAttr(default_factory=list)
    _closed: threading.Event = PrivateAttr(default_factory=threading.Event)

    @property
    def _llm_type(self) -> str:
        return "streaming"

    def _answer(self, messages: list[BaseMessage]) -> str:
        self._asked.append(messages)
        return self.answers[min(len(self._asked), len(self.answers)) - 1]

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        message = AIMessage(self._answer(messages), usage_metadata=TOKENS, response_metadata={"id": "resp_0"})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any
    ) -> Iterator[ChatGenerationChunk]:
        text = self._answer(messages)
        number = len(self._asked)
        try:
            yield self._chunk("", response_metadata={"id": f"resp_{number}", "model_provider": "scripted"})
            for place in range(0, len(text), self.size):
                self._said.append(text[place : place + self.size])
                yield self._chunk(self._said[-1], response_metadata={"model_provider": "scripted"})
            yield self._chunk("", usage_metadata=TOKENS, response_metadata={"finish_reason": "stop", "model_name": "m"})
        finally:
            self._closed.set()

    def _chunk(self, text: str, **fields: Any) -> ChatGenerationChunk:
        content: Any = [{"type": "text", "text": text, "index": 0}] if self.blocks and text else text
        return ChatGenerationChunk(message=AIMessageChunk(content=content, id="msg", **fields))


class AsyncStreaming(Streaming):
    """The same, for an event loop."""

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream(messages):
            await asyncio.sleep(0)
            yield chunk


def judge() -> ScriptedVerifier:
    return ScriptedVerifier(judged, repeat=True)


def chunks_of(kind: str, model: Any, policy: Any, **more: Any) -> list[AIMessageChunk]:
    guarded = guard(model, policy, judge())
    if kind == "sync":
        return list(guarded.stream(ASKED, **more))

    async def gathered() -> list[AIMessageChunk]:
        return [chunk async for chunk in guarded.astream(ASKED, **more)]

    got: list[AIMessageChunk] = run(gathered())
    return got


def whole(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    return total


both = pytest.mark.parametrize("kind", ["sync", "async"])
shapes = pytest.mark.parametrize("blocks", [False, True], ids=["text", "blocks"])


@both
@shapes
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_answer_that_stands_is_what_the_model_streamed(kind: str, blocks: bool, size: int) -> None:
    text = FIRST + LAST
    answer = whole(chunks_of(kind, AsyncStreaming(answers=[text], size=size, blocks=blocks), REGENERATE))
    assert answer.text == text
    assert isinstance(answer.content, list) == blocks
    assert answer.usage_metadata == TOKENS
    assert answer.id == "msg"
    known = {key: value for key, value in answer.response_metadata.items() if key != "guardrail"}
    assert known == {"id": "resp_1", "model_provider": "scripted", "model_name": "m", "finish_reason": "stop"}
    assert guardrail.report(answer).action is Action.PASS
    assert guardrail.report(answer).text == text


@both
@shapes
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_bad_sentence_is_never_streamed_and_the_llm_goes_on_from_the_good_ones(
    kind: str, blocks: bool, size: int
) -> None:
    model = AsyncStreaming(answers=[FIRST + BAD + LAST, LAST.strip()], size=size, blocks=blocks)
    got = chunks_of(kind, model, REGENERATE)
    answer = whole(got)
    assert answer.text == FIRST + LAST
    assert not any("Lon" in str(chunk.content) for chunk in got)
    assert [message.content for message in model._asked[1]][:2] == [ASKED, FIRST]
    assert guardrail.report(answer).action is Action.REGENERATE
    assert "id" not in answer.response_metadata
    assert isinstance(answer.content, list) == blocks
    if blocks:
        assert len(answer.content) == 1


@both
@pytest.mark.parametrize(("policy", "text"), [(BLOCK, f"{FIRST}\n\nWithheld."), (REPAIR, FIRST + LAST)])
def test_the_rest_is_blocked_or_goes_on_without_the_bad_sentence(kind: str, policy: Any, text: str) -> None:
    got = chunks_of(kind, AsyncStreaming(answers=[FIRST + BAD + LAST]), policy)
    answer = whole(got)
    assert answer.text == text
    assert "London" not in repr(got)
    assert "id" not in answer.response_metadata
    assert answer.response_metadata["finish_reason"] == ("content_filter" if policy is BLOCK else "stop")


@both
def test_an_answer_that_is_raised_for_is_raised_before_any_chunk(kind: str) -> None:
    with pytest.raises(BlockedError):
        chunks_of(kind, AsyncStreaming(answers=[BAD.strip()]), RAISE)
    other = AsyncStreaming(answers=[LAST.strip()])
    model = guard(AsyncStreaming(answers=[BAD.strip()]), RAISE, judge()).with_fallbacks([other])
    assert "".join(chunk.text for chunk in model.stream(ASKED)) == LAST.strip()


@both
def test_a_route_may_hold_streams_whole(kind: str) -> None:
    answer = whole(chunks_of(kind, AsyncStreaming(answers=[FIRST + BAD, FIRST + LAST]), WHOLE))
    assert answer.text == FIRST + LAST
    assert answer.usage_metadata == {"input_tokens": 20, "output_tokens": 10, "total_tokens": 30}
    kept = whole(chunks_of(kind, AsyncStreaming(answers=[FIRST + LAST]), WHOLE))
    assert (kept.text, kept.usage_metadata, kept.response_metadata["id"]) == (FIRST + LAST, TOKENS, "resp_1")


@both
@pytest.mark.parametrize("policy", [REGENERATE, WHOLE], ids=["by sentence", "whole"])
def test_the_last_chunk_has_the_report(kind: str, policy: Any) -> None:
    last = chunks_of(kind, AsyncStreaming(answers=[FIRST + LAST]), policy)[-1]
    assert last.chunk_position == "last"
    assert guardrail.report(last).action is Action.PASS


@pytest.mark.parametrize(
    "form", [lambda model: model, lambda model: RunnablePassthrough() | model], ids=["model", "chain"]
)
def test_a_stream_that_is_left_when_the_loop_ends_is_closed_without_errors(
    form: Any, caplog: pytest.LogCaptureFixture
) -> None:
    left = []

    async def leave() -> None:
        left.append(stream := form(guard(AsyncStreaming(answers=[FIRST + LAST]), WHOLE, judge())).astream(ASKED))
        await anext(stream)

    for _ in range(5):  # the loop closes in no order
        asyncio.run(leave())
    assert not [record.message for record in caplog.records if record.name == "asyncio"]


@both
def test_an_optimistic_stream_says_what_is_to_be_taken_back(kind: str) -> None:
    answer = whole(chunks_of(kind, AsyncStreaming(answers=[FIRST + BAD]), OPTIMISTIC))
    [[start, _]] = answer.response_metadata["guardrail"]["retracted"]
    assert answer.text[start:].startswith(" London")


@both
@pytest.mark.parametrize("form", [{"response_format": {"type": "json_object"}}, {"guardrail_structured": True}])
def test_what_a_parser_reads_is_never_cut_into_sentences(kind: str, form: Any) -> None:
    model = AsyncStreaming(answers=[FIRST + BAD, FIRST + LAST])
    answer = whole(chunks_of(kind, model, REGENERATE, **form))
    assert answer.text == FIRST + LAST
    assert len(model._asked[1]) == 3


def test_a_sentence_is_out_before_the_next_is_generated() -> None:
    asked = threading.Event()

    class Waiting(Streaming):
        def _stream(self, *args: Any, **more: Any) -> Iterator[ChatGenerationChunk]:
            yield self._chunk(FIRST + LAST + " It")
            assert asked.wait(10)
            yield self._chunk(" is long.")

    stream = guard(Waiting(answers=[]), REGENERATE, judge()).stream(ASKED)
    assert next(stream).text == FIRST
    asked.set()
    assert "".join(chunk.text for chunk in stream) == LAST + " It is long."


@both
def test_a_consumer_that_stops_ends_the_upstream(kind: str) -> None:
    model = AsyncStreaming(answers=[FIRST + LAST * 1000])
    guarded = guard(model, REGENERATE, judge())
    if kind == "sync":
        stream = guarded.stream(ASKED)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    else:

        async def stop() -> None:
            async for _ in guarded.astream(ASKED):
                break

        run(stop())
    assert model._closed.wait(10)
    assert len(model._said) < 2000


@both
def test_calls_of_tools_stream_untouched_and_a_continuation_that_calls_one_is_none(kind: str) -> None:
    class Calling(AsyncStreaming):
        def _stream(self, messages: Any, *args: Any, **more: Any) -> Iterator[ChatGenerationChunk]:
            if self._answer(messages):
                yield from super()._stream(messages)
                return
            calls = [tool_call_chunk(name="search", args='{"q": "London"}', id="1", index=0)]
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=calls))

    called = whole(chunks_of(kind, Calling(answers=[""]), REGENERATE))
    assert called.tool_calls[0]["args"] == {"q": "London"}
    answer = whole(chunks_of(kind, Calling(answers=["x", FIRST + BAD, ""]), BLOCK | {}))
    assert answer.text == f"{FIRST}\n\nWithheld."
    regenerated = whole(chunks_of(kind, Calling(answers=["x", FIRST + BAD, ""]), REGENERATE))
    assert regenerated.tool_calls == []
    assert regenerated.text.startswith(FIRST)
    assert any("called a tool" in note for note in guardrail.report(regenerated).notes)


@both
def test_what_the_upstream_raises_reaches_the_caller_after_all_that_was_verified(kind: str) -> None:
    class Broken(AsyncStreaming):
        def _stream(self, *args: Any, **more: Any) -> Iterator[ChatGenerationChunk]:
            yield self._chunk(FIRST + LAST + " And")
            raise ConnectionError("gone")

    guarded: Any = guard(Broken(answers=[]), REGENERATE, judge())
    seen: list[str] = []

    async def read() -> None:
        async for chunk in guarded.astream(ASKED):
            seen.append(chunk.text)

    def wait() -> None:
        for chunk in guarded.stream(ASKED):
            seen.append(chunk.text)

    with pytest.raises(ConnectionError, match="gone"):
        wait() if kind == "sync" else run(read())
    assert "".join(seen).startswith(FIRST)


def test_an_empty_stream_is_the_error_that_it_was() -> None:
    class Empty(Streaming):
        def _stream(self, *args: Any, **more: Any) -> Iterator[ChatGenerationChunk]:
            yield from ()

    with pytest.raises(ValueError, match="No generation"):
        list(guard(Empty(answers=[]), WHOLE, judge()).stream(ASKED))


@both
def test_evidence_is_that_of_where_the_stream_was_asked_for(kind: str) -> None:
    verifier = judge()
    guarded = guard(AsyncStreaming(answers=[FIRST]), REGENERATE, verifier)
    with guardrail.evidence("Paris is the capital of France."):
        stream: Any = guarded.stream(ASKED) if kind == "sync" else guarded.astream(ASKED)

    async def read() -> None:
        async for _ in stream:
            pass

    list(stream) if kind == "sync" else run(read())
    assert [piece.text for piece in verifier.checks[0].evidence] == ["Paris is the capital of France."]


# events


def test_v3_events_hold_nothing_of_a_bad_sentence() -> None:
    model = guard(AsyncStreaming(answers=[FIRST + BAD + LAST, LAST]), REGENERATE, judge())
    stream = model.stream_events(ASKED, version="v3")
    events = list(stream)
    assert "London" not in repr(events)
    assert stream.output.text == FIRST + LAST
    assert guardrail.report(stream.output).action is Action.REGENERATE


def test_v2_events_hold_nothing_of_a_bad_sentence() -> None:
    model = guard(AsyncStreaming(answers=[FIRST + BAD + LAST, LAST]), REGENERATE, judge())

    async def gathered() -> list[Any]:
        return [event async for event in model.astream_events(ASKED, version="v2")]

    events = run(gathered())
    assert "London" not in repr(events)
    assert events[-1]["data"]["output"].text == FIRST + LAST


def test_native_events_of_a_model_do_not_go_past_the_guard() -> None:
    class Native(AsyncStreaming):
        def _stream_chat_model_events(self, *args: Any, **more: Any) -> Any:
            raise AssertionError("past the guard")

    model = guard(Native(answers=[BAD.strip()]), BLOCK, judge())
    assert model.stream_events(ASKED, version="v3").output.text == "Withheld."
