"""Guarded chains: of the usual form, and of any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from operator import itemgetter
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ConfigurableField, Runnable, RunnableGenerator, RunnableLambda, RunnablePassthrough
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool
from pydantic import BaseModel

import guardrail
from guardrail import Action, BlockedError, ConfigError
from guardrail.events import OutcomeReady
from guardrail.testing import EventCollector, ScriptedVerifier, reliable
from guardrail_langchain import AnswerGuard
from tests.integrations.langchain.guarded import (
    ASKED,
    BAD,
    BLOCK,
    CALLS,
    GOOD,
    RAISE,
    REGENERATE,
    guard,
    judged,
    run,
    scripted_guard,
)
from tests.integrations.langchain.scripted import ScriptedModel

every_way = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
DOCS = [
    Document("Refunds are possible within 30 days of delivery.", metadata={"title": "Terms", "source": "terms.pdf"}),
    Document("The shop is in Ghent.", metadata={"title": "About us", "source": "about.html"}),
]
QUESTION = "How long can I ask for a refund?"
WRONG, RIGHT = "Refunds are possible within 60 days of delivery.", "Refunds are possible within 30 days of delivery."


class Shelf(BaseRetriever):
    """Retrieves the same documents whatever is asked."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return DOCS


def joined(docs: list[Document]) -> str:
    return "\n\n".join(doc.page_content for doc in docs)


def rag(model: Any) -> Any:
    prompt = ChatPromptTemplate.from_messages([("system", "Answer by this:\n{context}"), ("human", "{question}")])
    return {"context": Shelf() | joined, "question": RunnablePassthrough()} | prompt | model | StrOutputParser()


def judge() -> ScriptedVerifier:
    return ScriptedVerifier(judged, repeat=True)


# with the model at the end


@every_way
def test_a_rag_chain_is_guarded_by_one_line_and_findings_name_the_document(call: Any) -> None:
    events = EventCollector()
    model = ScriptedModel(WRONG, RIGHT)
    chain = guardrail.wrap(rag(model), listeners=[events])
    assert call(chain, QUESTION) == RIGHT
    [ready] = events.of(OutcomeReady)
    outcome = ready.outcome
    assert outcome.action is Action.REGENERATE
    assert [(piece.title, piece.url) for piece in outcome.evidence][:2] == [
        ("Terms", "terms.pdf"),
        ("About us", "about.html"),
    ]
    assert outcome.attempts[0].verdict.findings[0].evidence[0].title == "Terms"
    assert len(model.asked) == 2


@every_way
def test_what_a_guarded_chain_retrieves_is_evidence_once(call: Any) -> None:
    verifier = ScriptedVerifier(reliable(), repeat=True)
    call(guard(rag(ScriptedModel(RIGHT)), REGENERATE, verifier), QUESTION)
    call(guard(rag(ScriptedModel(RIGHT)), REGENERATE, verifier), QUESTION)
    for check in verifier.checks:
        assert [piece.title for piece in check.evidence if piece.origin == "retrieved"][:2] == ["Terms", "About us"]
        assert sum("Ghent" in piece.text for piece in check.evidence) == 1


