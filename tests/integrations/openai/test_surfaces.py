"""Every way to ask an OpenAI client for text: each works, is guarded, and has its report."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any

import openai
import pytest
from pydantic import BaseModel

import guardrail
from guardrail import Action
from guardrail.errors import ConfigError, NoReport
from guardrail.logs import forgotten
from guardrail.testing import ScriptedVerifier, unreliable
from tests.integrations.openai.clients import (
    ASKED,
    AZURE,
    BLOCK,
    KINDS,
    REGENERATE,
    Client,
    Make,
    done,
    entered,
    listed,
)
from tests.integrations.openai.upstream import Reply, Upstream, completion, response, speaking

BAD, GOOD = '{"city": "London"}', '{"city": "Paris"}'
CHAT: dict[str, Any] = {"model": "m", "messages": ASKED}
RESPONSE: dict[str, Any] = {"model": "m", "input": "Capital of France?"}
LEGACY: dict[str, Any] = {"model": "m", "prompt": "The capital of France is"}


class City(BaseModel):
    city: str


Seen = tuple[str, tuple[Any, ...]]
"""All that the caller gets, as text; and the objects that have a report."""
Surface = Callable[[Any], Awaitable[Seen]]
SURFACES: dict[str, Surface] = {}


def surface(name: str) -> Callable[[Surface], Surface]:
    def enter(call: Surface) -> Surface:
        SURFACES[name] = call
        return call

    return enter


def dumped(*answers: Any) -> str:
    return "".join(answer.model_dump_json(warnings=False) for answer in answers)


@surface("chat.completions.create")
async def _create(client: Any) -> Seen:
    answer = await done(client.chat.completions.create(**CHAT))
    return dumped(answer), (answer,)


@surface("chat.completions.create, two choices")
async def _choices(client: Any) -> Seen:
    answer = await done(client.chat.completions.create(n=2, **CHAT))
    return dumped(answer), (answer,)


@surface("chat.completions.create, streamed")
async def _stream(client: Any) -> Seen:
    stream = await done(client.chat.completions.create(stream=True, **CHAT))
    chunks = await listed(stream)
    return dumped(*chunks), (stream, *chunks)


@surface("chat.completions.create, streamed, as a context")
async def _stream_context(client: Any) -> Seen:
    async with entered(await done(client.chat.completions.create(stream=True, **CHAT))) as stream:
        return dumped(*await listed(stream)), (stream,)


@surface("chat.completions.parse")
async def _parse(client: Any) -> Seen:
    answer = await done(client.chat.completions.parse(response_format=City, **CHAT))
    return dumped(answer) + repr(answer.choices[0].message.parsed), (answer,)


@surface("beta.chat.completions.parse")
async def _beta_parse(client: Any) -> Seen:
    answer = await done(client.beta.chat.completions.parse(response_format=City, **CHAT))
    return dumped(answer), (answer,)


@surface("chat.completions.stream")
async def _helper(client: Any) -> Seen:
    manager = client.chat.completions.stream(response_format=City, **CHAT)
    async with entered(manager) as stream:
        events = [repr(event) for event in await listed(stream)]
        final = await done(stream.get_final_completion())
    return "".join(events) + dumped(final), (final, stream, manager)


@surface("chat.completions.with_raw_response")
async def _raw(client: Any) -> Seen:
    raw = await done(client.chat.completions.with_raw_response.create(**CHAT))
    return raw.text + dumped(raw.parse()), (raw, raw.parse())


@surface("chat.completions.with_raw_response, streamed")
async def _raw_stream(client: Any) -> Seen:
    raw = await done(client.chat.completions.with_raw_response.create(stream=True, **CHAT))
    stream = raw.parse()
    return dumped(*await listed(stream)), (raw, stream)


@surface("chat.completions.with_streaming_response")
async def _streaming_response(client: Any) -> Seen:
    async with entered(client.chat.completions.with_streaming_response.create(**CHAT)) as response:
        return await done(response.text()), (response, await done(response.parse()))


@surface("chat.completions.with_streaming_response, line by line")
async def _lines(client: Any) -> Seen:
    async with entered(client.chat.completions.with_streaming_response.create(stream=True, **CHAT)) as response:
        return "\n".join(await listed(response.iter_lines())), (response,)


@surface("client.post")
async def _post(client: Any) -> Seen:
    answer = await done(client.post("/chat/completions", cast_to=object, body=CHAT))
    return json.dumps(answer), (answer,)


@surface("responses.create")
async def _response(client: Any) -> Seen:
    answer = await done(client.responses.create(**RESPONSE))
    return dumped(answer), (answer,)


@surface("responses.create, streamed")
async def _response_stream(client: Any) -> Seen:
    stream = await done(client.responses.create(stream=True, **RESPONSE))
    events = await listed(stream)
    return dumped(*events), (stream, events[-1], events[-1].response)


@surface("responses.parse")
async def _response_parse(client: Any) -> Seen:
    answer = await done(client.responses.parse(text_format=City, **RESPONSE))
    return dumped(answer) + repr(answer.output_parsed), (answer,)


@surface("responses.stream")
async def _response_helper(client: Any) -> Seen:
    manager = client.responses.stream(text_format=City, **RESPONSE)
    async with entered(manager) as stream:
        events = [repr(event) for event in await listed(stream)]
        final = await done(stream.get_final_response())
    return "".join(events) + dumped(final), (final, stream, manager)


@surface("responses.with_raw_response")
async def _response_raw(client: Any) -> Seen:
    raw = await done(client.responses.with_raw_response.create(**RESPONSE))
    return raw.text + dumped(raw.parse()), (raw, raw.parse())


@surface("beta.responses.create")
async def _beta_response(client: Any) -> Seen:
    answer = await done(client.beta.responses.create(**RESPONSE))
    return dumped(answer), (answer,)


@surface("completions.create")
async def _legacy(client: Any) -> Seen:
    answer = await done(client.completions.create(**LEGACY))
    return dumped(answer), (answer,)


@surface("completions.create, streamed")
async def _legacy_stream(client: Any) -> Seen:
    stream = await done(client.completions.create(stream=True, **LEGACY))
    chunks = await listed(stream)
    return dumped(*chunks), (stream, *chunks)


@surface("with_options")
async def _with_options(client: Any) -> Seen:
    return await _create(client.with_options(timeout=5))


@surface("copy")
async def _copy(client: Any) -> Seen:
    return await _create(client.copy())


@surface("a copy of a copy")
async def _copies(client: Any) -> Seen:
    return await _response(client.with_options(max_retries=0).with_options(timeout=3))


everywhere = pytest.mark.parametrize("make", [*KINDS, *AZURE], indirect=True)
every_surface = pytest.mark.parametrize("name", SURFACES)


def called(make: Make, policy: Any, name: str) -> Seen:
    client = make(policy)
    if name.startswith("beta.responses") and not hasattr(client.client.beta, "responses"):
        pytest.skip("this release of the SDK has no beta.responses")
    seen: Seen = client.do(SURFACES[name])
    return seen


@every_surface
def test_a_good_answer_comes_through_with_its_report(make: Make, upstream: Upstream, name: str) -> None:
    upstream.answer = speaking(GOOD)
    text, objects = called(make, None, name)
    assert "Paris" in text
    assert [guardrail.report(one).action for one in objects] == [Action.PASS] * len(objects)


@everywhere
@every_surface
def test_nothing_of_a_blocked_answer_comes_through(make: Make, upstream: Upstream, name: str) -> None:
    upstream.answer = speaking(BAD)
    try:
        text, objects = called(make, BLOCK, name)
    except openai.ContentFilterFinishReasonError:
        pytest.fail("a blocked answer to a request for JSON is a refusal, which no helper of the SDK chokes on")
    assert "London" not in text
    assert "Withheld." in text
    assert [guardrail.report(one).action for one in objects] == [Action.BLOCK] * len(objects)
    assert len(upstream.requests) == 1


@every_surface
def test_a_bad_answer_is_regenerated_in_its_place(make: Make, upstream: Upstream, name: str) -> None:
    # A second choice is asked for by itself.
    upstream.answer = lambda body, number: speaking(BAD if number == 0 else GOOD)(body, number)
    text, objects = called(make, REGENERATE, name)
    assert "London" not in text
    assert "Paris" in text
    assert [guardrail.report(one).action for one in objects] == [Action.REGENERATE] * len(objects)


def test_a_stream_has_no_report_before_its_end(make: Make, upstream: Upstream) -> None:
    upstream.answer = speaking(GOOD)
    client = make()
    stream = client.run(lambda c: c.responses.create(stream=True, **RESPONSE))
    with pytest.raises(NoReport, match="read to the end"):
        guardrail.report(stream)
    client.items(stream)
    assert guardrail.report(stream).action is Action.PASS


def test_a_report_is_found_by_the_id_alone(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(completion("Paris.", id="chatcmpl-by-id"))]
    client.run(lambda c: c.chat.completions.create(**CHAT))
    assert guardrail.report({"id": "chatcmpl-by-id"}).text == "Paris."


def test_the_mark_of_the_guard_is_json_beside_the_answer_and_never_in_the_message(
    make: Make, upstream: Upstream
) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion("London."))]
    answer = client.run(lambda c: c.chat.completions.create(**CHAT))
    mark = json.loads(answer.model_dump_json())["guardrail"]
    assert mark == {"id": guardrail.report(answer).id, "action": "block", "status": "unreliable"}
    assert "guardrail" not in answer.choices[0].message.model_dump()


SOCKETS: dict[str, Callable[[Any], Any]] = {
    "realtime": lambda c: c.realtime.connect(model="m"),
    "beta.realtime": lambda c: c.beta.realtime.connect(model="m"),
    "realtime.translations": lambda c: c.realtime.translations.connect(model="m"),
    "responses": lambda c: c.responses.connect(),
    "beta.responses": lambda c: c.beta.responses.connect(),
    "live": lambda c: c.live.connect(),
    "live.forks": lambda c: c.live.forks.connect(session_id="s"),
    "live.sideband": lambda c: c.live.sideband.connect(session_id="s"),
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "the client": lambda c: c,
    "a copy": lambda c: c.with_options(timeout=5),
    "a copy with an address of its own": lambda c: c.copy(websocket_base_url="wss://sockets.test"),
    "a copy for a region": lambda c: c.copy(data_residency="eu"),
}


@everywhere
@pytest.mark.parametrize("socket", SOCKETS)
def test_websockets_are_refused_by_name(make: Make, socket: str) -> None:
    client = make()
    try:
        attrgetter(socket)(client.client)
    except AttributeError:
        pytest.skip(f"this release of the SDK has no {socket}")
    assert_refused(client, SOCKETS[socket])


@pytest.mark.parametrize("copied", COPIES)
def test_websockets_of_copies_are_refused_too(make: Make, copied: str) -> None:
    client = make()
    if "region" in copied and "data_residency" not in inspect.signature(type(client.client).copy).parameters:
        pytest.skip("this release of the SDK knows no regions")
    assert_refused(client, lambda client: COPIES[copied](client).responses.connect())


def assert_refused(client: Client, connection: Callable[[Any], Any]) -> None:
    async def connect(client: Any) -> None:
        async with entered(connection(client)):
            raise AssertionError("connected")

    with pytest.raises(ConfigError, match="cannot guard websockets"):
        client.do(connect)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("post", "/threads/thread_1/runs", "beta.threads.runs"),
        ("get", "/threads/thread_1/messages", "beta.threads.messages"),
        ("post", "/agents/sessions", "beta.agents"),
        ("post", "/chatkit/sessions", "beta.chatkit"),
    ],
)
def test_what_is_not_guarded_warns_once(
    make: Make, upstream: Upstream, caplog: pytest.LogCaptureFixture, method: str, path: str, name: str
) -> None:
    client, upstream.script = make(), [Reply({"id": "x"})]
    upstream.stored[path.removeprefix("/")] = {"id": "x"}
    more: dict[str, Any] = {"body": {}} if method == "post" else {}
    with forgotten():
        for _ in range(2):
            client.run(lambda c: getattr(c, method)(path, cast_to=object, **more))
    assert len([record for record in caplog.records if name in record.getMessage()]) == 1


@pytest.mark.parametrize("path", ["/embeddings", "/responses/compact", "/responses/input_tokens", "/decisions"])
def test_what_holds_no_answer_passes_untouched(make: Make, upstream: Upstream, path: str) -> None:
    client, upstream.script = make(BLOCK), [Reply(response("London."))]
    answer = client.run(lambda c: c.post(path, cast_to=object, body={"input": "x"}))
    assert (answer, client.verifier.checks) == (response("London."), [])


def test_other_resources_of_the_sdk_pass(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply({"object": "list", "data": []})]
    client.run(lambda c: c.embeddings.create(model="m", input="x", encoding_format="float"))
    assert upstream.paths == ["/v1/embeddings"]


@pytest.mark.parametrize("end", ["/", ""])  # without it, the SDK's module asks for /v1chat/completions
def test_the_module_itself_can_be_guarded(upstream: Upstream, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    for name, value in {"api_key": "sk-test", "base_url": f"{upstream.url}{end}", "http_client": None}.items():
        monkeypatch.setattr(openai, name, value)
    monkeypatch.setattr(openai, "_client", None)
    upstream.answer = speaking("It is London.")
    verifier = ScriptedVerifier(unreliable("London"), repeat=True)
    with guardrail.Guard(guardrail.load_policy(BLOCK), verifiers={"main": verifier}) as guard:
        assert guardrail.wrap(openai, guard) is openai
        answer = openai.chat.completions.create(**CHAT)
        assert "London" not in openai.completions.create(model="m", prompt="x").model_dump_json()
        assert "London" not in openai.responses.create(**RESPONSE).model_dump_json()
        assert "London" not in openai.responses.create(previous_response_id="resp_0", **RESPONSE).model_dump_json()
        assert upstream.fetched == [f"/v1{end}responses/resp_0"]
        with pytest.raises(ConfigError, match="websockets"), openai.realtime.connect(model="m"):
            pass
        assert openai.http_client is not None
        openai.http_client.close()
    assert answer.choices[0].message.content == "Withheld."
