"""The HTTP layer below a guarded client: the user's own, and faithful in all that is not the answer."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

import guardrail
from guardrail import Action, ConfigError, Guard, Policy
from guardrail.errors import NoReport
from guardrail.testing import ScriptedVerifier, unreliable
from guardrail.verdict import Verdict
from guardrail.verifiers.protocol import Check
from tests.integrations.openai.clients import (
    ASKED,
    BAD,
    BLOCK,
    GOOD,
    REGENERATE,
    Client,
    Make,
    bare_client,
    create,
    done,
    entered,
    listed,
)
from tests.integrations.openai.upstream import Reply, Upstream, chunks, completion, speaking

CHAT: Any = {"model": "m", "messages": ASKED}


def other_http(client: Client) -> Any:
    """Another HTTP client of the kind that ``client`` sends through."""
    inner = client.bare._client
    kind = next(kind for kind in type(inner).__mro__ if kind.__name__ in ("Client", "AsyncClient"))
    return kind(verify=False)


def close(client: Client, http: Any) -> None:
    async def go(_: Any) -> None:
        await done(http.aclose() if hasattr(http, "aclose") else http.close())

    client.do(go)


# what comes back


def test_headers_encoding_and_times_are_the_providers(make: Make, upstream: Upstream) -> None:
    reply = Reply(completion(BAD), headers={"content-encoding": "gzip", "x-ratelimit-remaining": "7"})
    client, upstream.script = make(BLOCK), [reply]
    raw = client.run(lambda c: c.chat.completions.with_raw_response.create(**CHAT))
    body = json.loads(raw.content)
    assert body["choices"][0]["message"]["content"] == raw.parse().choices[0].message.content == "Withheld."
    assert raw.headers["x-ratelimit-remaining"] == "7"
    assert "content-encoding" not in raw.headers
    assert int(raw.headers["content-length"]) == len(raw.content)
    assert (raw.headers["x-guardrail-action"], raw.headers["x-guardrail-status"]) == ("block", "unreliable")
    assert float(raw.headers["x-guardrail-added-ms"]) >= 0
    assert raw.elapsed.total_seconds() > 0
    assert guardrail.report(raw).id == raw.headers["x-guardrail-id"]


def test_an_answer_that_stands_keeps_its_bytes(make: Make, upstream: Upstream) -> None:
    body = b'{ "id" : "chatcmpl-1",\n "choices": [{"index":0,"message":{"content":"Caf\\u00e9"}}], "new": 1.0 }\n'
    client, upstream.script = make(), [Reply(body)]
    raw = client.run(lambda c: c.chat.completions.with_raw_response.create(**CHAT))
    mark = raw.text.index(',"guardrail":')
    assert raw.content[:mark] == body.rstrip()[:-1]
    assert json.loads(raw.text)["guardrail"]["action"] == "pass"


def test_the_response_tells_of_its_request_its_protocol_and_its_id(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(REGENERATE), speaking(GOOD)
    for stream in (False, True):
        raw = client.run(lambda c: c.chat.completions.with_raw_response.create(stream=stream, **CHAT))  # noqa: B023
        response = raw.http_response
        assert raw.request_id == "req_1"
        assert (response.http_version, response.extensions["http_version"]) == ("HTTP/1.1", b"HTTP/1.1")
        assert (response.request.method, response.url.path) == ("POST", "/v1/chat/completions")
        assert response.history == []
        if stream:
            client.items(raw.parse())
            assert raw.http_response.is_closed
        assert raw.elapsed.total_seconds() > 0
    assert create(client)._request_id == "req_1"


def test_a_stream_that_is_read_line_by_line_tells_how_long_it_took(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [chunks(BAD)]

    async def read(it: Any) -> float:
        async with entered(it.chat.completions.with_streaming_response.create(stream=True, **CHAT)) as response:
            await listed(response.iter_lines())
            seconds: float = response.elapsed.total_seconds()
            return seconds

    assert client.do(read) > 0


# what is sent, and through what


def test_the_users_hooks_see_every_request(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD)), Reply(completion(GOOD))]
    seen: list[str] = []

    def hook(request: Any) -> None:
        seen.append(request.method)

    async def async_hook(request: Any) -> None:
        hook(request)

    asynchronous = isinstance(client.bare, openai.AsyncOpenAI)
    client.bare._client.event_hooks = {"request": [async_hook if asynchronous else hook]}
    create(client)
    assert seen == ["POST", "POST"]


def test_a_request_goes_out_as_the_sdk_wrote_it(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    client.run(lambda _: client.bare.chat.completions.create(seed=1, extra_headers={"x-mine": "1"}, **CHAT))
    create(client, seed=1, extra_headers={"x-mine": "1"})
    assert upstream.requests[0] == upstream.requests[1]
    assert upstream.headers[0] == upstream.headers[1]


def test_a_copy_with_another_http_client_is_guarded_and_uses_it(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(BAD))]
    http = other_http(client)
    http.headers["x-other"] = "1"
    answer = client.run(lambda c: c.with_options(http_client=http).chat.completions.create(**CHAT))
    assert answer.choices[0].message.content == "Withheld."
    again = client.run(lambda c: c.copy(http_client=http).with_options(timeout=9).chat.completions.create(**CHAT))
    assert again.choices[0].message.content == "Withheld."
    close(client, http)


def test_a_client_with_an_http_client_of_its_own_kind_is_refused(make: Make, upstream: Upstream) -> None:
    client = make()
    client.bare._client, kept = object(), client.bare._client
    try:
        with pytest.raises(ConfigError, match="no client of httpx2 or httpx"):
            guardrail.wrap(client.bare)
    finally:
        client.bare._client = kept


# clients and their lives


def test_wrapping_twice_guards_once_by_the_newer_policy(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD))]
    again = guardrail.wrap(client.client, Guard(Policy.model_validate(BLOCK), verifiers={"main": client.verifier}))
    for one in (again, again.with_options(timeout=5)):
        answer = client.run(lambda _: one.chat.completions.create(**CHAT))  # noqa: B023
        assert answer.choices[0].message.content == "Withheld."
    assert (len(client.verifier.checks), len(upstream.requests)) == (2, 2)


def test_the_original_client_stays_as_it_was(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(BAD))]
    answer = client.run(lambda _: client.bare.chat.completions.create(**CHAT))
    assert answer.choices[0].message.content == BAD
    answer.id = "chatcmpl-never-seen"
    with pytest.raises(NoReport):
        guardrail.report(answer)


def test_closing_the_guarded_client_closes_what_it_wraps(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    create(client)
    assert (client.client.is_closed(), client.bare.is_closed()) == (False, False)

    async def leave(it: Any) -> None:
        async with entered(it):
            pass

    client.do(leave)
    assert (client.client.is_closed(), client.bare.is_closed()) == (True, True)


def test_the_original_may_be_forgotten(upstream: Upstream) -> None:
    upstream.script = [Reply(completion(BAD))]
    verifier = ScriptedVerifier(unreliable("London"), repeat=True)

    def wrapped() -> Any:
        bare = openai.OpenAI(
            base_url=upstream.url, api_key="sk-test"
        )  # with the HTTP client that closes when collected
        return guardrail.wrap(bare, Guard(Policy.model_validate(BLOCK), verifiers={"main": verifier}))

    client = wrapped()
    for _ in range(2):
        gc.collect()
        assert client.chat.completions.create(**CHAT).choices[0].message.content == "Withheld."
    client.close()


def test_a_forgotten_client_is_closed_before_its_sockets_complain() -> None:
    said: list[str] = []

    class Socket:
        def __del__(self) -> None:
            said.append("a socket is not closed" if not said else "a socket goes")

    def use() -> None:
        socket = Socket()  # the oldest of what is collected, so the first to be told
        bare = openai.OpenAI(api_key="sk-test")
        http: Any = bare._client
        http.socket, http.close = socket, lambda: said.append("closed")
        _ = guardrail.wrap(bare).chat  # in a cycle with its client

    gc.collect()
    use()
    gc.collect()
    assert said == ["closed", "a socket goes"]


def test_many_threads_share_one_client(upstream: Upstream) -> None:
    upstream.answer = speaking(BAD)
    verifier = ScriptedVerifier(unreliable("London"), repeat=True)
    guard = Guard(Policy.model_validate(BLOCK), verifiers={"main": verifier})
    with guardrail.wrap(bare_client("sync", upstream.url), guard) as client, ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(client.chat.completions.create, **CHAT) for _ in range(32)]
        answers = [call.result().choices[0].message.content for call in calls]
    assert answers == ["Withheld."] * 32
    assert len(verifier.checks) == 32


async def test_many_tasks_share_one_client(upstream: Upstream) -> None:
    upstream.answer = lambda body, _: Reply(completion(body["messages"][0]["content"]))
    verifier = ScriptedVerifier(lambda check: judged_by_number(check), repeat=True)
    guard = Guard(Policy.model_validate(BLOCK), verifiers={"main": verifier})
    async with guardrail.wrap(bare_client("async", upstream.url), guard) as client:
        asks = [[{"role": "user", "content": str(number)}] for number in range(64)]
        answers = await asyncio.gather(*(client.chat.completions.create(model="m", messages=ask) for ask in asks))
    assert [a.choices[0].message.content for a in answers] == ["Withheld." if n % 2 else str(n) for n in range(64)]
    assert [guardrail.report(a).action is Action.BLOCK for a in answers] == [n % 2 == 1 for n in range(64)]


def judged_by_number(check: Check) -> Verdict:
    return unreliable() if int(check.turn.text) % 2 else guardrail.testing.reliable()


class Waiting:
    """A verifier that gives no verdict before it is told to, or cancelled."""

    id, version = "waiting", "1"

    def __init__(self) -> None:
        self.asked, self.cancelled = asyncio.Event(), 0

    def verify(self, check: Check) -> Verdict:
        raise NotImplementedError

    async def averify(self, check: Check) -> Verdict:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise AssertionError

    def close(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancelled_call_cancels_its_checks(upstream: Upstream, stream: bool, n: int) -> None:
    upstream.script = [chunks(*[GOOD] * n) if stream else Reply(completion(*[GOOD] * n))]
    verifier = Waiting()
    async with guardrail.wrap(bare_client("async", upstream.url), Guard(verifiers={"main": verifier})) as client:

        async def call() -> None:
            answer = await client.chat.completions.create(stream=stream, n=n, **CHAT)
            if stream:
                await listed(answer)

        task = asyncio.ensure_future(call())
        await verifier.asked.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert verifier.cancelled == n
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_choice_that_raises_ends_the_others(upstream: Upstream) -> None:
    raising = {"version": 1, "policies": {"default": {"on_unreliable": "block", "on_block": "raise"}}}
    upstream.script = [Reply(completion(BAD, GOOD))]
    waiting = Waiting()

    class Mixed(Waiting):
        async def averify(self, check: Check) -> Verdict:
            if "London" in check.turn.text:
                await waiting.asked.wait()
                return unreliable()
            return await waiting.averify(check)

    guard = Guard(Policy.model_validate(raising), verifiers={"main": Mixed()})
    async with guardrail.wrap(bare_client("async", upstream.url), guard) as client:
        with pytest.raises(guardrail.BlockedError):
            await client.chat.completions.create(n=2, **CHAT)
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert waiting.cancelled == 1


def test_a_synchronous_client_works_inside_a_running_loop_and_beside_threads(upstream: Upstream) -> None:
    upstream.answer = speaking(BAD)
    verifier = ScriptedVerifier(unreliable("London"), repeat=True)
    guard = Guard(Policy.model_validate(BLOCK), verifiers={"main": verifier})

    async def inside() -> Any:
        return client.chat.completions.create(**CHAT)

    with guardrail.wrap(bare_client("sync", upstream.url), guard) as client:
        assert asyncio.run(inside()).choices[0].message.content == "Withheld."
        before = threading.active_count()
        client.chat.completions.create(n=3, **CHAT)
        assert threading.active_count() <= before + 1  # the server may hold one for its connection