FORMS: dict[str, Any] = {
    "model": lambda model: RunnablePassthrough() | model | StrOutputParser(),
    "bound": lambda model: RunnablePassthrough() | model.bind(stop=["x"]) | StrOutputParser(),
    "retry": lambda model: RunnablePassthrough() | model.with_retry() | StrOutputParser(),
    "fallbacks": lambda model: RunnablePassthrough() | model.with_fallbacks([model]) | StrOutputParser(),
    "fields": lambda model: model.configurable_fields(name=ConfigurableField("called")) | StrOutputParser(),
    "alternative": lambda model: (
        ScriptedModel(BAD)
        .configurable_alternatives(ConfigurableField("which"), other=model)
        .with_config(configurable={"which": "other"})
        | StrOutputParser()
    ),
    "made alternative": lambda model: (
        ScriptedModel(BAD)
        .configurable_alternatives(ConfigurableField("which"), other=lambda: model)
        .with_config(configurable={"which": "other"})
        | StrOutputParser()
    ),
    "nested": lambda model: RunnablePassthrough() | (RunnablePassthrough() | model) | StrOutputParser(),
    "config": lambda model: (RunnablePassthrough() | model | StrOutputParser()).with_config(tags=["a"]),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@every_way
def test_the_model_at_the_end_of_a_chain_is_asked_again(form: Any, call: Any) -> None:
    model = ScriptedModel(BAD, GOOD)
    assert call(guard(form(model)), ASKED) == GOOD
    assert len(model.asked) == 2


@every_way
def test_so_is_the_model_behind_the_answer_of_a_dict(call: Any) -> None:
    model = ScriptedModel(BAD, GOOD)
    chain: Any = RunnablePassthrough.assign(docs=itemgetter("q") | Shelf()) | RunnablePassthrough.assign(
        answer=itemgetter("q") | model | StrOutputParser()
    )
    given = call(guard(chain), {"q": ASKED})
    assert given["answer"] == GOOD
    assert given["docs"] == DOCS


def test_what_a_parser_takes_out_of_a_fence_is_no_code_to_the_judge() -> None:
    verifier = ScriptedVerifier(reliable(), repeat=True)
    chain: Any = guard(ScriptedModel('```json\n{"city": "Paris"}\n```') | JsonOutputParser(), REGENERATE, verifier)
    assert chain.invoke(ASKED) == [*chain.stream(ASKED)][-1] == {"city": "Paris"}
    assert [check.turn.text for check in verifier.checks] == ['{"city": "Paris"}'] * 2


@every_way
def test_json_is_regenerated_whole(call: Any) -> None:
    model = ScriptedModel('{"city": "London"}', '{"city": "Paris"}')
    assert call(guard(RunnablePassthrough() | model | JsonOutputParser()), ASKED) == {"city": "Paris"}


def test_the_chain_that_was_given_stays_unguarded() -> None:
    model = ScriptedModel(BAD)
    chain: Any = RunnablePassthrough() | model | StrOutputParser()
    guard(chain, BLOCK)
    assert chain.invoke(ASKED) == BAD


def test_context_in_the_input_is_evidence_whatever_the_prompt_makes_of_it() -> None:
    verifier = ScriptedVerifier(reliable())
    prompt = ChatPromptTemplate.from_messages([("human", "{context} <- go by that. {question}")])
    chain: Any = guard(prompt | ScriptedModel(RIGHT), REGENERATE, verifier)
    chain.invoke({"context": DOCS[0].page_content, "question": QUESTION})
    assert DOCS[0].page_content in [piece.text for piece in verifier.checks[0].evidence]


# any other


@every_way
def test_of_another_chain_the_output_is_judged_and_it_runs_once(call: Any) -> None:
    ran: list[Any] = []

    def answers(asked: Any) -> str:
        ran.append(asked)
        return BAD

    assert call(guard(RunnableLambda(answers), BLOCK), ASKED) == "Withheld."
    policy = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "flag"]}}}
    assert call(guard(RunnableLambda(answers), policy), ASKED) == BAD
    assert ran == [ASKED, ASKED]


ASKS: dict[str, Any] = {
    "text": ASKED,
    "messages": [HumanMessage("Hi"), AIMessage("Hello."), HumanMessage(ASKED)],
    "prompt": ChatPromptTemplate.from_messages([("human", ASKED)]).invoke({}),
    "question": {"question": ASKED},
    "history": {"chat_history": [("human", "Hi"), ("ai", "Hello.")], "input": ASKED},
    "messages in a dict": {"messages": [HumanMessage(ASKED)]},
}


@pytest.mark.parametrize("asked", ASKS.values(), ids=ASKS)
@every_way
def test_what_was_asked_is_the_conversation(asked: Any, call: Any) -> None:
    verifier = ScriptedVerifier(reliable())
    assert call(guard(RunnableLambda(lambda _: GOOD), BLOCK, verifier), asked) == GOOD
    said = verifier.checks[0].conversation
    assert (said[-1].role, said[-1].text) == ("user", ASKED)
    assert len(said) in (1, 3)


@every_way
def test_messages_and_dicts_keep_their_form(call: Any) -> None:
    message = call(guard(RunnableLambda(lambda _: AIMessage(BAD, id="1")), BLOCK), ASKED)
    assert (message.content, message.id) == ("Withheld.", "1")
    assert guardrail.report(message).action is Action.BLOCK
    given = call(guard(RunnableLambda(lambda _: {"answer": BAD, "context": DOCS}), BLOCK), ASKED)
    assert given == {"answer": "Withheld.", "context": DOCS}


