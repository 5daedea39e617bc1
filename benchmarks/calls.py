"""The calls that are compared: the LLM alone, the LLM and then a judge by hand, and guarded ones."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, TypeVar

from openai import AsyncOpenAI, OpenAI

ALONE, FLOOR = "the LLM call alone", "LLM and judge by hand, through the SDK (floor)"
REMOTE, EMBEDDED = "guarded, remote judge", "guarded, embedded judge"

Client = TypeVar("Client", OpenAI, AsyncOpenAI)
Call = Callable[[], object]
AsyncCall = Callable[[], Awaitable[object]]

_SYSTEM = "You answer questions about monuments from the given context. " * 6
_CONTEXT = "The Eiffel Tower is a wrought-iron lattice tower in Paris, 300 metres tall. It opened in 1889. " * 4
_numbers = count()


def asked() -> list[Any]:
    """A conversation whose question and context were never seen before: nothing of them can be remembered."""
    question = f"Context: visit {next(_numbers)}. {_CONTEXT}\n\nHow tall is the tower, and when did it open?"
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": question}]


def judged(messages: list[Any], answer: str | None) -> dict[str, Any]:
    """The request to a judge, by hand."""
    shown = json.dumps({"conversation": messages, "answer": answer})
    system = {"role": "system", "content": "Is the answer a hallucination? Answer in JSON."}
    return {
        "model": "judge",
        "messages": [system, {"role": "user", "content": shown}],
        "response_format": {"type": "json_object"},
    }


def client(kind: type[Client], name: str, url: str) -> Client:
    """The client that makes the call ``name``: bare, or guarded."""
    bare = kind(base_url=url, api_key="none")
    if name in (ALONE, FLOOR):
        return bare
    import guardrail

    judge = {"kind": "chat", "dialect": "kluster", "model": "judge", "base_url": url}
    rules = {"version": 1, "verifiers": {"main": judge}} if name == REMOTE else {"version": 1}
    return guardrail.wrap(bare, guardrail.load_policy(rules))


def call(name: str, url: str) -> Call:
    """The call ``name``, synchronous."""
    made = client(OpenAI, name, url)

    def one() -> object:
        return made.chat.completions.create(model="llm", messages=asked())

    def two() -> object:
        messages = asked()
        answer = made.chat.completions.create(model="llm", messages=messages)
        verdict = made.chat.completions.create(**judged(messages, answer.choices[0].message.content))
        return json.loads(verdict.choices[0].message.content or "")

    return two if name == FLOOR else one


def async_call(name: str, url: str) -> AsyncCall:
    """The same for an event loop."""
    made = client(AsyncOpenAI, name, url)

    async def one() -> object:
        return await made.chat.completions.create(model="llm", messages=asked())

    async def two() -> object:
        messages = asked()
        answer = await made.chat.completions.create(model="llm", messages=messages)
        verdict = await made.chat.completions.create(**judged(messages, answer.choices[0].message.content))
        return json.loads(verdict.choices[0].message.content or "")

    return two if name == FLOOR else one
