"""A graph in which a person decides upon answers that the guard does not trust."""

from __future__ import annotations

from langchain_core.documents import Document
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from llm import chat_model
from shop import ByWords
from telling import Telling

from guardrail_langchain import guard_node, review_node, under_review


class State(MessagesState):
    """The conversation, and what was found for the last question."""

    documents: list[Document]


def find(state: State) -> dict[str, list[Document]]:
    """Look for pages; what stands under ``documents`` is evidence."""
    return {"documents": ByWords().invoke(str(state["messages"][-1].text))}


def main(decision: str | dict[str, str] = "approve") -> None:
    """Ask once, and resume with ``decision``."""
    model = chat_model(
        {
            "guarantee": [
                "The guarantee is five years.",
                "It is five years, with every lamp.",
                "Every lamp has a guarantee of five years.",
            ]
        }
    )
    graph = StateGraph(State)
    graph.add_node("find", find)
    graph.add_node("answer", guard_node(model, "strict", review=["block"], listeners=[Telling()]))
    graph.add_node("review", review_node())
    graph.add_edge(START, "find")
    graph.add_edge("find", "answer")
    app = graph.compile(checkpointer=InMemorySaver())

    thread = {"configurable": {"thread_id": "1"}}
    state = app.invoke({"messages": [("user", "How long is the guarantee of a lamp?")]}, thread)
    for asked in state.get("__interrupt__", ()):
        review = under_review(asked.value)
        print(f"to be decided: {review.answer!r}, {review.status}, risk {review.risk:.2f}")
        state = app.invoke(Command(resume=decision), thread)

    print("answer:", state["messages"][-1].text)


if __name__ == "__main__":
    main({"edit": "The guarantee is two years, from the day of delivery."})