@every_way
def test_the_documents_beside_an_answer_are_evidence(call: Any) -> None:
    verifier = ScriptedVerifier(reliable())
    call(guard(RunnableLambda(lambda _: {"answer": RIGHT, "source_documents": DOCS}), BLOCK, verifier), QUESTION)
    assert [piece.title for piece in verifier.checks[0].evidence] == ["Terms", "About us"]


@every_way
def test_an_object_is_judged_by_its_json_and_cannot_be_anything_else(call: Any) -> None:
    class City(BaseModel):
        name: str

    good: Any = guard(RunnableLambda(lambda _: City(name="Paris")), BLOCK)
    assert call(good, ASKED) == City(name="Paris")
    with pytest.raises(BlockedError):
        call(guard(RunnableLambda(lambda _: City(name="London")), BLOCK), ASKED)


SENTENCES = ("It is in France. ", "London is there. ", "The Seine too.")


def stream_of(pieces: Any) -> Runnable[Any, Any]:
    def sync(_: Iterator[Any]) -> Iterator[Any]:
        yield from pieces

    async def asynchronous(_: AsyncIterator[Any]) -> AsyncIterator[Any]:
        for piece in pieces:
            yield piece

    return RunnableGenerator(sync, asynchronous)


def dicts(*texts: str) -> list[Any]:
    from langchain_core.runnables.utils import AddableDict

    return [AddableDict(context=DOCS), *(AddableDict(answer=text) for text in texts)]


@pytest.mark.parametrize("name", ["stream", "astream"])
def test_streams_of_text_messages_and_dicts_are_cut_at_the_bad_sentence(name: str) -> None:
    def call(pieces: Any) -> Any:
        return CALLS[name](guard(stream_of(pieces), BLOCK), ASKED)

    assert call(SENTENCES) == "It is in France.\n\nWithheld."
    message = call([AIMessageChunk(content=text) for text in SENTENCES])
    assert message.content == "It is in France.\n\nWithheld."
    assert guardrail.report(message).action is Action.BLOCK
    assert call(dicts(*SENTENCES)) == {"context": DOCS, "answer": "It is in France.\n\nWithheld."}


@pytest.mark.parametrize("name", ["stream", "astream"])
def test_of_pieces_that_take_each_others_place_only_the_last_is_judged(name: str) -> None:
    pieces = [{"answer": BAD}, {"answer": BAD + GOOD}]
    got = CALLS[name](guard(stream_of(pieces), BLOCK), ASKED)
    assert got == {"answer": "Withheld."}


def test_events_of_inner_steps_show_nothing_of_a_bad_answer() -> None:
    chain: Any = guard(RunnablePassthrough() | ScriptedModel(BAD) | RunnableLambda(lambda message: message.text), BLOCK)

    async def gathered() -> list[Any]:
        return [event async for event in chain.astream_events(ASKED, version="v2")]

    events = run(gathered())
    assert "London" not in repr(events)
    assert events[-1]["data"]["output"] == "Withheld."
    [told] = [event["data"] for event in events if event["event"] == "on_custom_event"]
    assert told["action"] == "block"


def test_tracers_hear_of_inner_steps_as_ever() -> None:
    heard: list[str] = []

    class Tracer(BaseCallbackHandler):
        def on_chat_model_start(self, *args: Any, **more: Any) -> None:
            heard.append("model")

    chain: Any = guard(
        RunnablePassthrough() | ScriptedModel(GOOD) | RunnableLambda(lambda message: message.text), BLOCK
    )
    assert chain.invoke(ASKED, config={"callbacks": [Tracer()]}) == GOOD
    assert heard == ["model"]


def test_an_answer_of_a_guarded_model_is_not_judged_again() -> None:
    verifier = ScriptedVerifier(reliable(), repeat=True)
    shared = scripted_guard(BLOCK, verifier)
    chain: Any = guardrail.wrap(ScriptedModel(GOOD), shared) | AnswerGuard(shared)
    assert chain.invoke(ASKED).content == GOOD
    assert len(verifier.checks) == 1


# the guard as a step


@every_way
def test_a_guard_at_the_end_of_a_chain_sees_what_is_piped_into_it(call: Any) -> None:
    verifier = ScriptedVerifier(reliable())
    step = AnswerGuard(scripted_guard(BLOCK, verifier))
    call({"question": RunnablePassthrough(), "answer": ScriptedModel(GOOD) | StrOutputParser()} | step, ASKED)
    assert [message.text for message in verifier.checks[0].conversation] == [ASKED]
    blocked = call(ScriptedModel(BAD) | AnswerGuard(scripted_guard(BLOCK)), ASKED)
    assert blocked.content == "Withheld."
    assert guardrail.report(blocked).action is Action.BLOCK


