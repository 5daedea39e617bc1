"""Guarded agents of LangChain 1.x."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain.agents import AgentState, create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware, ModelRequest, hook_config
from langchain.agents.structured_output import ToolStrategy
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel

import guardrail
from guardrail.testing import ScriptedVerifier, reliable, unreliable
from guardrail_langchain import GuardrailMiddleware
from tests.integrations.langchain.scripted import ScriptedModel, calling

BAD, GOOD = "It is London.", "It is Paris."
ASKED: Any = {"messages": [HumanMessage("Capital of France?")]}
Run = Callable[..., Awaitable[Any]]


async def invoke(agent: Any, given: Any = ASKED, config: Any = None, **more: Any) -> Any:
    return agent.invoke(given, config, **more)


async def ainvoke(agent: Any, given: Any = ASKED, config: Any = None, **more: Any) -> Any:
    return await agent.ainvoke(given, config, **more)


twins = pytest.mark.parametrize("run", [invoke, ainvoke])


@tool(response_format="content_and_artifact")
def look(place: str) -> tuple[str, list[Document]]:
    """Look a place up."""
    return "Two pages.", [Document("Paris is the capital.", metadata={"source": "atlas.pdf", "title": "Atlas"})]


def london(check: guardrail.Check) -> guardrail.Verdict:
    return unreliable("London") if "London" in check.turn.text else reliable()


def judge() -> ScriptedVerifier:
    return ScriptedVerifier(london, repeat=True)


def agent(*script: Any, policy: Any = None, verifier: Any = None, **more: Any) -> tuple[Any, ScriptedModel]:
    """An agent with a tool, and the model that it asks."""
    model = ScriptedModel(*script)
    own = {key: more.pop(key) for key in ("regenerations", "evidence") if key in more}
    guarding: Any = GuardrailMiddleware(policy, verifiers={"main": verifier or judge()}, **own)
    others = more.pop("middleware", [])
    return create_agent(model, [look], middleware=[*others, guarding], **more), model


def kinds(state: Any) -> list[str]:
    return [message.type for message in state["messages"]]


@twins
async def test_the_final_answer_is_judged_against_what_the_tools_brought(run: Run) -> None:
    verifier = judge()
    guarded, model = agent(calling("look", place="Paris"), BAD, GOOD, verifier=verifier)
    state = await run(guarded)
    assert kinds(state) == ["human", "ai", "tool", "ai"]
    assert state["messages"][-1].text == GOOD
    assert [check.turn.text for check in verifier.checks] == [BAD, GOOD]
    assert [(piece.text, piece.url) for piece in verifier.checks[0].evidence] == [
        ("Paris is the capital.", "atlas.pdf"),
        ("Two pages.", None),
    ]
    assert [message.role for message in verifier.checks[0].conversation] == ["user", "assistant", "tool"]
    assert len(model.asked) == 3


@twins
async def test_calls_of_tools_are_kept_and_not_judged(run: Run) -> None:
    verifier = judge()
    guarded, _ = agent(calling("look", place="London"), GOOD, policy="strict", verifier=verifier)
    state = await run(guarded)
    assert state["messages"][1].tool_calls[0]["args"] == {"place": "London"}
    assert [check.turn.text for check in verifier.checks] == [GOOD]


@dataclasses.dataclass
class Context:
    documents: tuple[Document, ...] = (Document("Lyon is a city."),)


class Found(AgentState[Any]):
    documents: list[Document]
    notes: list[str]


@twins
async def test_documents_of_the_agents_state_and_of_the_runs_context_are_evidence(run: Run) -> None:
    verifier = judge()
    guarded, _ = agent(GOOD, verifier=verifier, state_schema=Found, context_schema=Context)
    await run(guarded, {**ASKED, "documents": [Document("Nice is in the south.")]}, context=Context())
    assert [piece.text for piece in verifier.checks[0].evidence] == ["Nice is in the south.", "Lyon is a city."]


@twins
@pytest.mark.parametrize("keys", [["notes"], "notes"])
async def test_the_keys_of_evidence_can_be_named(run: Run, keys: Any) -> None:
    verifier = judge()
    guarded, _ = agent(GOOD, verifier=verifier, state_schema=Found, evidence=keys)
    await run(guarded, {**ASKED, "documents": [Document("Nice is in the south.")], "notes": ["Lyon is a city."]})
    assert [piece.text for piece in verifier.checks[0].evidence] == ["Lyon is a city."]


# it always ends


@twins
@pytest.mark.parametrize("policy", ["balanced", "strict"])
async def test_a_regenerated_answer_that_turns_into_a_call_of_a_tool_does_not_loop_the_agent(
    run: Run, policy: str
) -> None:
    call = calling("look", place="Paris")
    guarded, model = agent(call, BAD, *([call, BAD] * 20), policy=policy)
    state = await run(guarded)
    assert kinds(state) == ["human", "ai", "tool", "ai"]
    assert state["messages"][-1].tool_calls == []
    assert len(model.asked) <= 5
    assert "called a tool" in " ".join(guardrail.report(state["messages"][-1]).notes)


class Unhappy(AgentMiddleware[Any, Any, Any]):
    """Sends the agent back to its model, some times over."""

    def __init__(self, times: int) -> None:
        self.left = times

    @hook_config(can_jump_to=["model"])
    def after_model(self, state: Any, runtime: Any) -> Any:
        self.left -= 1
        return {"jump_to": "model"} if self.left >= 0 else None


@twins
async def test_a_run_asks_again_so_often_and_no_more_over_all_of_its_answers(run: Run) -> None:
    guarded, model = agent(BAD, policy="strict", regenerations=3, middleware=[Unhappy(4)])
    state = await run(guarded)
    answers = state["messages"][1:]
    assert len(answers) == 5
    assert [answer.response_metadata["guardrail"]["attempts"] for answer in answers] == [3, 2, 1, 1, 1]
    assert len(model.asked) == 5 + 3
    assert "the run has used up its 3 regenerations" in " ".join(guardrail.report(answers[-1]).notes)
    assert "London" not in str(state)


@twins
async def test_the_next_question_has_all_regenerations_again(run: Run) -> None:
    guarded, model = agent(BAD, GOOD, BAD, GOOD, regenerations=1, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "one"}}
    await run(guarded, ASKED, thread)
    state = await run(guarded, {"messages": [HumanMessage("Sure?")]}, thread)
    assert [message.text for message in state["messages"]] == ["Capital of France?", GOOD, "Sure?", GOOD]
    assert len(model.asked) == 4


def test_further_answers_that_a_verifier_draws_are_no_regenerations() -> None:
    policy = guardrail.load_policy({"version": 1, "verifiers": {"main": {"kind": "consistency", "samples": 3}}})
    model = ScriptedModel(GOOD)
    agent = create_agent(model, [], middleware=[GuardrailMiddleware(policy, regenerations=0)])
    answer = agent.invoke(ASKED)["messages"][-1]
    assert guardrail.report(answer).cause is None
    assert len(model.asked) == 4


@twins
async def test_none_at_all_is_possible(run: Run) -> None:
    guarded, model = agent(BAD, regenerations=0)
    answer = (await run(guarded))["messages"][-1]
    assert (answer.text, guardrail.report(answer).action) == (BAD, "flag")
    assert len(model.asked) == 1


def test_fewer_than_none_are_refused() -> None:
    with pytest.raises(guardrail.ConfigError, match=r"regenerations=-1\): must be 0 or more"):
        GuardrailMiddleware(regenerations=-1)


def test_a_guard_and_verifiers_cannot_both_be_given() -> None:
    with pytest.raises(guardrail.ConfigError, match="belong to the Guard"):
        GuardrailMiddleware(guardrail.Guard("observe"), verifiers={"main": judge()})


# among other middleware


class Choosing(AgentMiddleware[Any, Any, Any]):
    """Puts another model in the place of the agent's."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def wrap_model_call(self, request: ModelRequest[Any], handler: Any) -> Any:
        return handler(request.override(model=self.model))

    async def awrap_model_call(self, request: ModelRequest[Any], handler: Any) -> Any:
        return await handler(request.override(model=self.model))


