"""Guarded chat models: whatever way they are called in, and whatever LangChain builds on them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField, Runnable, RunnablePassthrough

import guardrail
from guardrail import Action, BlockedError, ConfigError, Status
from guardrail.policy.routing import sampled
from guardrail.testing import ScriptedVerifier, failure, reliable
from guardrail.verdict import Cause
from tests.integrations.langchain.guarded import (
    ASKED,
    BAD,
    BLOCK,
    CALLS,
    GOOD,
    RAISE,
    REGENERATE,
    guard,
    scripted_guard,
)
from tests.integrations.langchain.scripted import ScriptedModel, calling

every_way = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


class Heard(BaseCallbackHandler):
    """All that callbacks are told, as text, and how many runs of an LLM there were."""

    run_inline = True

    def __init__(self) -> None:
        self.text, self.runs, self.ends = "", 0, 0

    def on_chat_model_start(self, serialized: Any, messages: Any, **more: Any) -> None:
        self.runs += 1
        self.text += repr(messages)

    def on_llm_new_token(self, token: Any, **more: Any) -> None:
        self.text += repr((token, more))

    def on_llm_end(self, response: Any, **more: Any) -> None:
        self.ends += 1
        self.text += repr(response)

    def on_llm_error(self, error: BaseException, **more: Any) -> None:
        self.text += repr((error, more))


def made(kind: Any, *script: Any) -> Any:
    """One of ``kind``; pydantic's mypy goes by its fields, and not by its constructor."""
    return kind(*script)


# the answer


@every_way
def test_a_bad_answer_is_regenerated_and_a_good_one_stands(call: Any) -> None:
    model = ScriptedModel(BAD, GOOD)
    guarded = guard(model)
    answer = call(guarded, ASKED)
    assert answer.content == GOOD
    assert guardrail.report(answer).action is Action.REGENERATE
    assert [message.content for message in model.asked[1]][:2] == [ASKED, BAD]
    answer = call(guarded, ASKED)
    assert (answer.content, guardrail.report(answer).action, len(model.asked)) == (GOOD, Action.PASS, 3)


@every_way
def test_a_blocked_answer_is_the_policys_message(call: Any) -> None:
    answer = call(guard(ScriptedModel(BAD), BLOCK), ASKED)
    assert answer.content == "Withheld."
    assert answer.response_metadata["finish_reason"] == "content_filter"
    assert answer.response_metadata["model_name"] == "scripted"
    assert "London" not in repr(answer)


@every_way
def test_a_repaired_answer_is_what_is_left_of_it(call: Any) -> None:
    policy = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "repair"]}}}
    again = AIMessage("Paris is in France. London is its capital.", id="2", response_metadata={"id": "resp_2"})
    answer = call(guard(ScriptedModel(BAD, again), policy), ASKED)
    assert answer.content in ("Paris is in France.", "Paris is in France. ")
    assert guardrail.report(answer).action is Action.REPAIR
    assert "London" not in repr(answer)
    assert "resp_2" not in repr(answer)


@every_way
def test_under_on_block_raise_the_error_holds_the_outcome(call: Any) -> None:
    with pytest.raises(BlockedError) as caught:
        call(guard(ScriptedModel(BAD), RAISE), ASKED)
    assert guardrail.report(caught.value).attempts[0].turn.text == BAD


