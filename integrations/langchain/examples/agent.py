"""An agent with a tool: its final answer is held against what the tool returned."""

from __future__ import annotations

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from llm import chat_model
from telling import Telling

from guardrail_langchain import GuardrailMiddleware


@tool
def order_status(number: str) -> str:
    """Where an order is."""
    return f"Order {number} was sent on Monday. It will be delivered on Thursday."


def main() -> None:
    """Ask once; the first draft of the final answer is wrong."""
    call = {"name": "order_status", "args": {"number": "5512"}, "id": "call-1"}
    model = chat_model(
        {
            "order": [
                AIMessage("", tool_calls=[call]),
                "Order 5512 will be delivered on Friday.",
                "Order 5512 will be delivered on Thursday.",
            ]
        }
    )
    agent = create_agent(
        model,
        [order_status],
        middleware=[GuardrailMiddleware(listeners=[Telling()])],
    )

    state = agent.invoke({"messages": [HumanMessage("When will my order 5512 be delivered?")]})

    print("messages:", *(message.type for message in state["messages"]))
    print("answer:", state["messages"][-1].text)


if __name__ == "__main__":
    main()
