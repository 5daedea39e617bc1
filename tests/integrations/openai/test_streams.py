"""Streams, whatever their bytes look like and however they end: nothing of a bad answer ever goes out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

import guardrail
from guardrail import Action, BlockedError
from tests.integrations.openai.clients import (
    ASK,
    BAD,
    BLOCK,
    GOOD,
    RAISE,
    REGENERATE,
    Make,
    bytes_of,
    create,
    done,
    entered,
    listed,
    released,
    streamed,
    text_of,
)
from tests.integrations.openai.streaming import heard
from tests.integrations.openai.upstream import (
    HEAD,
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
    text_chunks,
    tool_call_completion,
)


@pytest.fixture(params=["sentence", "whole"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(make: Make, mode: str) -> Make:
    """Clients whose streams are released sentence by sentence, and such that hold them whole."""
    return lambda policy=None: make(released(policy, mode))


# the bytes


def test_any_line_end_and_any_cut_will_do(make: Make, upstream: Upstream) -> None:
    client = make(BLOCK)
    for end in (b"\n", b"\r\n", b"\r"):
        for text, seen in ((GOOD, True), (f"{BAD} 東京", False)):
            body = raw(chunks(text)).replace(b"\n", end)
            upstream.script = [Reply(pieces=[body[at : at + 7] for at in range(0, len(body), 7)])]
            got = bytes_of(client)
            (texts, others), (came, rest) = heard(got), heard(body)
            assert (("".join(texts), others) == ("".join(came), rest)) is seen
            assert b"London" not in got


def test_a_gzipped_stream_is_read(make: Make, upstream: Upstream) -> None:
    zipped = Reply(raw(chunks(BAD)), headers={"content-type": "text/event-stream", "content-encoding": "gzip"})
    client, upstream.script = make(BLOCK), [zipped]
    assert text_of(streamed(client)[1]) == "Withheld."


@pytest.mark.parametrize("kind", ["Text/Event-Stream", "text/plain", "application/json", ""])
@pytest.mark.parametrize("status", [200, 201])
def test_a_stream_is_guarded_whatever_type_and_success_it_claims(
    make: Make, upstream: Upstream, kind: str, status: int
) -> None:
    client, upstream.script = make(BLOCK), [Reply(raw(chunks(BAD)), status, headers={"content-type": kind})]
    assert text_of(streamed(client)[1]) == "Withheld."


def test_a_stream_that_was_not_asked_for_is_guarded(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [chunks(BAD)]
    text = str(create(client))  # as the SDK gives it
    assert "Withheld." in text
    assert "London" not in text


def test_comments_go_out_at_once_and_stay(make: Make, upstream: Upstream) -> None:
    ended = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b": still thinking\n\n"
        assert ended.wait(10)
        yield raw(chunks(BAD))

    client, upstream.script = make(BLOCK), [Reply(pieces=pieces())]

    async def read(it: Any) -> bytes:
        async with entered(it.chat.completions.with_streaming_response.create(**ASK)) as response:
            body = response.iter_bytes()
            first: bytes = await anext(body) if hasattr(body, "__anext__") else next(body)
            ended.set()
            return first + b"".join(await listed(body))

    body = client.do(read)
    assert body.startswith(b": still thinking\n\n")
    assert b"London" not in body


@given(cuts=st.lists(st.integers(1, 400), max_size=8), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_wherever_the_bytes_are_cut_the_events_are_the_same(cuts: list[int], end: str) -> None:
    from guardrail.wire.sse import EventDecoder

    body = raw(chunks("It is Paris – 東京.", usage=True)).decode().replace("\n", end).encode()
    decoder, events, start = EventDecoder(), [], 0
    for cut in sorted(cuts):
        events += decoder.feed(body[start:cut])
        start = max(start, cut)
    events += [*decoder.feed(body[start:]), *decoder.flush()]
    assert b"".join(event.raw for event in events) == body
    assert [event.data for event in events if event.data][-1] == "[DONE]"
    assert "東京." in "".join(event.data for event in events).encode().decode("unicode_escape")


# how a stream ends


def test_a_stream_without_done_is_judged_and_given_on_as_it_is(make: Make, upstream: Upstream) -> None:
    body = raw(chunks(GOOD)).replace(b"data: [DONE]\n\n", b"")
    client, upstream.script = make(), [Reply(body, headers={"content-type": "text/event-stream"})]
    (texts, others), (came, rest) = heard(bytes_of(client)), heard(body)
    assert ("".join(texts), others) == ("".join(came), rest)
    assert len(client.verifier.checks) == 1


def test_a_stream_whose_last_event_lacks_its_blank_line_is_read_to_the_end(make: Make, upstream: Upstream) -> None:
    body = raw(sse(delta(content=BAD), done=False)).rstrip(b"\n")
    client, upstream.script = make(BLOCK), [Reply(body, headers={"content-type": "text/event-stream"})]
    assert b"London" not in bytes_of(client)


@pytest.mark.parametrize("text", [GOOD, BAD])
def test_a_stream_that_breaks_off_is_the_sdks_own_error_and_shows_nothing(
    make: Make, upstream: Upstream, text: str
) -> None:
    client, upstream.script = make(), [Reply(pieces=[raw(sse(delta(content=text), done=False))], cut=True)]
    got: list[Any] = []

    async def read(it: Any) -> None:
        stream = await done(it.chat.completions.create(**ASK))
        if hasattr(stream, "__aiter__"):
            async for item in stream:
                got.append(item)
        else:
            got.extend(iter(stream))

    with pytest.raises(Exception, match=r"(?i)peer closed|connection|incomplete"):
        client.do(read)
    assert got == []
    assert client.verifier.checks == []


@pytest.mark.parametrize(("text", "shown"), [(BAD, False), (GOOD, True)])
def test_a_failed_response_that_holds_text_is_judged(make: Make, upstream: Upstream, text: str, shown: bool) -> None:
    failed = {"type": "response.failed", "sequence_number": 9, "response": response(text, status="failed")}
    client, upstream.script = make(BLOCK), [sse(failed, done=False)]
    stream = client.run(lambda c: c.responses.create(model="m", input="x", stream=True))
    events = client.items(stream)
    assert "London" not in "".join(event.model_dump_json() for event in events)
    assert (events[-1].type == "response.failed") is shown


def test_a_stream_that_was_asked_for_and_comes_whole_is_guarded(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(BAD))]
    assert b"London" not in bytes_of(client)


def test_a_consumer_that_breaks_off_ends_the_upstream(make: Make, upstream: Upstream) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b": still thinking\n\n" * 100
        raise AssertionError("the client never hung up")

    client, upstream.script = make(), [Reply(pieces=pieces())]

    async def leave(it: Any) -> None:
        async with entered(it.chat.completions.with_streaming_response.create(**ASK)) as response:
            body = response.iter_bytes()
            await anext(body) if hasattr(body, "__anext__") else next(body)

    client.do(leave)
    assert upstream.hung_up.wait(10)
    assert client.verifier.checks == []


def test_closing_a_stream_that_was_never_read_ends_the_upstream(make: Make, upstream: Upstream) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b": still thinking\n\n" * 100

    client, upstream.script = make(), [Reply(pieces=pieces())]

    async def leave(it: Any) -> None:
        stream = await done(it.chat.completions.create(**ASK))
        await done(stream.close())

    client.do(leave)
    assert upstream.hung_up.wait(10)


def test_a_cancelled_task_leaves_nothing_behind(make: Make, upstream: Upstream) -> None:
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield raw(sse(delta(content=BAD), done=False))
        go_on.wait(10)
        for _ in range(10_000):
            yield b": still thinking\n\n" * 100

    client, upstream.script = make(), [Reply(pieces=pieces())]
    if not isinstance(client.client, openai.AsyncOpenAI):
        pytest.skip("only tasks can be cancelled")

    async def cancel(it: Any) -> set[asyncio.Task[Any]]:
        stream = await it.chat.completions.create(**ASK)
        task = asyncio.ensure_future(listed(stream))
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert client.do(cancel) == set()
    go_on.set()
    assert upstream.hung_up.wait(10)


# what is in it


def test_a_stream_is_held_until_it_is_verified(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [chunks(GOOD, usage=True)]
    stream, items = streamed(client)
    assert text_of(items) == "It is Paris."
    assert items[-1].usage.total_tokens == 15
    assert guardrail.report(stream).action is Action.PASS


def test_broken_events_of_a_bad_stream_go_with_it(make: Make, upstream: Upstream) -> None:
    body = raw(chunks(BAD)) + b'data: {"choices": [{"delta": {"content": "London\n\n'
    client, upstream.script = make(BLOCK), [Reply(body, headers={"content-type": "text/event-stream"})]
    assert b"London" not in bytes_of(client)


def test_where_no_usage_was_asked_for_none_is_sent(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [chunks(BAD), Reply(completion(GOOD))]
    _, items = streamed(client)
    assert [item.usage for item in items] == [None] * len(items)


def test_chunks_of_several_choices_may_come_in_any_order(make: Make, upstream: Upstream) -> None:
    interleaved = sse(
        delta(role="assistant", content=""),
        delta(index=1, role="assistant", content=""),
        delta(content="It is "),
        delta(index=1, content="It is "),
        {**HEAD, "choices": [delta(content="Paris.")["choices"][0], delta(index=1, content="London.")["choices"][0]]},
        delta("stop", index=1),
        delta("stop"),
    )
    client, upstream.script = make(REGENERATE), [interleaved, Reply(completion("Paris it is."))]
    _, items = streamed(client, n=2)
    assert (text_of(items, 0), text_of(items, 1)) == (GOOD, "Paris it is.")
    assert "London" not in "".join(item.model_dump_json() for item in items)


def test_a_blocked_stream_ends_in_the_message_of_the_policy(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [chunks(GOOD, BAD)]
    _, items = streamed(client, n=2)
    assert (text_of(items, 0), text_of(items, 1)) == ("It is Paris.", "Withheld.")
    ends = {c.index: c.finish_reason for item in items for c in item.choices if c.finish_reason}
    assert ends == {0: "stop", 1: "content_filter"}


def test_a_blocked_stream_with_on_block_raise_raises(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(RAISE), [chunks(BAD)]
    with pytest.raises(BlockedError):
        streamed(client)
    assert len(upstream.requests) == 1


def test_a_stream_of_tool_calls_passes_byte_for_byte(make: Make, upstream: Upstream) -> None:
    call = tool_call_completion()["choices"][0]["message"]["tool_calls"][0]
    reply = sse(delta(role="assistant", content=None), delta(tool_calls=[{"index": 0, **call}]), delta("tool_calls"))
    client, upstream.script = make(BLOCK), [reply]
    assert bytes_of(client) == raw(reply)
    assert client.verifier.checks == []


@pytest.mark.parametrize("part", [{"refusal": "I cannot say London."}, {"content": ""}, {"reasoning": "London?"}])
def test_streams_without_an_answer_pass_byte_for_byte(make: Make, upstream: Upstream, part: Json) -> None:
    reply = sse(delta(role="assistant", content=""), delta(**part), delta("stop"))
    client, upstream.script = make(BLOCK), [reply]
    assert bytes_of(client) == raw(reply)
    assert client.verifier.checks == []


def test_a_spoken_stream_is_judged_by_its_transcript(make: Make, upstream: Upstream) -> None:
    reply = sse(
        delta(role="assistant", audio={"id": "a", "transcript": "It is "}),
        delta(audio={"id": "a", "transcript": "London.", "data": "AAAA"}),
        delta("stop"),
    )
    client, upstream.script = make(BLOCK), [reply]
    got = bytes_of(client)
    assert b"London" not in got
    assert b"AAAA" not in got
    assert client.verifier.checks[0].turn.text == BAD


def test_log_probabilities_go_with_the_text_that_they_are_of(make: Make, upstream: Upstream) -> None:
    def token(text: str) -> Json:
        return {"content": [{"token": text, "logprob": -0.5, "bytes": None, "top_logprobs": []}], "refusal": None}

    bad = sse(delta(content=BAD, logprobs=token(BAD)), delta("stop"))
    client, upstream.script = make(BLOCK), [bad]
    _, items = streamed(client, logprobs=True)
    assert [choice.logprobs for item in items for choice in item.choices] == [None] * len(items)
    better = completion(GOOD)
    better["choices"][0]["logprobs"] = token(GOOD)
    client, upstream.script = make(REGENERATE), [bad, Reply(better)]
    _, items = streamed(client, logprobs=True)
    tokens = [one.token for item in items for c in item.choices if c.logprobs for one in c.logprobs.content]
    assert tokens == [text_of(items)] == [GOOD]


def test_several_streamed_continuations_of_the_legacy_api(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [text_chunks(GOOD, BAD)]
    stream = client.run(lambda c: c.completions.create(model="m", prompt=["France?", "England?"], stream=True))
    items = client.items(stream)
    texts = {i: "".join(c.text for item in items for c in item.choices if c.index == i) for i in (0, 1)}
    assert (texts[0].strip(), texts[1]) == (GOOD, "Withheld.")
    assert [[m.text for m in check.conversation] for check in client.verifier.checks] in (
        [["France?"], ["England?"]],
        [["England?"], ["France?"]],
    )


# the Responses API


@pytest.mark.parametrize("policy", [REGENERATE, BLOCK])
def test_a_streamed_response_holds_nothing_of_a_bad_answer(make: Make, upstream: Upstream, policy: Any) -> None:
    client, upstream.script = make(policy), [response_events(BAD), Reply(response(GOOD, id="resp_2"))]
    stream = client.run(lambda c: c.responses.create(model="m", input="Capital?", stream=True))
    events = client.items(stream)
    assert not any("London" in event.model_dump_json() for event in events)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    assert events[0].response.id == events[-1].response.id
    assert guardrail.report(stream).action in (Action.REGENERATE, Action.BLOCK)


def test_a_good_streamed_response_is_untouched(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [response_events(GOOD)]
    events = client.items(client.run(lambda c: c.responses.create(model="m", input="Capital?", stream=True)))
    assert [event.type for event in events][-1] == "response.completed"
    assert len(events) == 8


def test_a_stream_and_its_report_know_each_other(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [chunks(GOOD), chunks(GOOD)]
    one, two = create(client, stream=True), create(client, stream=True)
    client.items(two)
    client.items(one)
    assert guardrail.report(one).id != guardrail.report(two).id
