"""Who asks again, and when: the SDK after the first call's failures, the guard after bad answers, and neither twice."""

from __future__ import annotations

import sys
from typing import Any

import openai
import pytest

import guardrail
from guardrail import Action, Guard, Policy
from guardrail.testing import FaultInjector, ScriptedVerifier, reliable
from guardrail.verdict import Cause
from tests.integrations.openai.clients import (
    ASKED,
    BAD,
    GOOD,
    RAISE,
    REGENERATE,
    Client,
    Make,
    create,
    streamed,
    text_of,
)
from tests.integrations.openai.upstream import Reply, Upstream, chunks, completion, response, text_completion

THEN_FLAG = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "flag"]}}}
NOW = {"retry-after-ms": "1"}
"""So that the SDK does not wait."""


def failing(status: int) -> Reply:
    return Reply({"error": {"message": "no"}}, status=status, headers=NOW)


# the first call


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_failures_that_pass_are_the_sdks_to_retry_and_the_answer_is_judged_once(
    make: Make, upstream: Upstream, status: int
) -> None:
    client, upstream.script = make(), [failing(status), failing(status), Reply(completion(GOOD))]
    assert create(client).choices[0].message.content == GOOD
    assert (len(upstream.requests), len(client.verifier.checks)) == (3, 1)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_so_they_are_for_streams(make: Make, upstream: Upstream, status: int) -> None:
    client, upstream.script = make(), [failing(status), chunks(GOOD)]
    assert text_of(streamed(client)[1]) == "It is Paris."
    assert (len(upstream.requests), len(client.verifier.checks)) == (2, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 451])
def test_failures_that_last_are_raised_by_the_sdk_at_once(make: Make, upstream: Upstream, status: int) -> None:
    client, upstream.script = make(), [failing(status)]
    with pytest.raises(openai.APIStatusError) as caught:
        create(client)
    assert (caught.value.status_code, caught.value.request_id) == (status, "req_1")
    assert (len(upstream.requests), client.verifier.checks) == (1, [])


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[]", b'{"choices": []}', b'{"error": {"message": "no"}}'])
def test_what_is_no_answer_is_handed_on_as_it_came(make: Make, upstream: Upstream, body: bytes) -> None:
    client, upstream.script = make(), [Reply(body)]
    raw = client.run(lambda c: c.chat.completions.with_raw_response.create(model="m", messages=ASKED))
    assert (raw.content, client.verifier.checks) == (body, [])


# asking again


def test_the_request_is_repeated_with_the_draft_the_feedback_and_the_same_credentials(
    make: Make, upstream: Upstream
) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD)), Reply(completion(GOOD))]
    create(client, extra_headers={"x-mine": "1"}, extra_query={"q": "1"}, seed=7)
    first, again = upstream.headers
    changing = {"content-length", "connection"}
    assert {k: v for k, v in again.items() if k not in changing} == {
        k: v for k, v in first.items() if k not in changing
    }
    assert (upstream.paths[0], upstream.requests[1]["seed"]) == (upstream.paths[1], 7)


def test_an_idempotency_key_is_not_sent_with_another_body(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD)), Reply(completion(GOOD))]
    create(client, extra_headers={"Idempotency-Key": "abc"})
    assert [headers.get("idempotency-key") for headers in upstream.headers] == ["abc", None]


SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}


def test_signed_requests_are_judged_but_not_sent_again(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD))]
    outcome = guardrail.report(create(client, extra_headers=SIGNED))
    assert (outcome.action, len(upstream.requests)) == (Action.BLOCK, 1)
    assert "signed" in outcome.notes[-1]


