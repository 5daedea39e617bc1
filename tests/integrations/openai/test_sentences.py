"""Streams that are released sentence by sentence: what goes out, when, and in what form."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest

import guardrail
from guardrail import Action
from guardrail.verdict import Status
from tests.integrations.openai.clients import (
    ASK,
    BLOCK,
    REGENERATE,
    Client,
    Make,
    bytes_of,
    create,
    done,
    entered,
    listed,
    streamed,
    text_of,
)
from tests.integrations.openai.streaming import (
    BAD,
    GOOD,
    answering,
    by_words,
    chat,
    chat_events,
    heard,
    leaked,
    named,
    response_payloads,
    with_bad,
)
from tests.integrations.openai.upstream import Json, Reply, Upstream, completion, delta, raw, response, sse

TEXT = "".join(GOOD)
REPAIR = {"version": 1, "policies": {"default": {"on_unreliable": {"do": "repair"}}}}


def events_of(client: Client, **more: Any) -> list[Any]:
    items: list[Any] = client.items(client.run(lambda c: c.responses.create(model="m", input="x", stream=True, **more)))
    return items


# when


def test_a_sentence_goes_out_while_the_upstream_is_silent(make: Make, upstream: Upstream) -> None:
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield raw(sse(*chat_events([*by_words(GOOD[0]), " It", " is"])[:-1], done=False))
        assert go_on.wait(10)
        yield raw(sse(delta(content=" 300 m."), delta("stop")))

    client, upstream.script = make(), [Reply(pieces=pieces())]

    async def read(it: Any) -> str:
        stream = await done(it.chat.completions.create(**ASK))
        text, told = "", False
        if hasattr(stream, "__aiter__"):
            async for item in stream:
                text, told = _seen(text, item, told, go_on)
        else:
            for item in stream:
                text, told = _seen(text, item, told, go_on)
        return text

    assert client.do(read) == f"{GOOD[0]} It is 300 m."


def _seen(text: str, item: Any, told: bool, go_on: threading.Event) -> tuple[str, bool]:
    text += item.choices[0].delta.content or ""
    if text == GOOD[0] and not told:
        go_on.set()
        return text, True
    return text, told


def test_the_role_and_what_is_thought_come_before_any_verdict(make: Make, upstream: Upstream) -> None:
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield raw(sse(delta(role="assistant", content=""), delta(reasoning_content="Hm."), done=False))
        assert go_on.wait(10)
        yield raw(sse(delta(content="It is."), delta("stop")))

    client, upstream.script = make(), [Reply(pieces=pieces())]

    async def read(it: Any) -> list[Any]:
        async with entered(it.chat.completions.with_streaming_response.create(**ASK)) as answer:
            body = answer.iter_bytes()
            first = b""
            while b"Hm." not in first:
                first += await anext(body) if hasattr(body, "__anext__") else next(body)
            go_on.set()
            return [first, *await listed(body)]

    assert b"It is." in b"".join(client.do(read)[1:])


# what


@pytest.mark.parametrize("chunking", ["words", "one piece"])
def test_a_good_stream_loses_nothing(make: Make, upstream: Upstream, chunking: str) -> None:
    client, upstream.script = make(), [chat(by_words(TEXT) if chunking == "words" else [TEXT], usage=True)]
    stream, items = streamed(client, stream_options={"include_usage": True})
    assert text_of(items) == TEXT
    assert items[0].choices[0].delta.role == "assistant"
    assert [item.choices[0].finish_reason for item in items if item.choices][-1] == "stop"
    assert items[-1].usage.prompt_tokens == 10
    assert guardrail.report(stream).action is Action.PASS
    assert guardrail.report(items[0]).text == TEXT
    assert len(client.verifier.checks) <= 3


def test_a_sentence_comes_as_one_chunk_and_all_that_is_no_text_as_it_came(make: Make, upstream: Upstream) -> None:
    reply = chat(by_words(TEXT), usage=True)
    client, upstream.script = make(), [reply]
    texts, others = heard(bytes_of(client))
    assert "".join(texts) == TEXT
    assert len(texts) == len(GOOD)
    assert others == heard(raw(reply))[1]


def test_a_response_comes_sentence_by_sentence_and_its_events_are_numbered(make: Make, upstream: Upstream) -> None:
    payloads = [{**payload, "sequence_number": n} for n, payload in enumerate(response_payloads(by_words(TEXT)))]
    client, upstream.script = make(), [named(payloads)]

    async def read(it: Any) -> bytes:
        async with entered(it.responses.with_streaming_response.create(model="m", input="x", stream=True)) as answer:
            return b"".join(await listed(answer.iter_bytes()))

    body = client.do(read)
    texts, others = heard(body)
    assert "".join(texts) == TEXT
    assert len(texts) == len(GOOD)
    kinds = [payload["type"] for payload in payloads if payload["type"] != "response.output_text.delta"]
    assert [json.loads(event)["type"] for event in others] == kinds
    events = [json.loads(line[5:]) for line in body.decode().splitlines() if line.startswith("data:")]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_log_probabilities_are_never_ahead_of_their_text(make: Make, upstream: Upstream) -> None:
    words = [*by_words(GOOD[0]), f" {BAD}"]
    tokens: list[Json] = [{"token": word, "logprob": -0.5, "bytes": None, "top_logprobs": []} for word in words]
    whole = delta(content="".join(words), logprobs={"content": tokens, "refusal": None})
    client, upstream.script = make(BLOCK), [sse(whole, delta("stop"))]
    _, items = streamed(client, logprobs=True)
    told = [t.token for item in items for c in item.choices if c.logprobs for t in c.logprobs.content or ()]
    assert "".join(told) == GOOD[0]
    assert text_of(items) == f"{GOOD[0]}\n\nWithheld."


def test_calls_of_tools_pass_and_nothing_waits_for_them(make: Make, upstream: Upstream) -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    reply = sse(delta(role="assistant", content="I will look."), delta(tool_calls=[call]), delta("tool_calls"))
    client, upstream.script = make(BLOCK), [reply]
    assert bytes_of(client) == raw(reply)


def test_a_refusal_of_the_llms_own_passes(make: Make, upstream: Upstream) -> None:
    reply = sse(delta(role="assistant", content=""), delta(refusal="I cannot say London."), delta("stop"))
    client, upstream.script = make(BLOCK), [reply]
    assert bytes_of(client) == raw(reply)


def test_choices_come_interleaved_and_each_has_its_own_fate(make: Make, upstream: Upstream) -> None:
    good, bad = chat_events(by_words(TEXT)), chat_events(by_words(with_bad(1)), index=1)
    mixed = [event for pair in zip(good, bad, strict=False) for event in pair] + bad[len(good) :]
    client = make({**REGENERATE})
    upstream.answer = lambda body, number: sse(*mixed) if number == 0 else chat(by_words(" Yes it is."))
    stream, items = streamed(client, n=2)
    assert (text_of(items, 0), text_of(items, 1)) == (TEXT, f"{GOOD[0]} Yes it is.")
    outcome = guardrail.report(stream)
    assert [one.action for one in outcome.choices] == [Action.PASS, Action.REGENERATE]
    assert "n" not in upstream.requests[1]


def test_json_is_held_whole(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [chat(['{"a": "It is. ', 'It is London."}'])]
    _, items = streamed(client, response_format={"type": "json_object"})
    assert text_of(items) == ""
    assert [c.delta.refusal for item in items for c in item.choices if c.delta.refusal] == ["Withheld."]


# a tail that is generated anew


def test_a_tail_is_generated_anew_in_one_continuous_stream(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(REGENERATE), answering(by_words(with_bad(1)), " It has lifts. It is old.")
    stream, items = streamed(client, stream_options={"include_usage": True})
    assert text_of(items) == f"{GOOD[0]} It has lifts. It is old."
    assert {item.id for item in items} == {"chatcmpl-1"}
    assert [c.finish_reason for item in items for c in item.choices if c.finish_reason] == ["stop"]
    asked = upstream.requests[1]
    assert asked["messages"][-2] == {"role": "assistant", "content": GOOD[0]}
    assert asked["stream"] is True
    assert asked["stream_options"] == {"include_usage": True}
    assert guardrail.report(stream).action is Action.REGENERATE
    # The upstream that was cut had said no more than the text that came of it; what followed said what it took.
    assert items[-1].usage.completion_tokens >= 7
    assert items[-1].usage.prompt_tokens in (10, 20)


@pytest.mark.parametrize("again", [False, True], ids=["once", "again behind it"])
def test_what_a_continuation_took_is_counted_where_it_is_told_with_its_end(
    make: Make, upstream: Upstream, again: bool
) -> None:
    spent = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}

    def answer(body: Json, number: int) -> Reply:
        texts = [delta(content=word) for word in by_words(with_bad(1) if number == 0 else GOOD[1].strip())]
        behind = [{**delta(), "choices": [], "usage": spent}] if again else []
        return sse(*texts, {**delta("stop"), "usage": spent}, *behind)

    client, upstream.answer = make(REGENERATE), answer
    stream, _ = streamed(client)
    outcome = guardrail.report(stream)
    assert outcome.action is Action.REGENERATE
    assert outcome.usage is not None
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens) == (10, 3)


def test_a_regenerated_response_is_one_response(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(REGENERATE), answering(by_words(with_bad(1)), " It has lifts.")
    items = events_of(client)
    final = items[-1].response
    assert [item.type for item in items][-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert final.output_text == items[-4].text == f"{GOOD[0]} It has lifts."
    assert {item.response.id for item in items if hasattr(item, "response")} == {"resp_1"}
    assert [item.sequence_number for item in items] == list(range(len(items)))
    assert guardrail.report(final).action is Action.REGENERATE


def test_a_continuation_may_come_whole(make: Make, upstream: Upstream) -> None:
    client = make(REGENERATE)
    upstream.script = [chat(by_words(with_bad(1))), Reply(completion(" It has lifts."))]
    _, items = streamed(client)
    assert text_of(items) == f"{GOOD[0]} It has lifts."


def test_a_continuation_that_fails_leaves_what_is_shown(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [chat(by_words(with_bad(1))), Reply({}, status=500)]
    stream, items = streamed(client)
    assert text_of(items).startswith(GOOD[0])
    assert leaked(text_of(items)) == 0
    assert any("HTTP 500" in note for note in guardrail.report(stream).notes)


# what is left out, and what is blocked


def test_a_bad_sentence_is_left_out(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(REPAIR), answering(by_words(with_bad(1)))
    _, items = streamed(client)
    assert text_of(items) == TEXT
    upstream.requests.clear()
    events = events_of(client)
    assert leaked("".join(event.model_dump_json() for event in events)) == 0
    assert events[-1].response.output_text == TEXT


def test_the_rest_of_a_response_is_blocked_by_a_refusal(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(BLOCK), answering(by_words(with_bad(2)))
    events = events_of(client)
    [item] = events[-1].response.output
    assert [part.type for part in item.content] == ["output_text", "refusal"]
    assert item.content[0].text == "".join(GOOD[:2])
    assert item.content[1].refusal == "Withheld."
    assert events[-1].response.status == "completed"


def test_the_rest_of_a_completion_is_blocked_by_a_notice(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(BLOCK), answering(by_words(with_bad(2)))
    stream, items = streamed(client, stream_options={"include_usage": True})
    assert text_of(items) == f"{''.join(GOOD[:2])}\n\nWithheld."
    assert [c.finish_reason for item in items for c in item.choices if c.finish_reason] == ["content_filter"]
    assert items[-1].usage.completion_tokens > 0
    assert guardrail.report(stream).action is Action.BLOCK


# how an upstream may end


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_an_upstream_that_breaks_off_shows_what_was_verified_and_the_sdks_own_error(
    make: Make, upstream: Upstream, api: str
) -> None:
    words = [*by_words(GOOD[0]), " It", " is"]
    events = chat_events(words)[:-1] if api == "chat" else response_payloads(words)[:-4]
    client, upstream.script = make(), [Reply(pieces=[raw(sse(*events, done=False))], cut=True)]
    got: list[str] = []

    async def read(it: Any) -> None:
        if api == "chat":
            stream = await done(it.chat.completions.create(**ASK))
        else:
            stream = await done(it.responses.create(model="m", input="x", stream=True))
        if hasattr(stream, "__aiter__"):
            async for item in stream:
                got.append(item.model_dump_json())
        else:
            got.extend(item.model_dump_json() for item in stream)

    # openai 2 lets the error of its HTTP library through.
    with pytest.raises(Exception, match=r"(?i)peer closed|connection|incomplete"):
        client.do(read)
    assert "Paris." in "".join(got)
    assert " It" not in "".join(got)


@pytest.mark.parametrize("error", [{"error": {"message": "overloaded"}}, {"type": "error", "message": "overloaded"}])
def test_an_error_in_a_stream_comes_after_what_was_verified(make: Make, upstream: Upstream, error: Json) -> None:
    client = make()
    upstream.script = [sse(*chat_events([*by_words(GOOD[0]), " It", " was"])[:-1], error, done=False)]
    body = bytes_of(client).decode()
    assert "Paris." in body
    assert " was" not in body
    assert "overloaded" in body.strip().splitlines()[-1]


def test_a_stream_that_just_stops_is_given_on_as_far_as_it_is_verified(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [sse(*chat_events(by_words(TEXT))[:-1], done=False)]
    stream, items = streamed(client)
    assert text_of(items) == TEXT
    assert guardrail.report(stream).attempts[-1].verdict.status is Status.RELIABLE


def test_a_failed_response_shows_what_was_verified(make: Make, upstream: Upstream) -> None:
    words = [*by_words(GOOD[0]), " It", " is"]
    failed = {"type": "response.failed", "sequence_number": 12, "response": response("", status="failed", output=[])}
    client, upstream.script = make(), [named([*response_payloads(words)[:-4], failed])]
    events = events_of(client)
    assert events[-1].type == "response.failed"
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta").startswith(GOOD[0])


def test_what_only_the_closing_event_says_is_judged_too(make: Make, upstream: Upstream) -> None:
    payloads = response_payloads(by_words(GOOD[0]))
    payloads[-1] = {**payloads[-1], "response": response(f"{GOOD[0]} {BAD}")}
    client, upstream.script = make(BLOCK), [named(payloads)]
    events = events_of(client)
    assert leaked("".join(event.model_dump_json() for event in events)) == 0
    assert len(client.verifier.checks) == 2


# typed events


def test_a_consumer_that_asks_for_it_is_told_of_every_sentence_in_comments(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(REPAIR), answering(by_words(with_bad(1)))
    body = bytes_of(client, extra_body={"guardrail": {"events": True}}).decode()
    told = [json.loads(line[12:]) for line in body.splitlines() if line.startswith(": guardrail ")]
    assert [one["type"] for one in told if one["type"] != "pending"] == [
        "verified", "retracted", "replaced", "verified", "verified", "outcome",
    ]  # fmt: skip
    assert told[-1]["action"] == "repair"
    assert all(one["index"] == 0 for one in told)
    assert leaked("".join(map(json.dumps, told))) == 0
    assert "guardrail" not in upstream.requests[0]
    upstream.requests.clear()
    _, items = streamed(client, extra_body={"guardrail": {"events": True}})
    assert text_of(items) == TEXT


def test_nobody_else_is_told(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(REPAIR), answering(by_words(with_bad(1)))
    assert b"guardrail" not in bytes_of(client)


def test_events_must_be_true_or_false(make: Make, upstream: Upstream) -> None:
    with pytest.raises(openai.OpenAIError, match=r"guardrail\.events: must be true or false"):
        create(make(), stream=True, extra_body={"guardrail": {"events": "yes"}})
    assert upstream.requests == []
