"""A guarded `ChatOpenAI` in front of a server: both APIs, structured output by every method."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict

import guardrail
from guardrail import Action, ConfigError
from tests.integrations.langchain.guarded import ASKED, BAD, BLOCK, CALLS, GOOD, REGENERATE, guard, scripted_guard
from tests.integrations.openai.upstream import (
    Json,
    Reply,
    Upstream,
    chunks,
    completion,
    message,
    response,
    response_events,
    serve,
)

langchain_openai = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
every_way = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
apis = pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
# The SDK's clients are left to be collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # Of the SDK's parsed completions, whether there is a guard or not.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
]


class City(BaseModel):
    """A city."""

    model_config = ConfigDict(extra="forbid")

    name: str


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serve() as running:
        yield running


def saying(*texts: str) -> Any:
    """A server that says ``texts`` in turn, in the form that is asked for."""

    def answer(body: Json, number: int) -> Reply:
        text = texts[min(number, len(texts) - 1)]
        if body.get("tools"):
            call = {"id": "call_1", "type": "function", "function": {"name": "City", "arguments": text}}
            whole = completion("", finish="tool_calls")
            whole["choices"][0]["message"] = message(None, tool_calls=[call])
            return Reply(whole)
        if "input" in body:
            id = f"resp_{number + 1}"
            return response_events(text, id) if body.get("stream") else Reply(response(text, id))
        return chunks(text, usage=True) if body.get("stream") else Reply(completion(text))

    return answer


def model(upstream: Upstream, **more: Any) -> Any:
    return langchain_openai.ChatOpenAI(model="m", api_key="none", base_url=upstream.url, stream_usage=True, **more)


@apis
@every_way
def test_bad_answers_are_regenerated(upstream: Upstream, call: Any, responses: bool) -> None:
    upstream.answer = saying(BAD, GOOD)
    answer = call(guard(model(upstream, use_responses_api=responses)), ASKED)
    assert answer.text.split() == GOOD.split() or answer.text == GOOD.replace(" ", "")  # the server streams no blanks
    assert guardrail.report(answer).action is Action.REGENERATE
    assert answer.usage_metadata["total_tokens"] in (15, 30)  # a stream that was cut tells of no tokens
    assert len(upstream.requests) == 2


@apis
@every_way
def test_a_blocked_answer_leads_nowhere(upstream: Upstream, call: Any, responses: bool) -> None:
    upstream.answer = saying(BAD)
    answer = call(guard(model(upstream, use_responses_api=responses), BLOCK), ASKED)
    assert answer.text == "Withheld."
    assert "London" not in repr(answer)
    assert "resp_1" not in repr(answer.response_metadata)
    assert answer.response_metadata["model_name"] == "m"


@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
@pytest.mark.parametrize("name", ["invoke", "ainvoke", "batch", "abatch"])
def test_structured_output_is_judged_and_regenerated(upstream: Upstream, method: str, name: str) -> None:
    upstream.answer = saying('{"name": "London"}', '{"name": "Paris"}')
    structured = guard(model(upstream)).with_structured_output(City, method=method)
    assert CALLS[name](structured, ASKED) == City(name="Paris")
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
def test_beside_its_message_too(upstream: Upstream, method: str) -> None:
    upstream.answer = saying('{"name": "London"}', '{"name": "Paris"}')
    structured = guard(model(upstream)).with_structured_output(City, method=method, include_raw=True)
    given = structured.invoke(ASKED)
    assert given["parsed"] == City(name="Paris")
    assert guardrail.report(given["raw"]).action is Action.REGENERATE


def test_a_blocked_answer_in_a_schema_is_a_refusal(upstream: Upstream) -> None:
    upstream.answer = saying('{"name": "London"}')
    structured = guard(model(upstream), BLOCK).with_structured_output(City)
    with pytest.raises(Exception, match="Withheld"):
        structured.invoke(ASKED)


def test_a_chain_with_structured_output_is_guarded_too(upstream: Upstream) -> None:
    upstream.answer = saying('{"name": "London"}', '{"name": "Paris"}')
    bare = model(upstream)
    for method in ("json_schema", "function_calling"):
        upstream.requests.clear()
        assert guard(bare.with_structured_output(City, method=method)).invoke(ASKED) == City(name="Paris")
        assert len(upstream.requests) == 2


def test_a_fallback_asks_for_the_other_model(upstream: Upstream) -> None:
    upstream.answer = saying(BAD, GOOD)
    policy = {"version": 1, "policies": {"default": {"on_unreliable": [{"do": "fallback", "model": "other"}, "block"]}}}
    assert guard(model(upstream), policy).invoke(ASKED).text == GOOD
    assert [body["model"] for body in upstream.requests] == ["m", "other"]


def test_of_several_choices_each_is_guarded_by_itself(upstream: Upstream) -> None:
    def answer(body: Json, number: int) -> Reply:
        return Reply(completion(GOOD, BAD) if number == 0 else completion("It is Lyon."))

    upstream.answer = answer
    result = guard(model(upstream, n=2)).generate([[HumanMessage(ASKED)]])
    assert [generation.text for generation in result.generations[0]] == [GOOD, "It is Lyon."]
    assert "n" not in upstream.requests[1] or upstream.requests[1]["n"] == 1


def test_tools_are_switched_off_when_the_llm_is_asked_again(upstream: Upstream) -> None:
    def answer(body: Json, number: int) -> Reply:
        return Reply(completion(BAD if number == 0 else GOOD))

    upstream.answer = answer
    assert guard(model(upstream)).bind_tools([City]).invoke(ASKED).text == GOOD
    assert upstream.requests[1]["tool_choice"] == "none"
    assert json.dumps(upstream.requests[1]["tools"]) == json.dumps(upstream.requests[0]["tools"])


def test_the_responses_api_goes_on_from_the_response_that_is_delivered(upstream: Upstream) -> None:
    upstream.answer = saying(BAD, GOOD)
    guarded = guard(model(upstream, use_responses_api=True, use_previous_response_id=True))
    first = guarded.invoke(ASKED)
    guarded.invoke([("human", ASKED), first, ("human", "And of Italy?")])
    assert first.response_metadata["id"] == "resp_2"
    assert upstream.requests[2]["previous_response_id"] == "resp_2"


def test_a_model_whose_client_is_guarded_already_is_refused(upstream: Upstream) -> None:
    from openai import OpenAI

    client = guardrail.wrap(OpenAI(base_url=upstream.url, api_key="none"), scripted_guard())
    bare = model(upstream, client=client.chat.completions, root_client=client)
    with pytest.raises(ConfigError, match="guard either the model or its client"):
        guard(bare, REGENERATE)
    bare.client = None
    with pytest.raises(ConfigError, match="the root_client of this ChatOpenAI"):
        guard(bare, REGENERATE)
