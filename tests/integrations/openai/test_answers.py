"""Answers of every kind: passed, flagged, regenerated and blocked in their place, and nothing else touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

import guardrail
from guardrail import Action, ConfigError
from tests.integrations.openai.clients import (
    ASKED,
    BAD,
    BLOCK,
    GOOD,
    REGENERATE,
    Make,
    create,
)
from tests.integrations.openai.upstream import (
    Reply,
    Upstream,
    chunks,
    completion,
    response,
    sse,
    text_completion,
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


def test_an_answer_is_guarded_whatever_success_it_comes_with(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(BAD), status=201)]
    assert create(client).choices[0].message.content == "Withheld."


def test_a_regenerated_answer_cannot_turn_into_a_tool_call(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(completion(BAD)), Reply(completion(GOOD))]
    create(client, tools=[{"type": "function", "function": {"name": "weather", "parameters": {}}}])
    assert upstream.requests[1]["tool_choice"] == "none"


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


def test_evidence_of_the_context_is_that_of_where_a_stream_was_asked_for(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [chunks(GOOD)]
    with guardrail.evidence("Paris is the capital of France."):
        stream = create(client, stream=True)
    client.items(stream)
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


def test_messages_that_cannot_be_read_are_still_guarded(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(BAD))]
    answer = client.run(lambda c: c.chat.completions.create(model="m", messages=[{"role": "oracle", "content": "?"}]))
    assert answer.choices[0].message.content == "Withheld."


def test_what_cannot_be_wrapped_is_refused_with_what_can() -> None:
    with pytest.raises(ConfigError, match=r"Guard\(\.\.\.\)\.run"):
        guardrail.wrap(object())


# answers of every kind


def answering(**message: Any) -> Reply:
    whole = completion("")
    whole["choices"][0]["message"].update(message)
    return Reply(whole)


def test_content_in_parts_is_judged_as_one_text(make: Make, upstream: Upstream) -> None:
    parts = [{"type": "text", "text": "It is "}, {"type": "text", "text": "London."}]
    client, upstream.script = make(BLOCK), [answering(content=parts)]
    assert create(client).choices[0].message.content == "Withheld."
    assert client.verifier.checks[0].turn.text == BAD


def test_a_spoken_answer_is_judged_by_its_transcript_and_withheld_whole(make: Make, upstream: Upstream) -> None:
    audio = {"id": "audio_1", "data": "AAAA", "expires_at": 1, "transcript": BAD}
    client, upstream.script = make(BLOCK), [answering(content=None, audio=audio)]
    answer = create(client, modalities=["text", "audio"], audio={"voice": "x", "format": "wav"})
    assert (answer.choices[0].message.content, answer.choices[0].message.audio) == ("Withheld.", None)
    assert client.verifier.checks[0].turn.text == BAD


def test_a_good_spoken_answer_keeps_its_sound(make: Make, upstream: Upstream) -> None:
    audio = {"id": "audio_1", "data": "AAAA", "expires_at": 1, "transcript": GOOD}
    client, upstream.script = make(BLOCK), [answering(content=None, audio=audio)]
    assert create(client).choices[0].message.audio.data == "AAAA"


@pytest.mark.parametrize("policy", [BLOCK, REGENERATE])
def test_log_probabilities_of_a_replaced_text_are_dropped(make: Make, upstream: Upstream, policy: Any) -> None:
    bad = completion(BAD)
    bad["choices"][0]["logprobs"] = {"content": [{"token": "It", "logprob": -0.5, "bytes": None, "top_logprobs": []}]}
    client, upstream.script = make(policy), [Reply(bad), Reply(completion(GOOD))]
    assert create(client, logprobs=True).choices[0].logprobs is None
    assert client.verifier.checks[0].turn.logprobs == (-0.5,)


def test_log_probabilities_of_a_text_that_stands_stay(make: Make, upstream: Upstream) -> None:
    good = completion(GOOD)
    good["choices"][0]["logprobs"] = {"content": [{"token": "It", "logprob": -0.5, "bytes": None, "top_logprobs": []}]}
    client, upstream.script = make(), [Reply(good)]
    assert create(client, logprobs=True).choices[0].logprobs.content[0].logprob == -0.5


@pytest.mark.parametrize(("text", "finish"), [(GOOD, "length"), (BAD, "content_filter")])
def test_an_answer_that_was_cut_for_its_length_is_judged(
    make: Make, upstream: Upstream, text: str, finish: str
) -> None:
    client, upstream.script = make(BLOCK), [Reply(completion(text, finish="length"))]
    assert create(client).choices[0].finish_reason == finish
    assert client.verifier.checks[0].turn.finish_reason == "length"


def test_text_beside_a_tool_call_passes_with_it(make: Make, upstream: Upstream) -> None:
    whole = tool_call_completion()
    whole["choices"][0]["message"]["content"] = "I look up London."
    client, upstream.script = make(BLOCK), [Reply(whole)]
    message = create(client).choices[0].message
    assert (message.content, message.tool_calls[0].id) == ("I look up London.", "call_1")


@pytest.mark.parametrize("call", ["function_call", "custom_tool_call", "mcp_approval_request", "computer_call"])
def test_calls_in_a_response_pass(make: Make, upstream: Upstream, call: str) -> None:
    whole = response(BAD)
    whole["output"].append({"type": call, "id": "c", "call_id": "c", "name": "f", "arguments": "{}", "input": "x"})
    client, upstream.script = make(BLOCK), [Reply(whole)]
    answer = client.run(lambda c: c.responses.with_raw_response.create(model="m", input="x"))
    assert json.loads(answer.text)["output"] == whole["output"]


def test_a_refusal_in_a_response_passes(make: Make, upstream: Upstream) -> None:
    whole = response("")
    whole["output"][0]["content"] = [{"type": "refusal", "refusal": "I cannot say London."}]
    client, upstream.script = make(BLOCK), [Reply(whole)]
    answer = client.run(lambda c: c.responses.create(model="m", input="x"))
    assert answer.output[0].content[0].refusal == "I cannot say London."
    assert client.verifier.checks == []


def test_reasoning_that_may_quote_a_blocked_answer_is_withheld_with_it(make: Make, upstream: Upstream) -> None:
    whole = response(BAD)
    whole["output"].insert(0, {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": BAD}]})
    client, upstream.script = make(BLOCK), [Reply(whole)]
    answer = client.run(lambda c: c.responses.create(model="m", input="x"))
    assert "London" not in answer.model_dump_json()


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_that_a_server_repeats_beside_its_output_is_withheld_too(
    make: Make, upstream: Upstream, stream: bool
) -> None:
    whole = response(BAD, output_text=BAD)
    closing = sse({"type": "response.completed", "sequence_number": 0, "response": whole}, done=False)
    client, upstream.script = make(BLOCK), [closing if stream else Reply(whole)]
    raw = client.run(lambda c: c.responses.with_raw_response.create(model="m", input="x", stream=stream))
    shown = client.items(raw.parse()) if stream else raw.text
    assert "London" not in str(shown)


def test_reasoning_beside_a_blocked_completion_is_withheld_with_it(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [answering(content=BAD, reasoning_content=f"Surely {BAD}")]
    assert "London" not in create(client).model_dump_json()


def test_several_messages_of_a_response_are_judged_as_one_answer(make: Make, upstream: Upstream) -> None:
    whole = response("It is")
    whole["output"].append(response("London.")["output"][0])
    client, upstream.script = make(BLOCK), [Reply(whole)]
    answer = client.run(lambda c: c.responses.create(model="m", input="x"))
    assert "London" not in answer.model_dump_json()
    assert client.verifier.checks[0].turn.text == "It is\nLondon."


def test_of_several_legacy_prompts_each_choice_is_judged_with_its_own(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(text_completion(GOOD, BAD))]
    answer = client.run(lambda c: c.completions.create(model="m", prompt=["France?", "England?"]))
    assert [(c.text, c.finish_reason) for c in answer.choices] == [(GOOD, "stop"), ("Withheld.", "content_filter")]
    asked = {check.turn.text: check.conversation[-1].text for check in client.verifier.checks}
    assert asked == {GOOD: "France?", BAD: "England?"}


def test_what_another_server_adds_is_kept(make: Make, upstream: Upstream) -> None:
    more: Any = {"prompt_filter_results": [{"prompt_index": 0}], "service_tier": "default"}
    client, upstream.script = make(BLOCK), [Reply(completion(BAD, **more))]
    answer = create(client)
    assert answer.model_extra["prompt_filter_results"] == [{"prompt_index": 0}]
    assert (answer.choices[0].message.content, answer.service_tier) == ("Withheld.", "default")
