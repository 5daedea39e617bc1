"""An agent with this project's middleware as a peer of the harness: `guardrail_chain_driver.py` says how."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import common as C  # the harness's own
from drivers.guardrail import policy
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

import guardrail
from guardrail_langchain import GuardrailMiddleware

NAME = "guardrail, LangChain agent"
DISTS = ("guardrail-llm", "langchain", "langchain-core", "langchain-openai", "langgraph", "httpx2")
IMPORT = "from langchain.agents import create_agent"


def agent(base: str) -> Any:
    """A guarded agent without tools."""
    model = ChatOpenAI(model="mock-llm", base_url=base, api_key="sk-mock")  # type: ignore[arg-type]
    middleware: Any = [GuardrailMiddleware(policy(base, on_block="raise"))]
    return create_agent(model, tools=[], middleware=middleware)


def make_sync(base: str) -> Callable[..., str]:
    """A guarded call; `common.Blocked` where the answer is withheld."""
    guarded = agent(base)

    def call(messages: Any = C.MESSAGES) -> str:
        try:
            return str(guarded.invoke({"messages": messages})["messages"][-1].text)
        except guardrail.BlockedError as error:
            raise C.Blocked(str(error)) from None

    return call


def make_async(base: str, timeout: float | None = None) -> Callable[..., Awaitable[str]]:
    """The same on an event loop."""
    guarded = agent(base)

    async def call(messages: Any = C.MESSAGES) -> str:
        try:
            return str((await guarded.ainvoke({"messages": messages}))["messages"][-1].text)
        except guardrail.BlockedError as error:
            raise C.Blocked(str(error)) from None

    return call


def make_stream(base: str) -> Callable[..., AsyncIterator[str]]:
    """The pieces of a guarded agent's stream of messages."""
    guarded = agent(base)

    async def pieces(messages: Any = C.MESSAGES) -> AsyncIterator[str]:
        try:
            async for piece, _ in guarded.astream({"messages": messages}, stream_mode="messages"):
                yield str(piece.text)
        except guardrail.BlockedError as error:
            raise C.Blocked(str(error)) from None

    return pieces