@twins
async def test_the_model_that_other_middleware_chose_is_the_one_that_is_guarded(run: Run) -> None:
    chosen = ScriptedModel(BAD, GOOD)
    guarded, model = agent("never asked", middleware=[Choosing(chosen)])
    assert (await run(guarded))["messages"][-1].text == GOOD
    assert (len(model.asked), len(chosen.asked)) == (0, 2)


@twins
async def test_many_models_one_after_the_other_are_all_guarded(run: Run) -> None:
    choosing = Choosing(None)
    guarded, _ = agent("never asked", middleware=[choosing])
    for _ in range(12):
        choosing.model = ScriptedModel(BAD, GOOD)
        assert (await run(guarded))["messages"][-1].text == GOOD


@twins
async def test_a_model_that_is_guarded_already_is_judged_once(run: Run) -> None:
    outer = judge()
    model = guardrail.wrap(ScriptedModel(BAD, GOOD), guardrail.Guard(verifiers={"main": judge()}))
    middleware: Any = [GuardrailMiddleware(verifiers={"main": outer})]
    state = await run(create_agent(model, [look], middleware=middleware))
    assert state["messages"][-1].text == GOOD
    assert len(outer.checks) == 2


@twins
async def test_a_person_who_approves_calls_of_tools_does_not_disturb_it(run: Run) -> None:
    human: Any = HumanInTheLoopMiddleware(interrupt_on={"look": True})
    guarded, _ = agent(calling("look", place="Paris"), BAD, GOOD, middleware=[human], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "one"}}
    assert "__interrupt__" in await run(guarded, ASKED, thread)
    state = await run(guarded, Command(resume={"decisions": [{"type": "approve"}]}), thread)
    assert kinds(state) == ["human", "ai", "tool", "ai"]
    assert state["messages"][-1].text == GOOD


