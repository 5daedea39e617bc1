"""Nothing of a rejected draft is seen: not a character, in any way that LangChain and LangGraph have to stream.

The bad sentence is made of letters that stand nowhere else, so a single one of them is enough to find a leak.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool
from langchain_core.tracers import BaseTracer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore

import guardrail
from guardrail.testing import ScriptedVerifier, reliable, unreliable
from guardrail_langchain import GuardrailMiddleware, guard_node
from tests.integrations.langchain.scripted import ScriptedModel, calling

BAD = "Ωμέγα θα ξηλωθεί ψυχρά."
SENTENCES = ("The Louvre is in Paris.", "It opened in 1793.", "It is a museum.")
WITHHELD = "I cannot say."
GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
QUESTION = "Where is the Louvre?"
THREAD: RunnableConfig = {"configurable": {"thread_id": "one"}}
MODES: Any = ["values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"]

REGENERATE = {"on_unreliable": ["regenerate", "block"]}
BLOCK = {"on_unreliable": "block"}
RAISE = {"on_unreliable": "block", "on_block": "raise"}
REPAIR = {"on_unreliable": "repair"}
POLICIES = {"regenerate": REGENERATE, "block": BLOCK, "raise": RAISE, "repair": REPAIR}


def answer_with_bad_sentence_at(place: int) -> str:
    return " ".join([*SENTENCES[:place], BAD, *SENTENCES[place:]])


def greek(check: guardrail.Check) -> guardrail.Verdict:
    return unreliable(BAD) if GREEK.search(check.turn.text) else reliable()


def guard(rules: dict[str, Any]) -> guardrail.Guard:
    default = {**rules, "messages": {"blocked": WITHHELD}}
    policy = guardrail.load_policy({"version": 1, "policies": {"default": default}})
    return guardrail.Guard(policy, verifiers={"main": ScriptedVerifier(greek, repeat=True)})


def model(place: int, **more: Any) -> ScriptedModel:
    return ScriptedModel(answer_with_bad_sentence_at(place), " ".join(SENTENCES), **more)


@tool
def look(place: str) -> str:
    """Look a place up."""
    return f"{place}: the Louvre is in Paris."


# what is guarded: each gives something to stream, with what it is asked


def a_model(place: int, rules: dict[str, Any]) -> tuple[Any, Any]:
    return guardrail.wrap(model(place), guard(rules)), QUESTION


def a_chain_with_a_model(place: int, rules: dict[str, Any]) -> tuple[Any, Any]:
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{question}")])
    return prompt | guardrail.wrap(model(place), guard(rules)) | StrOutputParser(), {"question": QUESTION}


def a_chain(place: int, rules: dict[str, Any]) -> tuple[Any, Any]:
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{question}")])
    return guardrail.wrap(prompt | model(place) | StrOutputParser(), guard(rules)), {"question": QUESTION}


RUNNABLES: list[Any] = [a_model, a_chain_with_a_model, a_chain]


def an_agent(place: int, rules: dict[str, Any]) -> tuple[Any, Any]:
    first = calling("look", place="Louvre")
    scripted = ScriptedModel(first, answer_with_bad_sentence_at(place), " ".join(SENTENCES))
    middleware: Any = [GuardrailMiddleware(guard(rules))]
    made = create_agent(scripted, [look], middleware=middleware, checkpointer=InMemorySaver(), store=InMemoryStore())
    return made, {"messages": [HumanMessage(QUESTION)]}


def a_graph_with_a_model(place: int, rules: dict[str, Any]) -> tuple[Any, Any]:
    guarded = guardrail.wrap(model(place), guard(rules))

    def answer(state: MessagesState) -> dict[str, Any]:
        pieces = []
        for piece in guarded.stream(state["messages"]):
            get_stream_writer()(piece.text)
            pieces.append(piece)
        return {"messages": [sum(pieces[1:], pieces[0])]}

    return compiled(answer), {"messages": [HumanMessage(QUESTION)]}


def a_guarded_node(place: int, rules: dict[str, Any]) -> tuple[Any, Any]:
    return compiled(guard_node(model(place), guard(rules))), {"messages": [HumanMessage(QUESTION)]}


def a_guarded_node_with_a_chain(place: int, rules: dict[str, Any]) -> tuple[Any, Any]:
    unguarded = model(place)

    def node(state: MessagesState) -> Any:
        pieces = []
        for piece in unguarded.stream(state["messages"]):
            get_stream_writer()(piece.text)
            pieces.append(piece.text)
        return "".join(pieces)

    return compiled(guard_node(node, guard(rules))), {"messages": [HumanMessage(QUESTION)]}


def a_graph_in_a_graph(place: int, rules: dict[str, Any]) -> tuple[Any, Any]:
    inner, given = an_agent(place, rules)
    built = StateGraph(MessagesState)
    built.add_node("inner", inner)
    built.add_edge(START, "inner")
    return built.compile(checkpointer=InMemorySaver(), store=InMemoryStore()), given


def compiled(node: Any) -> Any:
    built = StateGraph(MessagesState)
    built.add_node("answer", node)
    built.add_edge(START, "answer")
    return built.compile(checkpointer=InMemorySaver(), store=InMemoryStore())


GRAPHS: list[Any] = [
    an_agent,
    a_graph_with_a_model,
    a_guarded_node,
    a_guarded_node_with_a_chain,
    a_graph_in_a_graph,
]
AT_EACH_PLACE = (a_model, a_chain, an_agent, a_guarded_node)
"""What is tried with a bad sentence at each place; the others have the same ways to leak, by other paths."""
Subject = Callable[[int, dict[str, Any]], tuple[Any, Any]]


# how it is consumed: each gives all that a consumer gets to see


async def invoked(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    yield subject.invoke(given, config)


async def ainvoked(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    yield await subject.ainvoke(given, config)


async def streamed(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    for part in subject.stream(given, config):
        yield part


async def astreamed(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    async for part in subject.astream(given, config):
        yield part


async def events_v2(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    async for event in subject.astream_events(given, config, version="v2"):
        yield event


async def events_v3(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    for event in subject.stream_events(given, config, version="v3"):
        yield event


async def aevents_v3(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    async for event in await subject.astream_events(given, config, version="v3"):
        yield event


async def logged(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    async for patch in subject.astream_log(given, config):
        yield patch


async def batched(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    for part in subject.batch([given], config):
        yield part


async def all_modes(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    for part in subject.stream(given, config, stream_mode=MODES, subgraphs=True):
        yield part


async def aall_modes(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    async for part in subject.astream(given, config, stream_mode=MODES, subgraphs=True):
        yield part


async def messages_only(subject: Any, given: Any, config: Any) -> AsyncIterator[Any]:
    async for part in subject.astream(given, config, stream_mode="messages"):
        yield part


WHOLE: list[Any] = [invoked, ainvoked, batched]
STREAMS: list[Any] = [streamed, astreamed, events_v2, logged]
PROTOCOL: list[Any] = [events_v3, aevents_v3]
"""LangChain has these for models and graphs only."""
OF_GRAPHS: list[Any] = [all_modes, aall_modes, messages_only]
Consumer = Callable[[Any, Any, Any], AsyncIterator[Any]]


class Recorder(BaseTracer):
    """A tracer that keeps every run that ended, and all that it heard on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def _persist_run(self, run: Any) -> None:
        self.heard.append(repr(run))

    def on_llm_new_token(self, token: Any, **more: Any) -> Any:
        self.heard.append(repr((token, more)))
        return super().on_llm_new_token(token, **more)