def test_of_a_signed_request_nothing_can_be_cut_out(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    with pytest.raises(guardrail.InputError, match=r"signed.*guardrail\.evidence"):
        create(client, extra_headers=SIGNED, extra_body={"guardrail": {"evidence": ["x"]}})
    assert upstream.requests == []


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_failing_regeneration_is_never_retried_by_the_sdk_and_loses_nothing(
    make: Make, upstream: Upstream, status: int
) -> None:
    client, upstream.script = make(THEN_FLAG), [Reply(completion(BAD)), failing(status)]
    answer = create(client)
    assert (answer.choices[0].message.content, len(upstream.requests)) == (BAD, 2)
    outcome = guardrail.report(answer)
    assert outcome.action is Action.FLAG
    assert outcome.notes[-1] == f"could not regenerate: the LLM answered HTTP {status}"


def test_a_server_that_fails_between_answers_causes_no_endless_loop(make: Make, upstream: Upstream) -> None:
    client = make(THEN_FLAG)
    upstream.answer = lambda _, number: Reply(completion(BAD)) if number % 3 == 2 else failing(503)
    answer = client.run(lambda c: c.with_options(max_retries=8).chat.completions.create(model="m", messages=ASKED))
    assert answer.choices[0].message.content == BAD
    assert len(upstream.requests) == 4  # two failures, the answer, and one try for another


def test_a_connection_that_breaks_in_a_regeneration_loses_nothing(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(THEN_FLAG), [Reply(completion(BAD)), Reply(pieces=[b"{"], cut=True)]
    answer = create(client)
    assert (answer.choices[0].message.content, len(upstream.requests)) == (BAD, 2)
    assert "could not regenerate" in guardrail.report(answer).notes[-1]


@pytest.mark.parametrize("body", [b"", b"not JSON", b'{"choices": []}'])
def test_a_regeneration_that_cannot_be_read_loses_nothing(make: Make, upstream: Upstream, body: bytes) -> None:
    client, upstream.script = make(THEN_FLAG), [Reply(completion(BAD)), Reply(body)]
    assert create(client).choices[0].message.content == BAD
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("empty", [completion(""), {"choices": [{}]}])
def test_an_empty_regeneration_does_not_take_the_place_of_an_answer(make: Make, upstream: Upstream, empty: Any) -> None:
    client, upstream.script = make(THEN_FLAG), [Reply(completion(BAD)), Reply(empty)]
    answer = create(client)
    assert answer.choices[0].message.content == BAD
    assert "the LLM's answer was empty" in guardrail.report(answer).notes[-1]


@pytest.mark.parametrize("empty", [{}, response("")])
def test_nor_does_an_empty_response(make: Make, upstream: Upstream, empty: Any) -> None:
    client, upstream.script = make(THEN_FLAG), [Reply(response(BAD)), Reply(empty)]
    answer = client.run(lambda c: c.responses.create(model="m", input="x"))
    assert answer.output_text == BAD


def test_of_a_failing_stream_regeneration_the_message_of_the_policy_is_left(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [chunks(BAD), failing(503)]
    _, items = streamed(client)
    assert ("London" in text_of(items), items[-1].choices[0].finish_reason) == (False, "content_filter")
    assert len(upstream.requests) == 2


def test_on_block_raise_gives_one_error_of_both_kinds_and_one_request(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(RAISE), [Reply(completion(BAD))]
    with pytest.raises(guardrail.BlockedError) as caught:
        create(client)
    assert isinstance(caught.value, openai.OpenAIError)
    assert caught.value.outcome.attempts[0].turn.text == BAD
    assert len(upstream.requests) == 1


def test_a_legacy_prompt_is_repeated_with_the_draft_behind_it(make: Make, upstream: Upstream) -> None:
    client = make(REGENERATE)
    upstream.script = [Reply(text_completion(GOOD, BAD)), Reply(text_completion(GOOD, id="cmpl-2"))]
    answer = client.run(lambda c: c.completions.create(model="m", prompt=["France?", "Really?"]))
    assert [choice.text for choice in answer.choices] == [GOOD, GOOD]
    assert upstream.requests[1]["prompt"].startswith(f"Really?{BAD}")


@pytest.mark.parametrize("more", [{"suffix": "."}, {"echo": True}])
def test_a_prompt_that_must_stay_as_it_is_is_just_sent_again(make: Make, upstream: Upstream, more: Any) -> None:
    client = make(REGENERATE)
    upstream.script = [Reply(text_completion(BAD)), Reply(text_completion(GOOD))]
    client.run(lambda c: c.completions.create(model="m", prompt="France?", **more))
    assert upstream.requests[1] == upstream.requests[0]


def test_what_is_not_stored_gets_the_draft_in_its_input(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(response(BAD)), Reply(response(GOOD, id="resp_2"))]
    client.run(lambda c: c.responses.create(model="m", input="Capital?", store=False, instructions="Be short."))
    again = upstream.requests[1]
    assert [item["content"] for item in again["input"]][:2] == ["Capital?", BAD]
    assert again["instructions"] == "Be short."


# the verifier's own troubles


def guarded_by(client: Client, verifier: Any) -> Any:
    return guardrail.wrap(client.bare, Guard(Policy(), verifiers={"main": verifier}))


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.CONNECT, Cause.RATE_LIMITED, Cause.SERVER])
def test_a_failing_verifier_never_repeats_the_call_of_the_llm(make: Make, upstream: Upstream, cause: Cause) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    guarded = guarded_by(client, FaultInjector(ScriptedVerifier(reliable(), repeat=True), cause))
    answer = client.run(lambda _: guarded.chat.completions.create(model="m", messages=ASKED))
    assert (answer.choices[0].message.content, len(upstream.requests)) == (GOOD, 1)
    assert guardrail.report(answer).cause is cause


@pytest.mark.parametrize("error", [TimeoutError("slow"), ConnectionError("gone"), "ReadTimeout", "ConnectError"])
def test_nor_does_one_that_raises_what_the_sdk_would_retry(make: Make, upstream: Upstream, error: Any) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    raised = getattr(http_module(client), error)("lost") if isinstance(error, str) else error

    def lose(_: Any) -> Any:
        raise raised

    guarded = guarded_by(client, ScriptedVerifier(lose, repeat=True))
    answer = client.run(lambda _: guarded.chat.completions.create(model="m", messages=ASKED))
    assert (answer.choices[0].message.content, len(upstream.requests)) == (GOOD, 1)
    verdict = guardrail.report(answer).verdict
    assert verdict is not None
    assert verdict.status.value == "error"


def http_module(client: Client) -> Any:
    """The HTTP library below ``client``."""
    kinds = [kind.__module__.partition(".")[0] for kind in type(client.bare._client).__mro__]
    return sys.modules[next(name for name in kinds if name.startswith("httpx"))]
