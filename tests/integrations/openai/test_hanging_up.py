"""A consumer that goes away, at any moment and in any way, leaves nothing behind: no task, thread or connection."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import openai
import pytest

from guardrail.testing import reliable
from guardrail.verdict import Verdict
from guardrail.verifiers.protocol import Check
from tests.integrations.openai.clients import ASK, BLOCK, REGENERATE, Client, Make, done, entered, released
from tests.integrations.openai.streaming import BAD, chat_events, response_payloads
from tests.integrations.openai.upstream import Json, Reply, Upstream, raw, sse

PING = b": still thinking\n\n"
FIRST = ["The tower", " is in Paris.", " It", " was"]


class Waiting:
    """A verifier that takes its time, and knows what became of its checks."""

    id, version = "waiting", "1"

    def __init__(self) -> None:
        self.asked, self.go_on, self.cancelled = threading.Event(), threading.Event(), 0

    def verify(self, check: Check) -> Verdict:
        self.asked.set()
        self.go_on.wait(10)
        return reliable()

    async def averify(self, check: Check) -> Verdict:
        self.asked.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return reliable()

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


def endless(*events: Json) -> Reply:
    """Says ``events``, and then nothing but comments until the client is gone."""

    def pieces() -> Iterator[bytes]:
        yield raw(sse(*events, done=False))
        for _ in range(10_000):
            yield PING * 10
            time.sleep(0.001)
        raise AssertionError("the client never hung up")

    return Reply(pieces=pieces())


def silent(*events: Json) -> Reply:
    """Says ``events``, and then nothing until the client is gone."""

    def pieces() -> Iterator[bytes]:
        yield raw(sse(*events, done=False))
        gone.wait(10)
        for _ in range(10_000):
            yield PING * 100

    gone = threading.Event()
    reply = Reply(pieces=pieces())
    reply.headers["x-gone"] = "1"
    endings.append(gone)
    return reply


endings: list[threading.Event] = []


@pytest.fixture(autouse=True)
def nothing_is_left(upstream: Upstream) -> Iterator[None]:
    before = {thread.ident for thread in threading.enumerate()}
    yield
    for gone in endings:
        gone.set()
    endings.clear()
    gc.collect()
    left = [t.name for t in threading.enumerate() if t.ident not in before and t.name.startswith("guardrail")]
    deadline = time.monotonic() + 5
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = [t.name for t in threading.enumerate() if t.ident not in before and t.name.startswith("guardrail")]
    assert left == []


def is_idle(client: Client) -> bool:
    """Whether no connection to the upstream is in use."""
    pool = client.client._client.inner._transport._pool
    return all(connection.is_idle() or connection.is_closed() for connection in pool.connections)


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.005)
    return true()


async def first_of(stream: Any) -> Any:
    return await anext(aiter(stream)) if hasattr(stream, "__aiter__") else next(iter(stream))


async def left_over() -> set[asyncio.Task[Any]]:
    """The tasks that do not end by themselves; a generator that was dropped is closed by one of the loop's own."""
    left = set[asyncio.Task[Any]]()
    for _ in range(200):
        left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        if not left:
            break
        await asyncio.sleep(0.005)
    return left


async def by_close(it: Any) -> None:
    stream = await done(it.chat.completions.create(**ASK))
    await first_of(stream)
    await done(stream.close())


async def unread(it: Any) -> None:
    stream = await done(it.chat.completions.create(**ASK))
    await done(stream.close())


async def by_leaving(it: Any) -> None:
    async with entered(it.chat.completions.with_streaming_response.create(**ASK)) as answer:
        await first_of(answer.iter_bytes())


async def by_break(it: Any) -> None:
    stream = await done(it.chat.completions.create(**ASK))
    if hasattr(stream, "__aiter__"):
        async for _ in stream:
            break
        del stream
        # The SDK, guarded or not, leaves an asynchronous stream open that is dropped, until the loop ends.
        await asyncio.get_running_loop().shutdown_asyncgens()
    else:
        for _ in stream:
            break
        del stream
        gc.collect()


async def by_helper(it: Any) -> None:
    async with entered(it.chat.completions.stream(model="m", messages=ASK["messages"])) as stream:
        await first_of(stream)


async def by_error(it: Any) -> None:
    with suppress(ZeroDivisionError):
        async with entered(it.responses.stream(model="m", input="x")) as stream:
            await first_of(stream)
            raise ZeroDivisionError


