"""Further answers drawn through a guarded client: unguarded, unseen, bounded and paid for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

import guardrail
from guardrail import Action, Cause, Check, Guard, Status, Usage, Verdict
from guardrail.policy.loading import load
from guardrail.testing import ScriptedVerifier, reliable, unreliable
from tests.integrations.openai.clients import ASKED, BAD, GOOD, KINDS, bare_client, text_of
from tests.integrations.openai.upstream import (
    Json,
    Reply,
    Upstream,
    chunks,
    completion,
    response,
    response_events,
    text_completion,
)

POLICY: Json = {
    "version": 1,
    "verifiers": {
        "main": {"kind": "consistency", "samples": 3, "verifier": "same", "temperature": 0.8},
        "same": {"kind": "embedded"},
    },
    "policies": {"default": {"on_unreliable": "block", "messages": {"blocked": "Withheld."}}},
}
BOUND = len(GOOD) // 3 + 16


def same(check: Check) -> Verdict:
    return reliable() if check.turn.text == check.evidence[0].text else unreliable(check.turn.text)


class Closed:
    """A guarded client of either kind, and the verifier that compares."""

    def __init__(self, kind: str, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.verifier = ScriptedVerifier(same, repeat=True)
        guard = Guard(load(POLICY), verifiers={"same": self.verifier})
        self.client: Any = guardrail.wrap(bare_client(kind, url), guard)

    def run(self, call: Any) -> Any:
        result = call(self.client)
        return self.loop.run_until_complete(result) if hasattr(result, "__await__") else result

    def chat(self, **more: Any) -> Any:
        return self.run(lambda c: c.chat.completions.create(model="m", messages=ASKED, **more))

    def close(self) -> None:
        closed = self.client.close()
        if closed is not None:
            self.loop.run_until_complete(closed)
        self.loop.close()


@pytest.fixture(params=KINDS)
def closed(request: pytest.FixtureRequest, upstream: Upstream) -> Iterator[Closed]:
    made = Closed(request.param, upstream.url)
    yield made
    made.close()


def says(first: str, *later: str) -> Any:
    """``first`` to the first request, then ``later``, each in the shape that its API has."""

    def answer(body: Json, number: int) -> Reply:
        text = first if number == 0 else later[(number - 1) % len(later)]
        id = f"id-{number}"
        if "input" in body:
            return response_events(text, id) if body.get("stream") else Reply(response(text, id))
        if "prompt" in body:
            return Reply(text_completion(text, id=id))
        return chunks(text, id=id) if body.get("stream") else Reply(completion(text, id=id))

    return answer


def test_an_answer_is_held_against_three_more_and_only_it_is_seen(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = says(GOOD, GOOD)
    answer = closed.chat()
    assert (answer.choices[0].message.content, answer.id) == (GOOD, "id-0")
    outcome = guardrail.report(answer)
    assert outcome.verdict is not None
    assert (outcome.action, outcome.verdict.status) == (Action.PASS, Status.RELIABLE)
    assert len(upstream.requests) == 4
    assert len(closed.verifier.checks) == 3  # none of the samples is judged itself


def test_what_they_cost_is_counted(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = says(GOOD, GOOD)
    answer = closed.chat()
    assert guardrail.report(answer).usage == Usage(30, 15)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (40, 20)


def test_an_answer_that_differs_each_time_is_withheld(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = says(BAD, GOOD)
    answer = closed.chat()
    assert answer.choices[0].message.content == "Withheld."
    assert GOOD not in answer.model_dump_json()


def test_they_are_asked_for_at_the_cheapest(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = says(GOOD, GOOD)
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    closed.chat(n=1, seed=7, logprobs=True, top_logprobs=3, store=True, tools=tools, user="u", temperature=0)
    first, *aside = upstream.requests
    assert first["seed"] == 7
    bound = {"max_completion_tokens": BOUND, "temperature": 0.8}
    assert aside == [{"model": "m", "messages": ASKED, "tools": tools, "tool_choice": "none", "user": "u", **bound}] * 3
    assert {headers["authorization"] for headers in upstream.headers} == {"Bearer sk-test"}
    assert not any("idempotency-key" in headers for headers in upstream.headers[1:])


@pytest.mark.parametrize(("key", "given", "sent"), [("max_tokens", 500, BOUND), ("max_completion_tokens", 9, 9)])
def test_a_bound_of_the_requests_own_keeps_its_name_and_holds(
    closed: Closed, upstream: Upstream, key: str, given: int, sent: int
) -> None:
    upstream.answer = says(GOOD, GOOD)
    closed.chat(**{key: given})
    assert [{k: v for k, v in body.items() if k.startswith("max")} for body in upstream.requests[1:]] == [
        {key: sent}
    ] * 3


def test_an_llm_that_thinks_first_gets_room_for_it(closed: Closed, upstream: Upstream) -> None:
    thought = {"prompt_tokens": 10, "completion_tokens": 400, "total_tokens": 410}
    upstream.answer = lambda body, number: Reply(completion(GOOD, usage=thought))
    closed.chat()
    assert upstream.requests[1]["max_completion_tokens"] == 800


def test_a_server_that_refuses_the_settings_is_asked_plainly_and_that_is_remembered(
    closed: Closed, upstream: Upstream
) -> None:
    def answer(body: Json, number: int) -> Reply:
        refused = "max_completion_tokens" in body
        return Reply({"error": {"message": "no"}}, status=400) if refused else Reply(completion(GOOD))

    upstream.answer = answer
    for _ in range(2):
        verdict = guardrail.report(closed.chat()).verdict
        assert verdict is not None
        assert verdict.status is Status.RELIABLE
    bounded = ["max_completion_tokens" in body for body in upstream.requests]
    assert bounded[-4:] == [False] * 4
    assert (1 <= bounded.count(True) <= 3, bounded.count(False)) == (True, 2 * 4)


def test_when_none_comes_there_is_no_verdict_and_the_answer_is_kept(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = lambda body, number: Reply(completion(GOOD)) if number == 0 else Reply({}, status=500)
    answer = closed.chat()
    verdict = guardrail.report(answer).verdict
    assert answer.choices[0].message.content == GOOD
    assert verdict is not None
    assert (verdict.status, verdict.cause) == (Status.ERROR, Cause.SERVER)
    assert "HTTP 500" in verdict.explanation


def test_each_choice_is_held_against_further_answers(closed: Closed, upstream: Upstream) -> None:
    def answer(body: Json, number: int) -> Reply:
        return Reply(completion(GOOD, BAD) if body.get("n") else completion(GOOD))

    upstream.answer = answer
    texts = [choice.message.content for choice in closed.chat(n=2).choices]
    assert (texts, len(upstream.requests)) == ([GOOD, "Withheld."], 1 + 6)


def test_a_stream_is_held_whole_until_they_are_in_and_they_are_not_streamed(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = says(BAD, GOOD)
    stream = closed.chat(stream=True)
    items = closed.loop.run_until_complete(_listed(stream)) if hasattr(stream, "__aiter__") else list(stream)
    assert text_of(items) == "Withheld."
    assert ["stream" in body for body in upstream.requests] == [True, False, False, False]


async def _listed(stream: Any) -> list[Any]:
    return [item async for item in stream]


def test_responses_are_sampled_without_being_kept(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = says(GOOD, GOOD)
    answer = closed.run(
        lambda c: c.responses.create(model="m", input="Capital of France?", metadata={"a": "b"}, store=True)
    )
    assert (answer.output_text, answer.id) == (GOOD, "id-0")
    bound = {"max_output_tokens": BOUND, "temperature": 0.8}
    assert upstream.requests[1:] == [{"model": "m", "input": "Capital of France?", "store": False, **bound}] * 3


def test_a_conversation_that_the_server_keeps_is_not_added_to(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = says(GOOD, GOOD)
    upstream.stored["conversations/conv_1/items"] = {"data": [], "has_more": False}
    answer = closed.run(lambda c: c.responses.create(model="m", input="Capital?", conversation="conv_1"))
    verdict = guardrail.report(answer).verdict
    assert verdict is not None
    assert (verdict.cause, len(upstream.requests)) == (Cause.NO_GENERATOR, 1)


def test_legacy_completions_are_sampled_by_their_own_prompt(closed: Closed, upstream: Upstream) -> None:
    upstream.answer = says(GOOD, GOOD)
    closed.run(lambda c: c.completions.create(model="m", prompt="Capital of France?", seed=3))
    bound = {"max_tokens": BOUND, "temperature": 0.8}
    assert upstream.requests[1:] == [{"model": "m", "prompt": "Capital of France?", **bound}] * 3


# token probabilities

TOKENS = [{"token": "It", "logprob": -0.5, "bytes": None, "top_logprobs": []},
          {"token": " is Paris.", "logprob": -1.5, "bytes": None, "top_logprobs": []}]  # fmt: skip


@pytest.mark.parametrize("api", ["chat", "stream", "responses", "completions"])
def test_token_probabilities_come_with_their_tokens(closed: Closed, upstream: Upstream, api: str) -> None:
    whole = completion(GOOD)
    whole["choices"][0]["logprobs"] = {"content": TOKENS}
    made = response(GOOD)
    made["output"][0]["content"][0]["logprobs"] = TOKENS
    legacy = text_completion(GOOD)
    legacy["choices"][0]["logprobs"] = {"tokens": ["It", " is Paris."], "token_logprobs": [-0.5, -1.5]}
    piece = {"index": 0, "delta": {"content": GOOD}, "logprobs": {"content": TOKENS}, "finish_reason": "stop"}
    event = json.dumps({**whole, "object": "chat.completion.chunk", "choices": [piece]})
    stream = Reply(f"data: {event}\n\ndata: [DONE]\n\n".encode(), headers={"content-type": "text/event-stream"})
    calls: dict[str, tuple[Reply, Any]] = {
        "chat": (Reply(whole), lambda c: c.chat.completions.create(model="m", messages=ASKED)),
        "stream": (
            stream,
            lambda c: c.chat.completions.with_raw_response.create(model="m", messages=ASKED, stream=True),
        ),
        "responses": (Reply(made), lambda c: c.responses.create(model="m", input="Capital?")),
        "completions": (Reply(legacy), lambda c: c.completions.create(model="m", prompt="Capital?")),
    }
    reply, call = calls[api]
    upstream.answer = lambda body, number: reply if number == 0 else says(GOOD, GOOD)(body, number)
    result = closed.run(call)
    if api == "stream":
        parsed = result.parse()
        _ = closed.loop.run_until_complete(_listed(parsed)) if hasattr(parsed, "__aiter__") else list(parsed)
    turn = closed.verifier.checks[0].turn
    assert (turn.tokens, turn.logprobs) == (("It", " is Paris."), (-0.5, -1.5))