class Ear(BaseCallbackHandler):
    """Keeps whatever a callback is told; synchronous."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, *told: Any, **more: Any) -> None:
        self.heard.append(repr((told, more)))

    on_llm_new_token = on_llm_end = on_llm_error = on_stream_event = hear
    on_chain_start = on_chain_end = on_chain_error = on_chat_model_start = hear
    on_tool_start = on_tool_end = on_retriever_end = on_custom_event = hear


class AsyncEar(AsyncCallbackHandler):
    """The same; asynchronous."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def hear(self, *told: Any, **more: Any) -> None:
        self.heard.append(repr((told, more)))

    on_llm_new_token = on_llm_end = on_llm_error = on_stream_event = hear
    on_chain_start = on_chain_end = on_chain_error = on_chat_model_start = hear
    on_tool_start = on_tool_end = on_retriever_end = on_custom_event = hear


@dataclass
class Seen:
    """All that was seen of one run, and where."""

    parts: list[Any] = field(default_factory=list)
    listeners: list[Any] = field(default_factory=lambda: [Recorder(), Ear(), AsyncEar()])
    raised: BaseException | None = None

    def leaks(self) -> list[str]:
        """Where there is a letter of the bad sentence."""
        places = {"the stream": "".join(map(repr, self.parts)), "the error": repr(self.raised)}
        places |= {type(each).__name__: "".join(each.heard) for each in self.listeners}
        return [f"{place}: {_around(text)}" for place, text in places.items() if GREEK.search(text)]

    @property
    def text(self) -> str:
        return "".join(map(repr, self.parts))


def _around(text: str) -> str:
    found = GREEK.search(text)
    return text[max(0, found.start() - 200) : found.end() + 40] if found else ""


async def consume(subject: Any, given: Any, consumer: Consumer) -> Seen:
    seen = Seen()
    config = {**THREAD, "callbacks": seen.listeners}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(v3 streaming protocol|astream_log|is in beta|deprecated).*")
        try:
            async for part in consumer(subject, given, config):
                seen.parts.append(part)
        except guardrail.BlockedError as error:
            seen.raised = error
    return seen


def held(subject: Any) -> str:
    """All text that the checkpointer and the store of a graph hold."""
    saver, store = subject.checkpointer, subject.store
    return "".join(_held([saver.storage, saver.writes, saver.blobs, *(str(item) for item in store.search(()))]))