WAYS = {f.__name__: f for f in (by_close, unread, by_leaving, by_break, by_helper, by_error)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("talk", [endless, silent])
@pytest.mark.parametrize("mode", ["sentence", "whole"])
def test_however_the_consumer_goes_away_the_upstream_ends(
    make: Make, upstream: Upstream, way: str, talk: Any, mode: str
) -> None:
    if mode == "whole" and talk is silent:
        pytest.skip("nothing is read before the end")
    events = response_payloads(FIRST)[:8] if way == "by_error" else chat_events(FIRST)[:-1]
    client, upstream.script = make(released(BLOCK, mode)), [talk(*events)]
    if mode == "whole" and way != "unread" and way != "by_leaving":
        pytest.skip("a consumer of what is held whole waits for its end")

    async def go(it: Any) -> set[asyncio.Task[Any]]:
        await WAYS[way](it)
        return await left_over()

    assert client.do(go) == set()
    for gone in endings:
        gone.set()
    assert upstream.hung_up.wait(10)
    assert wait_until(lambda: is_idle(client))


def test_verifications_end_with_the_consumer(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [endless(*chat_events(FIRST)[:-1])]
    waiting = Waiting()
    client.client._client.guard._verifiers["main"] = waiting

    async def go(it: Any) -> set[asyncio.Task[Any]]:
        stream = await done(it.chat.completions.create(**ASK))
        await first_of(stream)
        for _ in range(1000):
            if waiting.asked.is_set():
                break
            await asyncio.sleep(0.001)
        assert waiting.asked.is_set()
        await done(stream.close())
        return await left_over()

    assert client.do(go) == set()
    is_async = isinstance(client.client, openai.AsyncOpenAI)
    assert waiting.cancelled == int(is_async)
    waiting.go_on.set()  # a thread cannot be stopped: it ends when its verifier does
    assert upstream.hung_up.wait(10)


def test_what_goes_on_from_a_bad_sentence_ends_too(make: Make, upstream: Upstream) -> None:
    client = make(REGENERATE)
    upstream.script = [sse(*chat_events([*FIRST[:2], f" {BAD}", " It is."])), endless(*chat_events([" It"])[:2])]

    async def go(it: Any) -> set[asyncio.Task[Any]]:
        stream = await done(it.chat.completions.create(**ASK))
        if hasattr(stream, "__aiter__"):
            async for item in stream:
                if item.choices and item.choices[0].delta.content:
                    break
        else:
            for item in stream:
                if item.choices and item.choices[0].delta.content:
                    break
        for _ in range(1000):
            if len(upstream.requests) > 1:
                break
            await asyncio.sleep(0.001)
        await done(stream.close())
        return await left_over()

    assert client.do(go) == set()
    assert upstream.hung_up.wait(10)
    assert wait_until(lambda: is_idle(client))


def test_what_was_still_being_asked_for_ends_before_it_says_a_word(make: Make, upstream: Upstream) -> None:
    asked, left, gone = threading.Event(), threading.Event(), threading.Event()
    endings.append(gone)

    def mute() -> Iterator[bytes]:
        gone.wait(10)
        yield PING

    def answer(_: Json, number: int) -> Reply:
        if number == 0:
            return sse(*chat_events([*FIRST[:2], f" {BAD}", " It is."]))
        asked.set()
        assert left.wait(10)
        return Reply(pieces=mute())

    client, upstream.answer = make(REGENERATE), answer

    async def go(it: Any) -> set[asyncio.Task[Any]]:
        stream = await done(it.chat.completions.create(**ASK))
        await first_of(stream)
        for _ in range(1000):
            if asked.is_set():
                break
            await asyncio.sleep(0.001)
        await done(stream.close())
        return await left_over()

    assert client.do(go) == set()
    left.set()
    assert wait_until(lambda: is_idle(client))


@pytest.mark.parametrize("sentences", [0, 1, 2])
def test_a_cancelled_task_leaves_nothing_behind(make: Make, upstream: Upstream, sentences: int) -> None:
    client, upstream.script = make(BLOCK), [endless(*chat_events(FIRST * sentences or ["It"])[:-1])]
    if not isinstance(client.client, openai.AsyncOpenAI):
        pytest.skip("only tasks can be cancelled")

    async def go(it: Any) -> set[asyncio.Task[Any]]:
        async def read() -> None:
            async for _ in await it.chat.completions.create(**ASK):
                pass

        task = asyncio.ensure_future(read())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await left_over()

    assert client.do(go) == set()
    assert upstream.hung_up.wait(10)
    assert wait_until(lambda: is_idle(client))


@pytest.mark.parametrize("way", [by_close, by_leaving, by_helper])
def test_the_event_loop_has_nothing_to_complain_of(make: Make, upstream: Upstream, way: Any) -> None:
    client, upstream.script = make(BLOCK), [endless(*chat_events(FIRST)[:-1])]
    complaints = list[Any]()
    client.loop.set_exception_handler(lambda loop, context: complaints.append(context))

    async def go(it: Any) -> None:
        await way(it)
        gc.collect()
        await left_over()

    client.do(go)
    assert upstream.hung_up.wait(10)
    client.do(lambda it: left_over())
    assert complaints == []
