"""A guarded LangChain model as a peer of the harness: copied beside its drivers, as ``drivers/guardrail_lc.py``.

It needs `guardrail_driver.py` there too, as ``drivers/guardrail.py``, and an environment that has langchain-openai.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import common as C  # the harness's own
from drivers.guardrail import policy
from langchain_openai import ChatOpenAI

import guardrail

NAME = "guardrail, LangChain model"
DISTS = ("guardrail-llm", "langchain-core", "langchain-openai", "httpx2")
IMPORT = "import guardrail"


def model(base: str, **rules: Any) -> ChatOpenAI:
    """A guarded chat model in front of the mock."""
    bare = ChatOpenAI(model="mock-llm", base_url=base, api_key="sk-mock")  # type: ignore[arg-type]
    return guardrail.wrap(bare, policy(base, on_block="raise", **rules))


def make_sync(base: str) -> Callable[..., str]:
    """A guarded call; `common.Blocked` where the answer is withheld."""
    guarded = model(base)

    def call(messages: Any = C.MESSAGES) -> str:
        try:
            return str(guarded.invoke(messages).text)
        except guardrail.BlockedError as error:
            raise C.Blocked(str(error)) from None

    return call


def make_async(base: str, timeout: float | None = None) -> Callable[..., Awaitable[str]]:
    """The same on an event loop."""
    guarded = model(base)

    async def call(messages: Any = C.MESSAGES) -> str:
        try:
            return str((await guarded.ainvoke(messages)).text)
        except guardrail.BlockedError as error:
            raise C.Blocked(str(error)) from None

    return call


def make_stream(base: str) -> Callable[..., AsyncIterator[str]]:
    """The pieces of a guarded stream."""
    guarded = model(base)

    async def pieces(messages: Any = C.MESSAGES) -> AsyncIterator[str]:
        try:
            async for piece in guarded.astream(messages):
                yield str(piece.text)
        except guardrail.BlockedError as error:
            raise C.Blocked(str(error)) from None

    return pieces
