"""The callback handlers: they judge and report every answer, and change none."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig, RunnablePassthrough

import guardrail
from guardrail.logs import forgotten
from guardrail.testing import EventCollector, ScriptedVerifier, failure, reliable, unreliable
from guardrail.verdict import Cause
from guardrail_langchain.callback import AsyncGuardrailCallbackHandler, GuardrailCallbackHandler
from tests.integrations.langchain.scripted import ScriptedModel, calling

BAD = "It is London."
Handler = GuardrailCallbackHandler | AsyncGuardrailCallbackHandler
Ask = Callable[..., Awaitable[Any]]


def watched(handler: Any, config: dict[str, Any]) -> RunnableConfig:
    return cast(RunnableConfig, {"callbacks": [handler], **config})


async def invoke(runnable: Runnable[Any, Any], given: Any, handler: Any, **config: Any) -> Any:
    return runnable.invoke(given, watched(handler, config))


async def ainvoke(runnable: Runnable[Any, Any], given: Any, handler: Any, **config: Any) -> Any:
    return await runnable.ainvoke(given, watched(handler, config))


async def stream(runnable: Runnable[Any, Any], given: Any, handler: Any, **config: Any) -> Any:
    pieces = list(runnable.stream(given, watched(handler, config)))
    return sum(pieces[1:], pieces[0])


async def astream(runnable: Runnable[Any, Any], given: Any, handler: Any, **config: Any) -> Any:
    pieces = [piece async for piece in runnable.astream(given, watched(handler, config))]
    return sum(pieces[1:], pieces[0])


# A synchronous handler works everywhere; an asynchronous one is driven in a loop of LangChain's own by `invoke`.
both = pytest.mark.parametrize("kind", [GuardrailCallbackHandler, AsyncGuardrailCallbackHandler])
every_call = pytest.mark.parametrize("ask", [invoke, ainvoke, stream, astream])


def london(check: guardrail.Check) -> guardrail.Verdict:
    return unreliable("London") if "London" in check.turn.text else reliable()


def judge() -> ScriptedVerifier:
    return ScriptedVerifier(london, repeat=True)


@both
@every_call
async def test_an_unreliable_answer_passes_unchanged_and_is_reported(kind: type[Handler], ask: Ask) -> None:
    verifier, heard = judge(), EventCollector()
    handler = kind("observe", verifiers={"main": verifier}, listeners=[heard])
    answer = await ask(ScriptedModel(BAD), [SystemMessage("Be brief."), HumanMessage("Capital?")], handler)
    assert answer.text == BAD
    outcome = guardrail.report(answer)
    assert (outcome.action, outcome.verdict and outcome.verdict.status) == ("flag", "unreliable")
    assert [finding.text for finding in outcome.findings] == ["London"]
    assert [message.role for message in verifier.checks[0].conversation] == ["system", "user"]
    assert heard.events


@both
@every_call
async def test_each_answer_is_judged_once_with_all_that_was_said_before(kind: type[Handler], ask: Ask) -> None:
    verifier = judge()
    handler = kind(verifiers={"main": verifier})
    told = [HumanMessage("Capital of France?"), AIMessage("It is Paris."), HumanMessage("And of England?")]
    await ask(ScriptedModel(BAD), told, handler)
    [check] = verifier.checks
    assert [message.text for message in check.conversation] == [message.text for message in told]


class Shelf(BaseRetriever):
    """Always finds the same."""

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [Document("Paris is the capital.", metadata={"source": "atlas.pdf", "title": "Atlas"})]


@both
@every_call
async def test_what_a_retriever_of_the_same_chain_found_is_evidence(kind: type[Handler], ask: Ask) -> None:
    verifier = judge()
    prompt = ChatPromptTemplate.from_messages([("user", "{question}")])
    chain = {"found": Shelf(), "question": RunnablePassthrough()} | prompt | ScriptedModel(BAD)
    await ask(chain, "Capital?", kind(verifiers={"main": verifier}))
    [check] = verifier.checks
    assert [(piece.text, piece.title, piece.url) for piece in check.evidence] == [
        ("Paris is the capital.", "Atlas", "atlas.pdf")
    ]


@both
async def test_what_was_retrieved_for_one_call_is_no_evidence_for_another(kind: type[Handler]) -> None:
    verifier = judge()
    handler = kind(verifiers={"main": verifier})
    await Shelf().ainvoke("Capital?", {"callbacks": [handler]})
    await ScriptedModel(BAD).ainvoke("Capital?", {"callbacks": [handler]})
    assert verifier.checks[0].evidence == ()


@both
@every_call
async def test_a_call_of_a_tool_claims_nothing_and_is_not_judged(kind: type[Handler], ask: Ask) -> None:
    verifier = judge()
    handler = kind("strict", strict=True, verifiers={"main": verifier})
    answer = await ask(ScriptedModel(calling("look", place="London")), "Capital?", handler)
    assert answer.tool_calls[0]["args"] == {"place": "London"}
    assert verifier.checks == []


@both
async def test_a_verifier_that_fails_costs_no_answer_and_is_reported(kind: type[Handler]) -> None:
    handler = kind(verifiers={"main": ScriptedVerifier(failure(Cause.CONNECT))})
    answer = await ScriptedModel(BAD).ainvoke("Capital?", {"callbacks": [handler]})
    assert guardrail.report(answer).cause is Cause.CONNECT


@both
async def test_the_policy_is_chosen_by_model_tags_metadata_and_streaming(kind: type[Handler]) -> None:
    policy = guardrail.load_policy(
        {
            "version": 1,
            "policies": {"default": {}, "talk": {}, "tagged": {}, "of": {}},
            "routes": [
                {"match": {"stream": True}, "policy": "talk"},
                {"match": {"tags": ["x"]}, "policy": "tagged"},
                {"match": {"metadata": {"tenant": "a*"}}, "policy": "of"},
            ],
        }
    )
    handler = kind(guardrail.Guard(policy, verifiers={"main": judge()}))
    model = ScriptedModel(BAD)
    for config, name in (({"tags": ["x"]}, "tagged"), ({"metadata": {"tenant": "acme"}}, "of"), ({}, "default")):
        assert guardrail.report(await ainvoke(model, "Capital?", handler, **config)).policy == name
    assert guardrail.report(await astream(model, "Capital?", handler)).policy == "talk"


@pytest.mark.parametrize("ask", [invoke, ainvoke])
async def test_strict_aborts_a_call_that_the_policy_would_not_let_pass(ask: Ask) -> None:
    handler = GuardrailCallbackHandler(strict=True, verifiers={"main": judge()})
    with pytest.raises(guardrail.BlockedError, match="unreliable, and the policy says to regenerate") as raised:
        await ask(ScriptedModel(BAD), "Capital?", handler)
    assert raised.value.outcome.attempts[0].turn.text == BAD
    assert (await ask(ScriptedModel("It is Paris."), "Capital?", handler)).text == "It is Paris."


async def test_the_asynchronous_one_aborts_asynchronous_calls() -> None:
    handler = AsyncGuardrailCallbackHandler(strict=True, verifiers={"main": judge()})
    with pytest.raises(guardrail.BlockedError):
        await ainvoke(ScriptedModel(BAD), "Capital?", handler)


@pytest.mark.parametrize("inside_a_loop", [True, False])
def test_in_a_synchronous_call_it_cannot_and_says_so(inside_a_loop: bool, caplog: pytest.LogCaptureFixture) -> None:
    handler = AsyncGuardrailCallbackHandler(strict=True, verifiers={"main": judge()})
    model = ScriptedModel(BAD)
    with forgotten(), caplog.at_level(logging.WARNING):
        if inside_a_loop:
            answer = asyncio.run(invoke(model, "Capital?", handler))
        else:
            answer = model.invoke("Capital?", {"callbacks": [handler]})
    assert answer.text == BAD
    assert "cannot abort a synchronous call: use GuardrailCallbackHandler" in caplog.text


async def test_strict_aborts_a_stream_when_all_of_it_was_seen_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    handler = GuardrailCallbackHandler(strict=True, verifiers={"main": judge()})
    seen: list[str] = []
    stream = ScriptedModel(BAD).stream("Capital?", {"callbacks": [handler]})
    with forgotten(), caplog.at_level(logging.WARNING), pytest.raises(guardrail.BlockedError):
        seen.extend(piece.text for piece in stream)
    assert "".join(seen) == BAD
    assert "cannot hold back a stream" in caplog.text


@pytest.mark.parametrize("rules", [{"mode": "shadow"}, {"on_unreliable": "flag"}], ids=["shadow", "flag"])
async def test_strict_lets_pass_what_the_policy_would_only_report(rules: dict[str, str]) -> None:
    policy = guardrail.load_policy({"version": 1, "policies": {"default": rules}})
    handler = GuardrailCallbackHandler(guardrail.Guard(policy, verifiers={"main": judge()}), strict=True)
    assert (await invoke(ScriptedModel(BAD), "Capital?", handler)).text == BAD


def test_one_aborted_item_of_a_batch_leaves_the_others() -> None:
    handler = GuardrailCallbackHandler(strict=True, verifiers={"main": judge()})
    model = ScriptedModel("It is Paris.", BAD, "It is Paris.")
    config: Any = {"callbacks": [handler], "max_concurrency": 1}
    ended = model.batch(["Capital?"] * 3, config, return_exceptions=True)
    assert [type(each).__name__ for each in ended] == ["AIMessage", "BlockedError", "AIMessage"]


def test_a_retry_of_langchains_own_asks_again_after_an_abort() -> None:
    handler = GuardrailCallbackHandler(strict=True, verifiers={"main": judge()})
    model = ScriptedModel(BAD, "It is Paris.")
    again = model.with_retry(retry_if_exception_type=(guardrail.BlockedError,), wait_exponential_jitter=False)
    assert again.invoke("Capital?", {"callbacks": [handler]}).text == "It is Paris."


def test_an_aborted_answer_is_in_the_cache_all_the_same() -> None:
    # What the documentation says of callbacks: LangChain stores the answer before it tells them.
    handler = GuardrailCallbackHandler(strict=True, verifiers={"main": judge()})
    model = ScriptedModel(BAD, cache=InMemoryCache())
    with pytest.raises(guardrail.BlockedError):
        model.invoke("Capital?", {"callbacks": [handler]})
    assert model.invoke("Capital?").text == BAD
    assert len(model.asked) == 1


async def test_models_that_complete_text_are_watched_too() -> None:
    verifier, heard = judge(), EventCollector()
    handler = GuardrailCallbackHandler(verifiers={"main": verifier}, listeners=[heard])
    assert FakeListLLM(responses=[BAD]).invoke("Capital?", {"callbacks": [handler]}) == BAD
    assert verifier.checks[0].turn.text == BAD
    assert verifier.checks[0].conversation[0].text == "Capital?"


async def test_the_outcome_is_known_by_the_run_too() -> None:
    handler, run = GuardrailCallbackHandler(verifiers={"main": judge()}), uuid.uuid4()
    await invoke(ScriptedModel(BAD), "Capital?", handler, run_id=run)
    assert guardrail.report({"id": str(run)}).action == "regenerate"


def test_a_guard_and_verifiers_cannot_both_be_given() -> None:
    with pytest.raises(guardrail.ConfigError, match="belong to the Guard"):
        GuardrailCallbackHandler(guardrail.Guard("observe"), verifiers={"main": judge()})


@both
@every_call
async def test_what_a_guarded_model_has_judged_is_not_judged_again(kind: type[Handler], ask: Ask) -> None:
    verifier, own = judge(), judge()
    guarded = guardrail.wrap(ScriptedModel(BAD, "It is Paris."), guardrail.Guard(verifiers={"main": own}))
    assert (await ask(guarded, "Capital?", kind(strict=True, verifiers={"main": verifier}))).text == "It is Paris."
    assert (len(verifier.checks), len(own.checks)) == (0, 2)
