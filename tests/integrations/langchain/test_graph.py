"""Guarded nodes of LangGraph graphs."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

import guardrail
from guardrail.logs import forgotten
from guardrail.testing import ScriptedVerifier, reliable, unknown, unreliable
from guardrail.verdict import Cause
from guardrail_langchain import aunder_review, guard_node, review_node, route_by_verdict, under_review
from tests.integrations.langchain.scripted import ScriptedModel, calling

BAD, GOOD, WITHHELD = "It is London.", "It is Paris.", "I cannot say."
ASKED = {"messages": [HumanMessage("Capital of France?")]}
THREAD: RunnableConfig = {"configurable": {"thread_id": "one"}}
Run = Callable[..., Awaitable[Any]]


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    documents: list[Any]
    steps: list[str]


async def invoke(graph: Any, given: Any, **more: Any) -> Any:
    return graph.invoke(given, THREAD, **more)


async def ainvoke(graph: Any, given: Any, **more: Any) -> Any:
    return await graph.ainvoke(given, THREAD, **more)


twins = pytest.mark.parametrize("run", [invoke, ainvoke])


def london(check: guardrail.Check) -> guardrail.Verdict:
    return unreliable("London") if "London" in check.turn.text else reliable()


def judge() -> ScriptedVerifier:
    return ScriptedVerifier(london, repeat=True)


def blocking(**rules: Any) -> guardrail.Policy:
    default = {"on_unreliable": "block", "messages": {"blocked": WITHHELD}, **rules}
    return guardrail.load_policy({"version": 1, "policies": {"default": default}})


def graph(generate: Any, policy: Any = None, *, state: Any = State, store: Any = None, **more: Any) -> Any:
    """A graph that answers, may ask a person, and marks where it went on."""
    verifier = more.pop("verifier", None) or judge()
    context = more.pop("context", None)
    built = StateGraph(state, context_schema=context)
    node = guard_node(generate, policy, verifiers={"main": verifier}, **more)
    built.add_node("answer", node)
    built.add_edge(START, "answer")
    if more.get("review") or more.get("routes"):
        built.add_node("review", review_node(then=more.get("then", END), routes={"reject": "there"}))
        for name in ("here", "there", "tools"):
            built.add_node(name, lambda state, name=name: {"steps": [name]})
    return built.compile(checkpointer=InMemorySaver(), store=store)


def everything_saved(compiled: Any) -> str:
    """All that the checkpointer and the store hold."""
    saver, store = compiled.checkpointer, compiled.store
    held = [str(dict(saver.storage)), str(dict(saver.writes)), str(dict(saver.blobs))]
    return "\n".join([*held, *(str(item) for item in (store.search(()) if store else []))])


# what is released


@twins
async def test_an_unreliable_draft_is_regenerated_and_only_the_good_answer_is_in_the_state(run: Run) -> None:
    model = ScriptedModel(BAD, GOOD)
    compiled = graph(model)
    state = await run(compiled, ASKED)
    assert [message.text for message in state["messages"]] == ["Capital of France?", GOOD]
    [question, draft, feedback] = model.asked[1]
    assert (question.text, draft.text) == ("Capital of France?", BAD)
    assert "London" in feedback.text
    assert guardrail.report(state["messages"][-1]).action == "regenerate"
    assert "London" not in everything_saved(compiled)


@twins
async def test_a_blocked_answer_is_the_policys_message(run: Run) -> None:
    compiled = graph(ScriptedModel(BAD), blocking())
    answer = (await run(compiled, ASKED))["messages"][-1]
    assert answer.text == WITHHELD
    assert answer.response_metadata["finish_reason"] == "content_filter"
    assert answer.response_metadata["guardrail"]["action"] == "block"
    assert guardrail.report(answer).attempts[0].turn.text == BAD
    assert "London" not in everything_saved(compiled)


@twins
async def test_a_policy_that_raises_ends_the_run_and_leaves_nothing_in_the_checkpoints(run: Run) -> None:
    compiled = graph(ScriptedModel(BAD), blocking(on_block="raise"))
    with pytest.raises(guardrail.BlockedError, match=WITHHELD):
        await run(compiled, ASKED)
    assert "London" not in everything_saved(compiled)
    assert compiled.get_state(THREAD).next == ("answer",)


@twins
async def test_the_next_question_is_asked_and_judged_with_the_conversation_so_far(run: Run) -> None:
    verifier, model = judge(), ScriptedModel(BAD, GOOD, "London it is.", "Still Paris.")
    compiled = graph(model, verifier=verifier)
    await run(compiled, ASKED)
    state = await run(compiled, {"messages": [HumanMessage("Sure?")]})
    said = ["Capital of France?", GOOD, "Sure?", "Still Paris."]
    assert [message.text for message in state["messages"]] == said
    assert [message.text for message in verifier.checks[-1].conversation] == said[:3]
    assert "London" not in everything_saved(compiled)


@twins
async def test_a_call_of_a_tool_is_released_as_it_is(run: Run) -> None:
    verifier = judge()
    state = await run(graph(ScriptedModel(calling("look", place="London")), "strict", verifier=verifier), ASKED)
    assert state["messages"][-1].tool_calls[0]["args"] == {"place": "London"}
    assert verifier.checks == []


@twins
async def test_a_regeneration_that_calls_a_tool_instead_is_no_answer(run: Run) -> None:
    model = ScriptedModel(BAD, calling("look"))
    compiled = graph(model, "strict")
    answer = (await run(compiled, ASKED))["messages"][-1]
    assert answer.tool_calls == []
    assert "the LLM called a tool in the place of an answer" in " ".join(guardrail.report(answer).notes)
    assert guardrail.report(answer).action == "block"


@twins
async def test_a_fallback_goes_to_the_other_model_with_the_same_messages(run: Run) -> None:
    names: list[str] = []

    class Named(ScriptedModel):
        model_name: str = "small"

        def __init__(self, *script: str, **more: Any) -> None:
            super().__init__(*script, **more)

        def _generate(self, *told: Any, **more: Any) -> Any:
            names.append(self.model_name)
            return super()._generate(*told, **more)

    policy = blocking(on_unreliable=[{"do": "fallback", "model": "larger"}, "block"])
    kinds: list[dict[str, Any]] = [{}, {"review": ["error"]}]
    for more in kinds:
        names.clear()
        model = Named(BAD, GOOD)
        state = await run(graph(model, policy, **more), ASKED)
        assert state["messages"][-1].text == GOOD
        assert names == ["small", "larger"]
        assert len(model.asked[1]) == 1


@twins
@pytest.mark.parametrize("review", [[], ["error"]], ids=["seen", "unseen"])
async def test_a_model_that_is_guarded_already_is_judged_once(run: Run, review: list[str]) -> None:
    verifier, own = judge(), judge()
    model = guardrail.wrap(ScriptedModel(BAD, GOOD), guardrail.Guard(verifiers={"main": own}))
    state = await run(graph(model, verifier=verifier, review=review), ASKED)
    assert state["messages"][-1].text == GOOD
    assert (len(verifier.checks), len(own.checks)) == (2, 0)


@twins
async def test_documents_that_a_tool_brought_beside_its_text_are_evidence(run: Run) -> None:
    paris = Document("Paris is the capital.", metadata={"source": "atlas"})
    brought = ToolMessage("One page.", tool_call_id="1", artifact=[paris])
    asked = [*ASKED["messages"], calling("look"), brought]
    for generate in (ScriptedModel(GOOD), says(GOOD)):
        verifier = judge()
        await run(graph(generate, verifier=verifier), {"messages": asked})
        assert verifier.checks[0].evidence[0].url == "atlas"


async def test_a_models_answer_is_streamed_as_it_is_released_and_a_nodes_comes_whole() -> None:
    def pieces(compiled: Any) -> list[str]:
        return [piece.text for piece, _ in compiled.stream(ASKED, THREAD, stream_mode="messages")]

    for generate, whole in ((ScriptedModel(GOOD), False), (says(GOOD), True)):
        seen = pieces(graph(generate))
        assert "".join(seen) == GOOD
        assert (len(seen) == 1) is whole


@twins
async def test_a_repaired_answer_is_released_without_its_bad_sentences(run: Run) -> None:
    def bad_sentence(check: guardrail.Check) -> guardrail.Verdict:
        return unreliable(BAD) if BAD in check.turn.text else reliable()

    said = f"{GOOD} {BAD} It is large."
    for generate in (ScriptedModel(said), lambda state: said):
        verifier = ScriptedVerifier(bad_sentence, repeat=True)
        compiled = graph(generate, blocking(on_unreliable="repair"), verifier=verifier)
        answer = (await run(compiled, ASKED))["messages"][-1]
        assert answer.text.split() == f"{GOOD} It is large.".split()
        assert answer.response_metadata["guardrail"]["action"] == "repair"
        assert "London" not in everything_saved(compiled)


@twins
async def test_further_answers_that_a_verifier_asks_for_are_drawn_from_the_node_and_not_seen(run: Run) -> None:
    rules = {"verifiers": {"main": {"kind": "consistency", "samples": 3}}}
    for generate in (ScriptedModel(GOOD, "London?", "London!", GOOD), lambda state: GOOD):
        built = StateGraph(State)
        policy = guardrail.load_policy({"version": 1, **rules})
        built.add_node("answer", guard_node(generate, policy, review=["block"]))
        built.add_edge(START, "answer")
        compiled: Any = built.compile(checkpointer=InMemorySaver())
        answer = (await run(compiled, ASKED))["messages"][-1]
        assert guardrail.report(answer).cause is not Cause.NO_GENERATOR
        assert "London" not in everything_saved(compiled)


# nodes of all kinds


def says(text: str) -> Callable[[Any], Any]:
    return lambda state: text


async def later(state: State) -> dict[str, Any]:
    return {"messages": [AIMessage(GOOD)], "steps": ["later"]}


NODES: list[Any] = [
    says(GOOD),
    lambda state: AIMessage(GOOD),
    lambda state: {"messages": AIMessage(GOOD)},
    lambda state, config: {"messages": [AIMessage(GOOD)]} if config["configurable"]["thread_id"] == "one" else None,
    lambda state, runtime: AIMessage(GOOD) if isinstance(runtime, Runtime) else None,
    lambda state, *, store, writer, config: (writer("x"), GOOD)[1] if config and store is None else None,
    RunnableLambda(says(GOOD)),
]


@twins
@pytest.mark.parametrize("node", NODES, ids=["text", "message", "update", "config", "runtime", "all", "runnable"])
async def test_a_node_of_any_usual_shape_can_be_guarded(node: Any, run: Run) -> None:
    assert (await run(graph(node), ASKED))["messages"][-1].text == GOOD


async def test_so_can_an_asynchronous_one() -> None:
    state = await ainvoke(graph(later), ASKED)
    assert (state["messages"][-1].text, state["steps"]) == (GOOD, ["later"])


@twins
async def test_what_else_a_node_says_of_the_state_is_that_of_the_released_draft(run: Run) -> None:
    def node(state: State) -> dict[str, Any]:
        first = len(state["messages"]) == 1
        found = ToolMessage("looked it up", tool_call_id="1")
        return {"messages": [found, AIMessage(BAD if first else GOOD)], "steps": ["first" if first else "second"]}

    state = await run(graph(node), ASKED)
    assert [message.text for message in state["messages"][1:]] == ["looked it up", GOOD]
    assert state["steps"] == ["second"]


class Model(BaseModel):
    messages: Annotated[list[AnyMessage], add_messages]
    context: str = "Paris is the capital."


@dataclasses.dataclass
class Record:
    messages: Annotated[list[AnyMessage], add_messages]
    context: str = "Paris is the capital."


@pytest.mark.parametrize("state", [Model, Record])
async def test_the_state_may_be_a_pydantic_model_or_a_dataclass(state: Any) -> None:
    verifier = judge()
    seen: list[int] = []

    def node(state: Any) -> str:
        seen.append(len(state.messages))
        return BAD if len(seen) == 1 else GOOD

    ended = await invoke(graph(node, state=state, verifier=verifier), ASKED)
    assert ended["messages"][-1].text == GOOD
    assert seen == [1, 3]
    assert verifier.checks[0].evidence[0].text == "Paris is the capital."


@pytest.mark.parametrize("wrong", [None, 7, {"messages": [HumanMessage("?")]}, Command(goto="here"), {}], ids=str)
async def test_a_node_that_gives_no_answer_is_told_what_is_expected(wrong: Any) -> None:
    with pytest.raises(guardrail.ConfigError, match="an update with an AIMessage under 'messages'; this gave a"):
        await invoke(graph(lambda state: wrong), ASKED)


async def test_a_fallback_of_a_node_is_noted_and_the_next_step_applies() -> None:
    policy = blocking(on_unreliable=[{"do": "fallback", "model": "larger"}, "block"])
    answer = (await invoke(graph(says(BAD), policy), ASKED))["messages"][-1]
    assert answer.text == WITHHELD
    assert "a node cannot go to another model" in " ".join(guardrail.report(answer).notes)


async def test_a_node_may_ask_a_person_before_it_answers() -> None:
    def node(state: State) -> str:
        return f"It is {interrupt('where?')}."

    compiled = graph(node)
    assert (await invoke(compiled, ASKED))["__interrupt__"][0].value == "where?"
    assert (await invoke(compiled, Command(resume="Paris")))["messages"][-1].text == GOOD


# evidence


@dataclasses.dataclass
class Context:
    documents: tuple[Document, ...] = (Document("Lyon is a city."),)


@twins
async def test_documents_of_the_state_and_of_the_runs_context_are_evidence(run: Run) -> None:
    verifier = judge()
    compiled = graph(ScriptedModel(GOOD), verifier=verifier, context=Context)
    found = [
        Document("Paris is the capital.", metadata={"source": "atlas"}),
        {"text": "Nice is not."},
        "Brest is west.",
    ]
    await run(compiled, {**ASKED, "documents": found}, context=Context())
    texts = [piece.text for piece in verifier.checks[0].evidence]
    assert texts == ["Paris is the capital.", "Nice is not.", "Brest is west.", "Lyon is a city."]
    assert verifier.checks[0].evidence[0].url == "atlas"


async def test_what_lies_under_such_a_key_and_is_no_document_is_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    verifier = judge()
    with forgotten(), caplog.at_level(logging.WARNING):
        await invoke(graph(ScriptedModel(GOOD), verifier=verifier), {**ASKED, "documents": [7, "Paris."]})
    assert [piece.text for piece in verifier.checks[0].evidence] == ["Paris."]
    assert "'documents' is not taken as evidence" in caplog.text


# where it goes on


@twins
@pytest.mark.parametrize(
    ("said", "policy", "routes", "went"),
    [
        (BAD, "observe", {"unreliable": "here"}, "here"),
        (BAD, "observe", {"unreliable": "here", "flag": "there"}, "there"),
        (BAD, blocking(), {"block": "here"}, "here"),
        (GOOD, "observe", {"reliable": "here"}, "here"),
        (GOOD, "observe", {"unreliable": "here"}, None),
        (calling("look"), "strict", {"tool_call": "tools", "pass": "here"}, "tools"),
    ],
)
async def test_the_verdict_says_where_the_graph_goes_on(
    run: Run, said: Any, policy: Any, routes: dict[str, str], went: str | None
) -> None:
    state = await run(graph(ScriptedModel(said), policy, routes=routes), ASKED)
    assert state.get("steps") == ([went] if went else None)


async def test_what_has_no_route_goes_where_then_says() -> None:
    state = await invoke(graph(ScriptedModel(GOOD), routes={"block": "here"}, then="there"), ASKED)
    assert state["steps"] == ["there"]


@pytest.mark.parametrize("argument", ["routes", "review"])
def test_a_route_for_what_there_is_not_is_refused(argument: str) -> None:
    with pytest.raises(guardrail.ConfigError, match=rf"{argument}=...\): 'unsure' is none of pass, flag"):
        guard_node(says(GOOD), **{argument: {"unsure": "here"}})  # type: ignore[arg-type]


async def test_a_lone_word_may_be_what_is_reviewed() -> None:
    app = graph(ScriptedModel(BAD), "observe", review="unreliable")
    assert "__interrupt__" in await invoke(app, ASKED)


def test_so_is_what_cannot_answer_at_all() -> None:
    with pytest.raises(guardrail.ConfigError, match="not a int"):
        guard_node(7)  # type: ignore[arg-type]


async def test_edges_of_ones_own_can_go_by_the_verdict_too() -> None:
    built = StateGraph(State)
    built.add_node("answer", guard_node(ScriptedModel(BAD), "observe", verifiers={"main": judge()}))
    built.add_node("here", lambda state: {"steps": ["here"]})
    built.add_edge(START, "answer")
    built.add_conditional_edges("answer", route_by_verdict({"unreliable": "here"}), ["here", END])
    compiled: Any = built.compile()
    assert compiled.invoke(ASKED)["steps"] == ["here"]


# a person decides


@pytest.fixture(params=["process", "store"])
def store(request: pytest.FixtureRequest) -> InMemoryStore | None:
    return InMemoryStore() if request.param == "store" else None


async def asked_of(compiled: Any, state: Any) -> Any:
    [asked] = [each.value for each in state["__interrupt__"]]
    review = under_review(asked, compiled.store)
    assert await aunder_review(asked, compiled.store) == review
    return review


@twins
@pytest.mark.parametrize("policy", ["observe", blocking(), blocking(on_block="raise")], ids=["flag", "block", "raise"])
async def test_an_answer_waits_for_a_person_and_is_in_no_state_and_no_checkpoint(
    run: Run, policy: Any, store: Any
) -> None:
    compiled = graph(ScriptedModel(BAD), policy, review=["unreliable"], store=store)
    state = await run(compiled, ASKED)
    review = await asked_of(compiled, state)
    assert (review.question, review.answer, review.status) == ("Capital of France?", BAD, "unreliable")
    assert review.findings[0]["text"] == "London"
    assert [message.text for message in compiled.get_state(THREAD).values["messages"]] == ["Capital of France?"]
    compiled.store = None
    assert "London" not in everything_saved(compiled)


@twins
@pytest.mark.parametrize(
    ("decision", "text", "steps"),
    [
        ("approve", BAD, ["here"]),
        ("reject", WITHHELD, ["there"]),
        ({"edit": "It is Lyon."}, "It is Lyon.", ["here"]),
    ],
)
async def test_the_person_decides_what_is_said(
    run: Run, decision: Any, text: str, steps: list[str], store: Any
) -> None:
    compiled = graph(ScriptedModel(BAD), blocking(), review=["unreliable"], then="here", store=store)
    asked = (await run(compiled, ASKED))["__interrupt__"][0].value
    state = await run(compiled, Command(resume=decision))
    assert state["messages"][-1].text == text
    assert state["steps"] == steps
    assert ("London" in everything_saved(compiled)) == (decision == "approve")
    with pytest.raises(guardrail.ConfigError, match="was decided upon"):
        under_review(asked, store)


@twins
async def test_the_person_may_have_it_answered_anew(run: Run, store: Any) -> None:
    model = ScriptedModel(BAD, GOOD)
    compiled = graph(model, blocking(), review=["unreliable"], store=store)
    await run(compiled, ASKED)
    state = await run(compiled, Command(resume="regenerate"))
    assert state["messages"][-1].text == GOOD
    assert "London" not in everything_saved(compiled)


@twins
@pytest.mark.parametrize("strange", ["perhaps", {"edit": " "}, 7], ids=str)
async def test_a_decision_that_is_none_is_asked_for_again(run: Run, strange: Any) -> None:
    compiled = graph(ScriptedModel(BAD), "observe", review=["unreliable"])
    await run(compiled, ASKED)
    state = await run(compiled, Command(resume=strange))
    assert "is no decision" in state["__interrupt__"][0].value["problem"]
    assert (await run(compiled, Command(resume="approve")))["messages"][-1].text == BAD


@twins
async def test_an_answer_that_waited_in_a_process_that_is_gone_is_generated_anew(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from guardrail_langchain import review

    compiled = graph(ScriptedModel(BAD, GOOD), "observe", review=["unreliable"])
    await run(compiled, ASKED)
    monkeypatch.setattr(review, "_waiting", review._Waiting())
    state = await run(compiled, Command(resume="approve"))
    assert state["messages"][-1].text == GOOD


async def test_answers_that_need_no_review_are_released_at_once() -> None:
    state = await invoke(graph(ScriptedModel(GOOD), "observe", review=["unreliable"], then="here"), ASKED)
    assert (state["messages"][-1].text, state["steps"]) == (GOOD, ["here"])


async def test_a_verdict_that_is_unknown_can_be_reviewed_too() -> None:
    compiled = graph(ScriptedModel(GOOD), review=["unknown"], verifier=ScriptedVerifier(unknown()))
    review = await asked_of(compiled, await invoke(compiled, ASKED))
    assert (review.status, review.findings) == ("unknown", ())


# nothing of a draft is seen


async def test_what_a_draft_writes_to_the_custom_stream_is_not_seen() -> None:
    def node(state: State) -> str:
        get_stream_writer()(BAD)
        return BAD if len(state["messages"]) == 1 else GOOD

    compiled = graph(node)
    assert list(compiled.stream(ASKED, THREAD, stream_mode="custom")) == []


def inner_graph(model: ScriptedModel) -> Any:
    built = StateGraph(MessagesState)
    built.add_node("inner", lambda state: {"messages": [model.invoke(state["messages"])]})
    built.add_edge(START, "inner")
    return built.compile()


@twins
async def test_a_graph_inside_a_guarded_node_is_not_seen_either(run: Run) -> None:
    inner = inner_graph(ScriptedModel(BAD, GOOD))
    compiled = graph(inner)
    modes = ["values", "updates", "messages", "debug", "tasks", "checkpoints", "custom"]
    parts = list(compiled.stream(ASKED, THREAD, stream_mode=modes, subgraphs=True))
    assert "London" not in str(parts)
    assert GOOD in str(parts)
    assert "London" not in everything_saved(compiled)
