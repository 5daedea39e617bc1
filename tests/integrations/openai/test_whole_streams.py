"""Streams that are held whole: nothing is seen before the verdict on all of it."""

from __future__ import annotations

import json

import openai
import pytest

import guardrail
from guardrail import Action
from tests.integrations.openai.clients import BAD, GOOD, REGENERATE, Make, bytes_of, released, streamed, text_of
from tests.integrations.openai.upstream import (
    Json,
    Reply,
    Upstream,
    chunks,
    completion,
    delta,
    raw,
    response,
    response_events,
    sse,
)


@pytest.fixture
def make(make: Make) -> Make:
    return lambda policy=None: make(released(policy, "whole"))


def test_a_good_stream_is_byte_for_byte_the_upstreams(make: Make, upstream: Upstream) -> None:
    reply = chunks("It is Paris – café, 東京, U+2028:\u2028.", usage=True)
    client, upstream.script = make(), [reply]
    assert bytes_of(client) == raw(reply)


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "overloaded"}},
        {"type": "error", "message": "overloaded", "error": {"message": "overloaded"}},
    ],
)
def test_an_error_inside_a_stream_reaches_the_caller_without_the_text(
    make: Make, upstream: Upstream, error: Json
) -> None:
    client, upstream.script = make(), [sse(delta(content=BAD), error)]
    with pytest.raises(openai.APIError, match="overloaded"):
        streamed(client)
    assert (len(upstream.requests), client.verifier.checks) == (1, [])


def test_a_failed_response_reaches_the_caller_without_the_text(make: Make, upstream: Upstream) -> None:
    failed = {"type": "response.failed", "sequence_number": 9, "response": response("", status="failed", output=[])}
    events = raw(response_events(BAD)).split(b"\n\n")[:5]
    body = b"\n\n".join(events) + b"\n\n" + raw(sse(failed, done=False))
    client, upstream.script = make(), [Reply(body, headers={"content-type": "text/event-stream"})]
    stream = client.run(lambda c: c.responses.create(model="m", input="x", stream=True))
    assert [event.type for event in client.items(stream)] == ["response.failed"]


def test_nothing_of_a_bad_stream_is_ever_sent_on(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [chunks(BAD, usage=True), Reply(completion(GOOD))]
    stream, items = streamed(client, stream_options={"include_usage": True})
    assert text_of(items) == GOOD
    assert not any("London" in item.model_dump_json() for item in items)
    assert [item.choices[0].finish_reason for item in items if item.choices][-1] == "stop"
    assert "stream_options" not in upstream.requests[1]
    # What both answers took, in the chunk that ends the stream.
    assert (items[-1].choices, items[-1].usage.total_tokens) == ([], 30)
    assert guardrail.report(stream).action is Action.REGENERATE


@pytest.mark.parametrize("text", [GOOD, BAD])
def test_an_answer_that_was_cut_for_its_length_says_so(make: Make, upstream: Upstream, text: str) -> None:
    client, upstream.script = make(), [sse(delta(content=text), delta("length"))]
    stream, items = streamed(client)
    assert items[-1].choices[0].finish_reason == "length"
    assert client.verifier.checks[0].turn.finish_reason == "length"
    assert guardrail.report(stream).text == text


def test_a_regenerated_response_says_all_that_took_place_in_it(make: Make, upstream: Upstream) -> None:
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    better = response(GOOD, id="resp_2")
    better["output"].insert(0, search)
    client, upstream.script = make(REGENERATE), [response_events(BAD), Reply(better)]
    stream = client.run(lambda c: c.responses.create(model="m", input="Capital?", stream=True))
    events = client.items(stream)
    added = [event.item.type for event in events if event.type == "response.output_item.added"]
    assert added == ["web_search_call", "message"]
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == GOOD
    assert json.loads(events[-1].model_dump_json())["response"]["output"][0]["id"] == "ws_1"