@every_way
def test_a_blocked_answer_may_raise(call: Any) -> None:
    with pytest.raises(BlockedError):
        call(ScriptedModel(BAD) | AnswerGuard(scripted_guard(RAISE)), ASKED)


def test_a_guard_takes_no_verifiers_beside_a_guard_of_its_own() -> None:
    with pytest.raises(ConfigError, match="belong to the Guard"):
        AnswerGuard(scripted_guard(), verifiers={"main": judge()})


# tools


@every_way
def test_the_artifact_of_a_tool_tells_which_document_it_was(call: Any) -> None:
    verifier = ScriptedVerifier(reliable())
    said = [
        HumanMessage(QUESTION),
        AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": "1"}]),
        ToolMessage(joined(DOCS), tool_call_id="1", name="search", artifact=DOCS),
    ]
    call(guard(ScriptedModel(RIGHT), REGENERATE, verifier), said)
    assert [(piece.origin, piece.title, piece.url) for piece in verifier.checks[0].evidence] == [
        ("tool", "Terms", "terms.pdf"),
        ("tool", "About us", "about.html"),
    ]


def test_documents_that_a_tool_brings_in_a_chain_are_evidence() -> None:
    @tool(response_format="content_and_artifact")
    def search(query: str) -> tuple[str, list[Document]]:
        """Search the shelf."""
        return "two documents", DOCS

    verifier = ScriptedVerifier(reliable())
    call = {"name": "search", "args": {"query": "x"}, "id": "1", "type": "tool_call"}
    chain: Any = RunnableLambda(lambda _: call) | search | RunnableLambda(lambda _: ASKED) | ScriptedModel(RIGHT)
    guard(chain, REGENERATE, verifier).invoke(QUESTION)
    assert [piece.title for piece in verifier.checks[0].evidence] == ["Terms", "About us"]


# what cannot be


def test_a_graph_is_refused_with_what_to_do_instead() -> None:
    graph = pytest.importorskip("langgraph.graph")
    builder = graph.StateGraph(dict)
    builder.add_node("say", lambda state: state)
    builder.add_edge(graph.START, "say")
    with pytest.raises(ConfigError, match="guard the model in it"):
        guard(builder.compile())


@pytest.mark.filterwarnings("ignore:.*deprecated")
@pytest.mark.parametrize("behind", [[], [StrOutputParser()]], ids=["alone", "in a chain"])
def test_so_is_a_history_around_a_chain_which_would_keep_a_rejected_draft(behind: list[Any]) -> None:
    chain: Any = RunnableWithMessageHistory(ScriptedModel(BAD), lambda session_id: InMemoryChatMessageHistory())
    for step in behind:
        chain = chain | step
    with pytest.raises(ConfigError, match=r"RunnableWithMessageHistory\(guardrail.wrap\(chain\), ...\)"):
        guard(chain)


def test_what_is_neither_model_nor_chain_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a Document"):
        guard(DOCS[0])


def test_history_placeholders_are_read() -> None:
    verifier = ScriptedVerifier(reliable())
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{input}")])
    chain: Any = guard(prompt | ScriptedModel(GOOD), REGENERATE, verifier)
    chain.invoke({"history": [("human", "Hi"), ("ai", "Hello.")], "input": ASKED})
    assert [message.text for message in verifier.checks[0].conversation] == ["Hi", "Hello.", ASKED]


def test_calls_at_the_same_time_hear_only_their_own_documents() -> None:
    class Each(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            return [Document(f"About {query}.")]

    verifier = ScriptedVerifier(reliable(), repeat=True)
    chain: Any = guard(
        {"c": Each(), "q": RunnablePassthrough()} | RunnableLambda(str) | ScriptedModel("Yes."), BLOCK, verifier
    )

    async def both() -> None:
        await asyncio.gather(*(chain.ainvoke(f"n{number}") for number in range(5)))

    chain.batch([f"m{number}" for number in range(5)])
    run(both())
    found = [[piece.text for piece in check.evidence if piece.text.startswith("About")] for check in verifier.checks]
    assert sorted(found) == sorted([f"About {kind}{number}."] for kind in "mn" for number in range(5))