@every_way
def test_tokens_are_those_of_all_attempts(call: Any) -> None:
    answer = call(guard(ScriptedModel(BAD, GOOD)), ASKED)
    assert answer.usage_metadata == {"input_tokens": 20, "output_tokens": 10, "total_tokens": 30}
    answer = call(guard(ScriptedModel(BAD), BLOCK), ASKED)
    assert answer.usage_metadata == {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


@every_way
def test_callbacks_hear_of_one_run_and_of_no_rejected_draft(call: Any) -> None:
    for policy in (REGENERATE, BLOCK):
        heard = Heard()
        call(guard(ScriptedModel(BAD, GOOD), policy), ASKED, config={"callbacks": [heard]})
        assert (heard.runs, heard.ends) == (1, 1)
        assert "London" not in heard.text


@every_way
def test_the_report_says_what_was_found_and_which_document_says_otherwise(call: Any) -> None:
    guarded = guardrail.wrap(ScriptedModel("Refunds are possible within 60 days of delivery."), "observe")
    docs = [
        {
            "text": "Refunds are possible within 30 days of delivery.",
            "title": "Terms",
            "url": "https://shop.example/terms",
        }
    ]
    with guardrail.evidence(docs):
        answer = call(guarded, "How long can I ask for a refund?")
    [found] = answer.response_metadata["guardrail"]["findings"]
    assert answer.content[found["start"] : found["end"]] == found["text"]
    assert found["sources"] == [{"origin": "caller", "title": "Terms", "url": "https://shop.example/terms"}]
    assert guardrail.report(answer).findings[0].evidence[0].title == "Terms"


@every_way
def test_evidence_tags_and_metadata_may_come_with_the_call_and_never_reach_the_model(call: Any) -> None:
    judge = ScriptedVerifier(reliable(), repeat=True)
    policy = {
        "version": 1,
        "policies": {"default": {}, "medical": {"on_unreliable": "block"}},
        "routes": [{"match": {"tags": ["medical"], "metadata": {"site": "a*"}}, "policy": "medical"}],
    }
    model = ScriptedModel(GOOD)
    own = {"evidence": ["Paris is the capital of France."], "tags": ["medical"], "metadata": {"site": "ab"}}
    answer = call(guard(model, policy, judge), ASKED, guardrail=own)
    assert [piece.text for piece in judge.checks[0].evidence] == ["Paris is the capital of France."]
    assert guardrail.report(answer).policy == "medical"
    assert "guardrail" not in model.options[0]


@every_way
def test_routes_go_by_the_tags_and_metadata_of_the_run(call: Any) -> None:
    policy = {
        "version": 1,
        "policies": {"default": {}, "medical": {"on_unreliable": "block"}},
        "routes": [{"match": {"tags": ["medical"], "metadata": {"site": "a*"}}, "policy": "medical"}],
    }
    config = {"tags": ["medical"], "metadata": {"site": "ab"}}
    assert guardrail.report(call(guard(ScriptedModel(GOOD), policy), ASKED, config=config)).policy == "medical"
    assert guardrail.report(call(guard(ScriptedModel(GOOD), policy), ASKED)).policy == "default"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"evidense": []}, "guardrail.evidense: unknown key"),
        ({"tags": "medical"}, "guardrail.tags: must be a list"),
        ({"metadata": ["a"]}, "guardrail.metadata: must be a mapping"),
        ({"evidence": [3]}, "guardrail.evidence: "),
        (["docs"], "guardrail= must be a mapping"),
    ],
)
def test_what_the_call_says_to_the_guard_is_read_strictly(own: Any, said: str) -> None:
    model = ScriptedModel(GOOD)
    with pytest.raises(ConfigError, match=said):
        guard(model).invoke(ASKED, guardrail=own)
    assert model.asked == []


@every_way
def test_a_failing_verifier_costs_no_answer(call: Any) -> None:
    answer = call(guard(ScriptedModel(GOOD), REGENERATE, ScriptedVerifier(failure(Cause.CONNECT))), ASKED)
    assert answer.content == GOOD
    assert answer.response_metadata["guardrail"]["status"] == "error"
    assert guardrail.report(answer).cause is Cause.CONNECT


@every_way
def test_calls_of_tools_pass_untouched(call: Any) -> None:
    answer = call(guard(ScriptedModel(calling("search", query="London"))), ASKED)
    assert answer.tool_calls[0]["args"] == {"query": "London"}
    assert guardrail.report(answer).action is Action.PASS


@every_way
def test_a_regeneration_that_calls_a_tool_is_no_answer(call: Any) -> None:
    policy = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "flag"]}}}
    answer = call(guard(ScriptedModel(BAD, calling("search", query="x")), policy), ASKED)
    assert (answer.content, answer.tool_calls) == (BAD, [])
    assert any("called a tool" in note for note in guardrail.report(answer).notes)


@every_way
def test_a_fallback_goes_to_the_model_that_the_policy_names(call: Any) -> None:
    class Named(ScriptedModel):
        model_name: str = "first"

        def _next(self, messages: Any, options: Any) -> AIMessage:
            return AIMessage(GOOD if self.model_name == "other" else BAD)

    policy = {"version": 1, "policies": {"default": {"on_unreliable": [{"do": "fallback", "model": "other"}, "block"]}}}
    model = made(Named)
    answer = call(guard(model, policy), ASKED)
    assert (answer.content, guardrail.report(answer).action, model.model_name) == (GOOD, Action.FALLBACK, "first")


