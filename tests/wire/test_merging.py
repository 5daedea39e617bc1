"""What waits for the same verdict is put together: one event of a sentence, with its text and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.gate import SentenceGate, Unit
from guardrail.streams.values import Release
from guardrail.wire.chat_stream import ChatReader, ChatWriter, merge_chat, split_chat
from guardrail.wire.responses_stream import ResponsesReader, ResponsesWriter, merge_response, split_response
from guardrail.wire.sse import EventDecoder

HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
PART = {"item_id": "msg", "output_index": 0, "content_index": 0}

texts = st.lists(
    st.sampled_from(["It is ", "300 m", " tall", ". ", "So? ", "東京。", "\n\n", "e.g. ", "1.5", " A"]), min_size=1
)


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {
        **HEAD,
        "choices": [{"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None} | more],
    }


def response(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "response.output_text.delta", **PART, "delta": text, "logprobs": [], **more}


def text_of(payload: dict[str, Any]) -> str:
    said: str = payload["choices"][0]["delta"]["content"] if "choices" in payload else payload["delta"]
    return said


class Api:
    """One upstream through a gate: what a consumer is sent of each sentence."""

    def __init__(self, name: str) -> None:
        self.event: Callable[..., dict[str, Any]] = chat if name == "chat" else response
        read: tuple[Any, Any] = (ChatReader, ChatWriter) if name == "chat" else (ResponsesReader, ResponsesWriter)
        self.reader = read[0]()
        self.writer = read[1](self.reader)
        split, merge = (split_chat, merge_chat) if name == "chat" else (split_response, merge_response)
        self.gate = SentenceGate[Any](split, merge=merge)

    def sentences(self, payloads: Sequence[dict[str, Any]]) -> list[tuple[Unit, list[dict[str, Any]]]]:
        decoder = EventDecoder()
        for payload in payloads:
            for event in decoder.feed(f"data: {json.dumps(payload)}\n\n".encode()):
                for chunk in self.reader.read(event):
                    for piece, text in self.gate.feed(chunk.piece, chunk.text):
                        self.writer.write(Release(piece, text))
        self.gate.end()
        return [(unit, self._sent(unit)) for unit in self.gate.take()]

    def _sent(self, unit: Unit) -> list[dict[str, Any]]:
        decoder = EventDecoder()
        body = b"".join(self.writer.write(Release(piece, text)) for piece, text in self.gate.release(unit))
        return [event.json() or {} for event in decoder.feed(body)]


@pytest.fixture(params=["chat", "responses"], scope="module")
def api(request: pytest.FixtureRequest) -> Callable[[], Api]:
    return lambda: Api(request.param)


@given(said=texts)
def test_a_sentence_is_one_event_or_two_where_one_goes_over_its_start(api: Callable[[], Api], said: list[str]) -> None:
    it = api()
    for unit, events in it.sentences([it.event(text) for text in said]):
        assert "".join(map(text_of, events)) == unit.text
        assert len(events) <= 2


@given(said=texts, marked=st.integers(0, 8), numbered=st.booleans())
def test_an_event_that_says_more_keeps_its_text(
    api: Callable[[], Api], said: list[str], marked: int, numbered: bool
) -> None:
    it = api()
    payloads = [it.event(text) for text in said]
    if marked < len(payloads):
        payloads[marked]["seen"] = "only here"
    if numbered and it.event is response:
        payloads = [{"type": "response.created", "response": {"id": "resp"}}, *payloads]
        payloads = [{**payload, "sequence_number": n} for n, payload in enumerate(payloads)]
    shown = [event for _, events in it.sentences(payloads) for event in events]
    assert "".join(map(text_of, shown)) == "".join(said)
    with_mark = "".join(text_of(event) for event in shown if event.get("seen"))
    assert with_mark == (said[marked] if marked < len(said) else "")
    if numbered and it.event is response:
        assert [event["sequence_number"] for event in shown] == list(range(1, len(shown) + 1))


def test_the_padding_of_a_merged_event_goes(api: Callable[[], Api]) -> None:
    it = api()
    padded = [{**it.event(text), "obfuscation": "xxxx"} for text in ("It ", "is ", "so.")]
    [(_, [event])] = it.sentences(padded)
    assert text_of(event) == "It is so."
    assert "obfuscation" not in event


def test_texts_of_two_parts_stay_two() -> None:
    it = Api("responses")
    said = it.sentences([response("It"), response(" is"), response(" so.", content_index=1)])
    shown = [(text_of(event), event["content_index"]) for _, events in said for event in events]
    assert shown == [("It is", 0), (" so.", 1)]


AZURE = {"content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}
TOKEN = {"token": " a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
SAID = ["It", " is", " 300", " m", "."]


def each(**more: Any) -> list[dict[str, Any]]:
    """Chunks of which each says ``more``; of ``delta``, ``choice`` or itself."""
    beside, chunk = more.pop("choice", {}), []
    said = more.pop("delta", {})
    for text in SAID:
        made = chat(text, delta={"content": text} | said, **beside)
        chunk.append(made | more)
    return chunk


def first_only(**more: Any) -> list[dict[str, Any]]:
    return [each(**more)[0], *each()[1:]]


@pytest.mark.parametrize(
    ("payloads", "count"),
    [
        (each(), 1),
        (each(usage=None), 1),
        (each(delta={"refusal": None, "reasoning_content": None, "tool_calls": None}), 1),
        (each(delta={"role": "assistant"}), 1),
        (each(choice={"token_ids": None, "stop_reason": None}), 1),
        (each(choice=AZURE), 1),
        ([chunk | {"created": place} for place, chunk in enumerate(each())], 1),
        (first_only(prompt_token_ids=None), 1),
        (first_only(x_groq={"id": "req"}), 2),
        (first_only(id=""), 2),
        ([chunk | {"system_fingerprint": str(place)} for place, chunk in enumerate(each())], 5),
        (each(usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}), 5),
        (each(choice={"logprobs": {"content": [TOKEN], "refusal": None}}), 5),
        (each(choice={"token_ids": [7]}), 5),
        (each(token_ids=[7]), 5),
        (each(delta={"reasoning": " a"}), 5),
    ],
    ids=[
        "as OpenAI's",
        "no usage yet",
        "nothing beside the text",
        "the role each time",
        "no token",
        "the same filter results",
        "made at different times",
        "nothing at first",
        "more at first",
        "no id at first",
        "a different server each time",
        "usage each time",
        "log-probabilities",
        "tokens of the choice",
        "tokens of the chunk",
        "thoughts beside the text",
    ],
)
def test_chunks_of_a_sentence_are_one_where_they_say_the_same(payloads: list[dict[str, Any]], count: int) -> None:
    shown = [event for _, events in Api("chat").sentences(payloads) for event in events]
    assert "".join(map(text_of, shown)) == "".join(SAID)
    assert len(shown) == count
    if count == len(SAID):
        assert shown == payloads


def test_a_text_in_parts_stays_as_it_came() -> None:
    parts = [{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": " tall"}]
    payloads = [chat("It is"), chat(" tall", delta={"content": parts}), chat(".")]
    it = Api("chat")
    shown = [event for _, events in it.sentences(payloads) for event in events]
    assert [event["choices"][0]["delta"]["content"] for event in shown] == ["It is", parts, "."]


def test_what_an_event_says_beside_its_data_keeps_it_apart() -> None:
    decoder, reader = EventDecoder(), ChatReader()
    gate = SentenceGate[Any](split_chat, merge=merge_chat)
    bodies = [f"id: {place}\ndata: {json.dumps(chat(text))}\n\n".encode() for place, text in enumerate(SAID)]
    for body in bodies:
        for event in decoder.feed(body):
            for chunk in reader.read(event):
                gate.feed(chunk.piece, chunk.text)
    gate.end()
    [unit] = gate.take()
    sent = [ChatWriter(reader).write(Release(piece, text)) for piece, text in gate.release(unit)]
    assert sent == bodies


def test_two_messages_without_a_place_stay_two() -> None:
    one, other = response("It is"), response(" tall.") | {"item_id": "other"}
    for payload in (one, other):
        del payload["output_index"]
    shown = [event for _, events in Api("responses").sentences([one, other]) for event in events]
    assert [(text_of(event), event["item_id"]) for event in shown] == [("It is", "msg"), (" tall.", "other")]