class Answer(BaseModel):
    city: str


@twins
async def test_structured_answers_by_a_tool_are_kept(run: Run) -> None:
    guarded, _ = agent(calling("Answer", city="Paris"), response_format=ToolStrategy(Answer))
    assert (await run(guarded))["structured_response"] == Answer(city="Paris")


@twins
async def test_a_policy_that_raises_ends_the_run(run: Run) -> None:
    policy = guardrail.load_policy(
        {"version": 1, "policies": {"default": {"on_unreliable": "block", "on_block": "raise"}}}
    )
    guarded, _ = agent(BAD, policy=policy)
    with pytest.raises(guardrail.BlockedError):
        await run(guarded)


def test_it_adds_no_node_to_the_agents_graph() -> None:
    guarded, _ = agent(GOOD)
    assert set(guarded.get_graph().nodes) == {"__start__", "model", "tools", "__end__"}


@twins
async def test_a_guarded_model_needs_no_middleware(run: Run) -> None:
    model = ScriptedModel(calling("look", place="Paris"), BAD, GOOD)
    guarded = create_agent(guardrail.wrap(model, guardrail.Guard(verifiers={"main": judge()})), [look])
    state = await run(guarded)
    assert kinds(state) == ["human", "ai", "tool", "ai"]
    assert state["messages"][-1].text == GOOD


def test_what_a_tool_brought_is_found_in_messages_of_a_state_too() -> None:
    verifier = judge()
    guarded, _ = agent(GOOD, verifier=verifier)
    asked = [HumanMessage("Capital?"), AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "1"}])]
    guarded.invoke({"messages": [*asked, ToolMessage("Paris is the capital.", tool_call_id="1")]})
    assert [piece.title for piece in verifier.checks[0].evidence] == ["look"]