def _held(value: Any) -> Iterator[str]:
    if isinstance(value, bytes):
        yield value.decode("utf-8", "ignore")
    elif isinstance(value, dict):
        yield from _held([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _held(item)
    else:
        yield str(value)


def cases(subjects: list[Any], streams: list[Any]) -> list[Any]:
    """Subjects, consumers, policies and places: all places for streams, one for what comes whole or ends at once."""
    return [
        pytest.param(subject, consumer, rules, place, id=f"{subject.__name__}-{consumer.__name__}-{name}-{place}")
        for subject in subjects
        for consumer in (*WHOLE, *streams)
        for name, rules in POLICIES.items()
        for place in range(len(SENTENCES) + 1)
        if place == 1 or (subject in AT_EACH_PLACE and consumer not in WHOLE and rules in (REGENERATE, BLOCK))
    ]


@pytest.mark.parametrize(
    ("subject", "consumer", "rules", "place"),
    [*cases([a_model], [*STREAMS, *PROTOCOL]), *cases([a_chain_with_a_model, a_chain], STREAMS)],
)
async def test_no_letter_of_a_bad_sentence_is_seen_of_models_and_chains(
    subject: Subject, consumer: Consumer, rules: dict[str, Any], place: int
) -> None:
    guarded, given = subject(place, rules)
    seen = await consume(guarded, given, consumer)
    assert seen.leaks() == []
    assert_ended(seen, rules)


@pytest.mark.parametrize(("subject", "consumer", "rules", "place"), cases(GRAPHS, [*STREAMS, *PROTOCOL, *OF_GRAPHS]))
async def test_no_letter_of_a_bad_sentence_is_seen_of_agents_and_graphs_or_kept_by_them(
    subject: Subject, consumer: Consumer, rules: dict[str, Any], place: int
) -> None:
    graph, given = subject(place, rules)
    seen = await consume(graph, given, consumer)
    assert seen.leaks() == []
    assert not GREEK.search(held(graph))
    assert_ended(seen, rules)


def assert_ended(seen: Seen, rules: dict[str, Any]) -> None:
    """That there was something to see: a scan of nothing finds nothing."""
    if rules is RAISE:
        assert isinstance(seen.raised, guardrail.BlockedError)
        assert GREEK.search(seen.raised.outcome.attempts[0].turn.text)
    else:
        assert seen.raised is None
        pieces = "".join(part[0].text for part in seen.parts if isinstance(part, tuple) and hasattr(part[0], "text"))
        assert re.search("cannot" if rules is BLOCK else "museum", pieces + "".join(_texts(seen.parts)))


def _texts(parts: list[Any]) -> Iterator[str]:
    """All strings of what was seen, in order."""
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            yield from _texts(list(part.values()))
        elif isinstance(part, list | tuple):
            yield from _texts(list(part))
        elif isinstance(part, BaseMessage):
            yield str(part.text)
        elif hasattr(part, "ops"):
            yield from _texts(part.ops)


@pytest.mark.parametrize("consumer", [*WHOLE, *STREAMS], ids=lambda consumer: consumer.__name__)
@pytest.mark.parametrize("subject", [*RUNNABLES, *GRAPHS], ids=lambda subject: subject.__name__)
async def test_the_scan_finds_what_a_policy_lets_through(subject: Subject, consumer: Consumer) -> None:
    guarded, given = subject(1, {"on_unreliable": "flag"})
    assert (await consume(guarded, given, consumer)).leaks() != []
    if subject in GRAPHS:
        assert GREEK.search(held(guarded))


# what LangChain keeps


async def test_no_cache_holds_a_rejected_or_blocked_draft() -> None:
    for rules in (REGENERATE, BLOCK):
        cache = InMemoryCache()
        guarded = guardrail.wrap(model(1, cache=cache), guard(rules))
        assert not GREEK.search(guarded.invoke(QUESTION).text)
        assert not GREEK.search((await guarded.ainvoke(QUESTION)).text)
        assert not GREEK.search(repr(cache._cache))


def test_nor_does_a_memory_of_langchains_own() -> None:
    guarded = guardrail.wrap(model(1), guard(REGENERATE))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(was|is) deprecated.*")
        history = InMemoryChatMessageHistory()
        chain = RunnableWithMessageHistory(guarded, lambda session_id: history)
        chain.invoke([HumanMessage(QUESTION)], {"configurable": {"session_id": "one"}})
    assert [message.text for message in history.messages] == [QUESTION, " ".join(SENTENCES)]


def test_a_second_question_is_asked_with_the_released_answer_only() -> None:
    scripted = ScriptedModel(answer_with_bad_sentence_at(0), " ".join(SENTENCES), BAD, "It is closed on Tuesdays.")
    agent = create_agent(
        scripted, [], middleware=[GuardrailMiddleware(guard(REGENERATE))], checkpointer=InMemorySaver()
    )
    agent.invoke({"messages": [HumanMessage(QUESTION)]}, THREAD)
    state = agent.invoke({"messages": [HumanMessage("When is it closed?")]}, THREAD)
    said = [QUESTION, " ".join(SENTENCES), "When is it closed?", "It is closed on Tuesdays."]
    assert [message.text for message in state["messages"]] == said
    assert [message.text for message in scripted.asked[2]] == said[:3]