class Waits(InMemoryRateLimiter):
    """Lets all requests go, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        self.asked += 1
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        return self.acquire(blocking=blocking)


@every_way
def test_the_model_s_rate_limiter_is_asked_for_every_request(call: Any) -> None:
    limiter = Waits()
    call(guard(ScriptedModel(BAD, GOOD, rate_limiter=limiter)), ASKED)
    assert limiter.asked == 2


@every_way
def test_the_thread_is_what_a_conversation_is_sampled_by(call: Any) -> None:
    policy = {"version": 1, "policies": {"default": {"sample": 0.5}}}
    threads = [f"thread-{number}" for number in range(12)]
    expected = [sampled(0.5, thread) for thread in threads]
    model = guard(ScriptedModel(GOOD), policy)
    both: list[Any] = [model, RunnablePassthrough() | model]
    for guarded in both:
        answers = [call(guarded, ASKED, config={"configurable": {"thread_id": thread}}) for thread in threads]
        assert [guardrail.report(answer).mode == "enforce" for answer in answers] == expected
    assert len(set(expected)) == 2


# the type


def test_a_guarded_model_is_one_of_the_same_class_and_the_one_given_stays_unguarded() -> None:
    model = ScriptedModel(BAD, GOOD)
    guarded = guard(model)
    assert isinstance(guarded, ScriptedModel)
    assert type(guarded).__name__ == "ScriptedModel"
    assert model.invoke(ASKED).content == BAD
    assert type(model) is ScriptedModel


def test_a_model_that_does_not_stream_does_not_seem_to() -> None:
    class Plain(ScriptedModel):
        _stream = ScriptedModel.__mro__[1]._stream  # type: ignore[attr-defined]

    guarded = guard(made(Plain, BAD, GOOD))
    assert [chunk.content for chunk in guarded.stream(ASKED)] == [GOOD]


def test_a_method_of_the_model_that_calls_another_is_guarded_once() -> None:
    class Async(ScriptedModel):
        async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> Any:
            return self._generate(messages, stop, **more)

    judge = ScriptedVerifier(reliable())
    assert CALLS["ainvoke"](guard(made(Async, GOOD), judge=judge), ASKED).content == GOOD
    assert len(judge.checks) == 1


def test_wrapping_twice_guards_once_by_the_newer_policy() -> None:
    judge = ScriptedVerifier(reliable(), repeat=True)
    twice = guard(guard(ScriptedModel(GOOD), BLOCK, judge), REGENERATE, judge)
    assert guardrail.report(twice.invoke(ASKED)).policy == "default"
    assert len(judge.checks) == 1


def test_fields_that_are_set_later_are_those_that_count() -> None:
    guarded = guard(ScriptedModel(BAD, GOOD))
    guarded.script = [AIMessage("It is Lyon.")]
    assert guarded.invoke(ASKED).content == "It is Lyon."


@pytest.mark.parametrize(
    "derived",
    [
        lambda model: model.bind(stop=["x"]),
        lambda model: model.with_config(tags=["a"]),
        lambda model: model.with_retry(),
        lambda model: model.with_fallbacks([ScriptedModel("never")]),
        lambda model: model.bind_tools([]),
        lambda model: model.configurable_fields(script=ConfigurableField(id="script")),
        lambda model: model.with_listeners(on_end=lambda run: None),
        copy.copy,
        copy.deepcopy,
        lambda model: model.model_copy(),
        lambda model: model.model_copy(deep=True),
    ],
    ids="bind config retry fallbacks tools configurable listeners copy deepcopy model_copy model_copy_deep".split(),
)
@every_way
def test_what_derives_from_a_guarded_model_is_guarded(derived: Any, call: Any) -> None:
    made: Runnable[Any, AIMessage] = derived(guard(ScriptedModel(BAD, GOOD)))
    assert call(made, ASKED).content == GOOD


def test_a_model_that_is_made_anew_for_other_fields_is_guarded() -> None:
    class Called(ScriptedModel):
        def __init__(self, **more: Any) -> None:
            super().__init__(*more.pop("script"), **more)

    model = guard(Called(script=["unused"])).configurable_fields(script=ConfigurableField(id="script"))
    chosen = model.with_config(configurable={"script": [BAD, GOOD]})
    assert chosen.invoke(ASKED).content == GOOD


def test_pickled_models_are_guarded_when_they_come_back() -> None:
    guarded = guardrail.wrap(FakeListChatModel(responses=["Refunds are possible within 60 days."]), "strict")
    back = pickle.loads(pickle.dumps(guarded))
    with guardrail.evidence("Refunds are possible within 30 days."):
        answer = back.invoke("How long?")
    assert guardrail.report(answer).action is Action.BLOCK
    assert isinstance(back, FakeListChatModel)


def test_retry_and_fallbacks_can_go_by_the_error_of_a_blocked_answer() -> None:
    model = guard(ScriptedModel(BAD, GOOD), RAISE)
    again = model.with_retry(retry_if_exception_type=(BlockedError,), wait_exponential_jitter=False)
    assert again.invoke(ASKED).content == GOOD
    other = guard(ScriptedModel(BAD), RAISE).with_fallbacks([ScriptedModel(GOOD)], exceptions_to_handle=(BlockedError,))
    assert CALLS["invoke"](other, ASKED).content == GOOD
    assert CALLS["stream"](other, ASKED).content == GOOD


def test_of_a_batch_only_the_blocked_answers_are_errors() -> None:
    class Echo(ScriptedModel):
        def _next(self, messages: Any, options: Any) -> AIMessage:
            return AIMessage(messages[-1].content)

    answers = guard(made(Echo), RAISE).batch([GOOD, BAD, GOOD], return_exceptions=True)
    assert [getattr(answer, "content", type(answer)) for answer in answers] == [GOOD, BlockedError, GOOD]


# the cache


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("guarded_first", [False, True])
def test_guarded_and_unguarded_models_share_no_cached_answer(guarded_first: bool, asynchronous: bool) -> None:
    call = CALLS["ainvoke" if asynchronous else "invoke"]
    cache = InMemoryCache()
    model = ScriptedModel(BAD, GOOD, BAD, cache=cache)
    guarded = guard(model)
    first, second = (guarded, model) if guarded_first else (model, guarded)
    answers = {"first": call(first, ASKED).content, "second": call(second, ASKED).content}
    if guarded_first:
        assert answers == {"first": GOOD, "second": BAD}
    else:
        assert answers == {"first": BAD, "second": GOOD}


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_a_released_answer_is_cached_with_its_report_and_without_the_rejected_draft(name: str) -> None:
    cache = InMemoryCache()
    model = ScriptedModel(BAD, GOOD, cache=cache)
    guarded = guard(model)
    CALLS[name](guarded, ASKED)
    again = CALLS[name](guarded, ASKED)
    assert (again.content, len(model.asked)) == (GOOD, 2)
    assert guardrail.report(again).action is Action.REGENERATE
    assert "London" not in repr(cache._cache)


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_neither_a_blocked_answer_nor_one_without_a_verdict_is_cached(name: str) -> None:
    cache = InMemoryCache()
    CALLS[name](guard(ScriptedModel(BAD, cache=cache), BLOCK), ASKED)
    judge = ScriptedVerifier(failure(Cause.CONNECT))
    CALLS[name](guard(ScriptedModel(GOOD, cache=cache), REGENERATE, judge), ASKED)
    assert cache._cache == {}


def test_answers_are_cached_apart_by_policy_by_judge_and_by_evidence_from_outside() -> None:
    cache = InMemoryCache()
    model = ScriptedModel(GOOD, cache=cache)
    guarded = guard(model)
    guarded.invoke(ASKED)
    guard(model, BLOCK).invoke(ASKED)
    guard(model, REGENERATE, ScriptedVerifier(reliable(), id="other")).invoke(ASKED)
    with guardrail.evidence("Paris is the capital."):
        guarded.invoke(ASKED)
    guarded.invoke(ASKED, guardrail={"evidence": "Paris is the capital."})
    assert len(model.asked) == len(cache._cache) == 5


# the conversation


def test_the_judge_sees_the_whole_conversation() -> None:
    judge = ScriptedVerifier(reliable())
    said = [SystemMessage("Be brief."), HumanMessage("Hello"), AIMessage("Hi."), HumanMessage(ASKED)]
    guard(ScriptedModel(GOOD), judge=judge).invoke(said)
    assert [(message.role, message.text) for message in judge.checks[0].conversation] == [
        ("system", "Be brief."),
        ("user", "Hello"),
        ("assistant", "Hi."),
        ("user", ASKED),
    ]


def test_the_id_of_the_message_is_that_of_its_run() -> None:
    given = AIMessage(GOOD, id="from-the-provider")
    assert guard(ScriptedModel(given)).invoke(ASKED).id == "from-the-provider"
    assert guard(ScriptedModel(AIMessage(BAD, id="first")), BLOCK).invoke(ASKED).id == "first"
    assert (guard(ScriptedModel(BAD, GOOD)).invoke(ASKED).id or "").startswith("lc_run")


def test_the_status_without_evidence_is_unknown_and_the_notes_say_why() -> None:
    answer = guardrail.wrap(ScriptedModel("The pool closes at nine."), "observe").invoke("When does it close?")
    assert guardrail.report(answer).verdict.status is Status.UNKNOWN  # type: ignore[union-attr]
    assert "no evidence" in answer.response_metadata["guardrail"]["notes"][0]


def test_the_guard_can_be_shared_between_models() -> None:
    shared = scripted_guard()
    for model in (ScriptedModel(BAD, GOOD), FakeListChatModel(responses=[BAD, GOOD])):
        assert guardrail.wrap(model, shared).invoke(ASKED).content == GOOD
