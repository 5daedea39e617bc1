"""Guarded clients, sync and async, against a real server on the loopback interface."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

import guardrail
from guardrail import Action, BlockedError, ConfigError, Guard, Policy
from guardrail.errors import NoReport
from tests.integrations.openai.clients import (
    ASKED,
    BAD,
    BLOCK,
    GOOD,
    RAISE,
    REGENERATE,
    Make,
    create,
    streamed,
    text_of,
)
from tests.integrations.openai.upstream import (
    Reply,
    Upstream,
    chunks,
    completion,
    response,
    response_events,
    sse,
    tool_call_completion,
)


def test_the_type_stays_and_a_good_answer_is_untouched(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    assert type(client.client) is type(client.bare)
    answer = create(client)
    assert answer.choices[0].message.content == GOOD
    assert answer._request_id == "req_1"
    outcome = guardrail.report(answer)
    assert (outcome.action, outcome.text, len(upstream.requests)) == (Action.PASS, GOOD, 1)


def test_a_bad_answer_is_regenerated_and_nothing_of_it_stays(make: Make, upstream: Upstream) -> None:
    client, upstream.script = (
        make(REGENERATE),
        [Reply(completion(BAD)), Reply(completion(GOOD, id="chatcmpl-2"))],
    )
    answer = create(client)
    assert BAD not in answer.model_dump_json()
    assert (answer.choices[0].message.content, answer.id) == (GOOD, "chatcmpl-2")
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (20, 30)
    again = upstream.requests[1]["messages"]
    assert again[:2] == [*ASKED, {"role": "assistant", "content": BAD}]
    assert "London" in again[2]["content"]
    outcome = guardrail.report(answer)
    assert [attempt.turn.text for attempt in outcome.attempts] == [BAD, GOOD]
    assert "guardrail" not in answer.choices[0].message.model_dump()


@pytest.mark.parametrize(
    ("form", "content", "refusal", "finish"),
    [
        (None, "Withheld.", None, "content_filter"),
        ({"type": "json_object"}, None, "Withheld.", "stop"),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}, None, "Withheld.", "stop"),
    ],
)
def test_a_blocked_answer_looks_as_its_format_allows(
    make: Make, upstream: Upstream, form: Any, content: str | None, refusal: str | None, finish: str
) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(BAD))]
    answer = create(client, **({"response_format": form} if form else {}))
    choice = answer.choices[0]
    assert (choice.message.content, choice.message.refusal, choice.finish_reason) == (
        content,
        refusal,
        finish,
    )
    assert "London" not in answer.model_dump_json()


def test_on_block_raise_gives_one_error_of_both_kinds_and_one_request(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(RAISE), [Reply(completion(BAD))]
    with pytest.raises(BlockedError) as caught:
        create(client)
    assert isinstance(caught.value, openai.OpenAIError)
    assert caught.value.outcome.attempts[0].turn.text == BAD
    assert len(upstream.requests) == 1


def test_of_several_choices_only_the_bad_ones_are_regenerated_in_their_place(make: Make, upstream: Upstream) -> None:
    client = make(REGENERATE)
    upstream.script = [Reply(completion(GOOD, BAD, "Paris it is.")), Reply(completion("Paris, France."))]
    answer = create(client, n=3)
    assert [(c.index, c.message.content) for c in answer.choices] == [
        (0, GOOD),
        (1, "Paris, France."),
        (2, "Paris it is."),
    ]
    assert "n" not in upstream.requests[1]
    outcome = guardrail.report(answer)
    assert [choice.action for choice in outcome.choices] == [Action.PASS, Action.REGENERATE, Action.PASS]
    assert outcome.action is Action.REGENERATE


def test_fallback_sends_the_same_request_to_the_other_model(make: Make, upstream: Upstream) -> None:
    policy = {
        "version": 1,
        "policies": {"default": {"on_unreliable": [{"do": "fallback", "model": "strong"}, "block"]}},
    }
    client, upstream.script = make(policy), [Reply(completion(BAD)), Reply(completion(GOOD))]
    assert create(client).choices[0].message.content == GOOD
    assert upstream.requests[1] == {**upstream.requests[0], "model": "strong"}


def test_a_stream_is_held_until_verified_and_then_byte_for_byte_the_same(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [chunks(GOOD, usage=True)]
    stream, items = streamed(client)
    assert text_of(items) == "ItisParis."
    assert items[-1].usage.total_tokens == 15
    assert guardrail.report(stream).action is Action.PASS
    assert guardrail.report(items[0]).action is Action.PASS


def test_nothing_of_a_bad_stream_is_ever_sent_on(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [chunks(BAD, usage=True), Reply(completion(GOOD))]
    stream, items = streamed(client)
    assert text_of(items) == GOOD
    assert not any("London" in item.model_dump_json() for item in items)
    assert [item.choices[0].finish_reason for item in items if item.choices][-1] == "stop"
    assert items[-1].usage.total_tokens == 30
    assert guardrail.report(stream).action is Action.REGENERATE


def test_a_blocked_stream_ends_in_the_message_of_the_policy(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [chunks(GOOD, BAD)]
    _, items = streamed(client, n=2)
    assert (text_of(items, 0), text_of(items, 1)) == ("ItisParis.", "Withheld.")
    ends = {c.index: c.finish_reason for item in items for c in item.choices if c.finish_reason}
    assert ends == {0: "stop", 1: "content_filter"}


def test_a_blocked_stream_with_on_block_raise_raises(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(RAISE), [chunks(BAD)]
    with pytest.raises(BlockedError):
        streamed(client)
    assert len(upstream.requests) == 1


def test_an_error_inside_a_stream_reaches_the_caller_as_the_sdks_own_without_the_text(
    make: Make, upstream: Upstream
) -> None:
    broken = sse({"choices": [{"index": 0, "delta": {"content": BAD}}]}, {"error": {"message": "overloaded"}})
    client, upstream.script = make(), [broken]
    with pytest.raises(openai.APIError, match="overloaded"):
        streamed(client)


def test_raw_responses_are_guarded_and_agree_with_the_parsed_object(make: Make, upstream: Upstream) -> None:
    reply = Reply(completion(BAD), headers={"content-encoding": "gzip", "x-ratelimit-remaining": "7"})
    client, upstream.script = make(BLOCK), [reply]
    raw = client.run(lambda c: c.chat.completions.with_raw_response.create(model="m", messages=ASKED))
    body = json.loads(raw.content)
    assert body["choices"][0]["message"]["content"] == raw.parse().choices[0].message.content == "Withheld."
    assert raw.headers["x-ratelimit-remaining"] == "7"
    assert "content-encoding" not in raw.headers
    assert (raw.headers["x-guardrail-action"], raw.headers["x-guardrail-status"]) == ("block", "unreliable")
    assert raw.elapsed.total_seconds() >= 0
    assert guardrail.report(raw).action is Action.BLOCK


def test_tool_calls_refusals_and_empty_answers_pass_unharmed(make: Make, upstream: Upstream) -> None:
    client = make(BLOCK)
    upstream.script = [Reply(tool_call_completion())]
    answer = create(client, tools=[{"type": "function", "function": {"name": "weather", "parameters": {}}}])
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"
    refused = completion("")
    refused["choices"][0]["message"].update(content=None, refusal="I cannot say London.")
    upstream.script = [Reply(refused)]
    assert create(client).choices[0].message.refusal == "I cannot say London."
    upstream.script = [Reply(completion(""))]
    assert create(client).choices[0].message.content == ""
    assert client.verifier.checks == []


def test_a_regenerated_answer_cannot_turn_into_a_tool_call(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD)), Reply(completion(GOOD))]
    create(client, tools=[{"type": "function", "function": {"name": "weather", "parameters": {}}}])
    assert upstream.requests[1]["tool_choice"] == "none"


def test_the_first_calls_errors_are_the_sdks_own(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply({"error": {"message": "no"}}, status=400)]
    with pytest.raises(openai.BadRequestError):
        create(client)
    assert len(upstream.requests) == 1


def test_a_failing_regeneration_is_never_retried_by_the_sdk_and_loses_nothing(make: Make, upstream: Upstream) -> None:
    policy = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "flag"]}}}
    client, upstream.script = make(policy), [Reply(completion(BAD)), Reply({"error": {}}, status=503)]
    answer = create(client)
    assert (answer.choices[0].message.content, len(upstream.requests)) == (BAD, 2)
    outcome = guardrail.report(answer)
    assert outcome.action is Action.FLAG
    assert outcome.notes[-1] == "could not regenerate: the LLM answered HTTP 503"


def test_an_idempotency_key_is_not_sent_with_another_body(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD)), Reply(completion(GOOD))]
    create(client, extra_headers={"Idempotency-Key": "abc"})
    assert [headers.get("idempotency-key") for headers in upstream.headers] == ["abc", None]


def test_signed_requests_are_judged_but_not_sent_again(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD))]
    answer = create(client, extra_headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x"})
    assert guardrail.report(answer).action is Action.BLOCK
    assert len(upstream.requests) == 1


def test_the_guards_own_field_is_cut_out_and_used(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    create(client, extra_body={"guardrail": {"evidence": ["Paris is the capital."], "tags": ["geo"]}, "seed": 1})
    assert "guardrail" not in upstream.requests[0]
    assert upstream.requests[0]["seed"] == 1
    assert [piece.text for piece in client.verifier.checks[0].evidence] == ["Paris is the capital."]


@pytest.mark.parametrize(
    ("field", "match"),
    [
        ({"evidense": []}, "evidense"),
        ("x", "mapping"),
        ({"evidence": [7]}, "evidence"),
        ({"tags": "geo"}, "tags"),
        ({"metadata": ["x"]}, "metadata"),
    ],
)
def test_a_wrong_field_is_refused_before_anything_is_sent(
    make: Make, upstream: Upstream, field: Any, match: str
) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    with pytest.raises(guardrail.InputError, match=match):
        create(client, extra_body={"guardrail": field})
    assert upstream.requests == []


def test_evidence_of_the_context_is_used(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(completion(GOOD))]
    with guardrail.evidence("Paris is the capital of France."):
        create(client)
    assert [piece.text for piece in client.verifier.checks[0].evidence] == ["Paris is the capital of France."]


def test_responses_pass_are_regenerated_and_blocked(make: Make, upstream: Upstream) -> None:
    client = make(REGENERATE)
    upstream.script = [Reply(response(BAD)), Reply(response(GOOD, id="resp_2"))]
    answer = client.run(
        lambda c: c.responses.create(model="m", input="Capital of France?", previous_response_id="resp_0")
    )
    assert (answer.output_text, answer.id, answer.usage.total_tokens) == (GOOD, "resp_2", 30)
    assert upstream.requests[1]["previous_response_id"] == "resp_0"
    upstream.script = [Reply(response(BAD))]
    blocked = client.run(lambda c: c.responses.create(model="m", input="Capital of France?"))
    assert (blocked.output[0].content[0].type, blocked.status) == ("refusal", "completed")
    assert "London" not in blocked.model_dump_json()


@pytest.mark.parametrize("policy", [REGENERATE, BLOCK])
def test_a_streamed_response_holds_nothing_of_a_bad_answer(make: Make, upstream: Upstream, policy: Any) -> None:
    client, upstream.script = make(policy), [response_events(BAD), Reply(response(GOOD, id="resp_2"))]
    stream = client.run(lambda c: c.responses.create(model="m", input="Capital?", stream=True))
    events = client.items(stream)
    assert not any("London" in event.model_dump_json() for event in events)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    assert guardrail.report(stream).action in (Action.REGENERATE, Action.BLOCK)


def test_a_good_streamed_response_is_untouched(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [response_events(GOOD)]
    events = client.items(client.run(lambda c: c.responses.create(model="m", input="Capital?", stream=True)))
    assert [event.type for event in events][-1] == "response.completed"
    assert len(events) == 8


def test_wrapping_twice_guards_once_by_the_newer_policy(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD))]
    again = guardrail.wrap(client.client, Guard(Policy.model_validate(BLOCK), verifiers={"main": client.verifier}))
    answer = client.run(lambda _: again.chat.completions.create(model="m", messages=ASKED))
    assert answer.choices[0].message.content == "Withheld."
    assert (len(client.verifier.checks), len(upstream.requests)) == (1, 1)


def test_the_original_client_stays_as_it_was(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(BAD))]
    answer = client.run(lambda _: client.bare.chat.completions.create(model="m", messages=ASKED))
    assert answer.choices[0].message.content == BAD
    answer.id = "chatcmpl-never-seen"
    with pytest.raises(NoReport):
        guardrail.report(answer)


def test_messages_that_cannot_be_read_are_still_guarded(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(BAD))]
    answer = client.run(lambda c: c.chat.completions.create(model="m", messages=[{"role": "oracle", "content": "?"}]))
    assert answer.choices[0].message.content == "Withheld."


def test_what_cannot_be_wrapped_is_refused_with_what_can() -> None:
    with pytest.raises(ConfigError, match=r"Guard\(\.\.\.\)\.run"):
        guardrail.wrap(object())
