"""Guarded clients of every kind behind one interface, and the policies and answers that tests use."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import openai
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

import guardrail
from guardrail import Guard, Policy
from guardrail.testing import ScriptedVerifier, reliable, unreliable
from tests.integrations.openai.upstream import Upstream

ASKED: Any = [{"role": "user", "content": "Capital of France?"}]
ASK: Any = {"model": "m", "messages": ASKED, "stream": True}
BAD, GOOD = "It is London.", "It is Paris."
REGENERATE = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "block"]}}}
BLOCK = {
    "version": 1,
    "policies": {"default": {"on_unreliable": "block", "messages": {"blocked": "Withheld."}}},
}
RAISE = {"version": 1, "policies": {"default": {"on_unreliable": "block", "on_block": "raise"}}}


def released(policy: Any, mode: str) -> Any:
    """``policy`` with streams released in ``mode``."""
    whole = policy or {"version": 1, "policies": {"default": {}}}
    default = {**whole["policies"]["default"], "stream": {"mode": mode}}
    return {**whole, "policies": {**whole["policies"], "default": default}}


def judged(check: Any) -> Any:
    """Unreliable is whatever speaks of London, or in Cyrillic letters."""
    if "London" in check.turn.text:
        return unreliable("London")
    foreign = re.search(r"[А-я][А-я .]*\.", check.turn.text)
    return unreliable(foreign[0]) if foreign else reliable()


def _http_client(kind: str) -> Any:
    """The HTTP client below; without certificates, which take most of a client's time to make."""
    if kind.endswith("httpx"):
        return httpx.AsyncClient(verify=False) if kind.startswith("async") else httpx.Client(verify=False)
    default: Any = openai.DefaultAsyncHttpxClient if kind.startswith("async") else openai.DefaultHttpxClient
    return default(verify=False)


def bare_client(kind: str, url: str, **options: Any) -> Any:
    """The client of ``kind`` that is to be guarded, for the API at ``url``."""
    is_async = kind.startswith("async")
    options = {"api_key": "sk-test", "max_retries": 2, "http_client": _http_client(kind), **options}
    if "Azure" in kind:
        azure: Any = AsyncAzureOpenAI if is_async else AzureOpenAI
        return azure(azure_endpoint=url.removesuffix("/v1"), api_version="2024-10-21", **options)
    make: Any = AsyncOpenAI if is_async else OpenAI
    return make(base_url=url, **options)


class Client:
    """One interface to both kinds of client: calls are run to their end, streams to lists."""

    def __init__(self, kind: str, upstream: Upstream, policy: Any) -> None:
        self.verifier = ScriptedVerifier(judged, repeat=True)
        self.loop = asyncio.new_event_loop()
        bare = bare_client(kind, upstream.url)
        guard = Guard(
            Policy.model_validate(policy) if isinstance(policy, dict) else policy,
            verifiers={"main": self.verifier},
        )
        self.client: Any = guardrail.wrap(bare, guard)
        self.bare = bare

    def run(self, call: Callable[[Any], Any]) -> Any:
        result = call(self.client)
        return self.loop.run_until_complete(result) if inspect.isawaitable(result) else result

    def do(self, calls: Callable[[Any], Awaitable[Any]]) -> Any:
        """Run a coroutine function that serves both kinds, by `done`, `listed` and `entered`."""

        async def go() -> Any:
            return await calls(self.client)

        return self.loop.run_until_complete(go())

    def items(self, stream: Any) -> list[Any]:
        async def gather() -> list[Any]:
            return [item async for item in stream]

        return self.loop.run_until_complete(gather()) if hasattr(stream, "__aiter__") else list(stream)

    def close(self) -> None:
        closing = self.client.close()
        if isinstance(closing, Awaitable):
            self.loop.run_until_complete(closing)
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


Make = Callable[..., Client]
KINDS = ["sync", "async"]
"""Kinds of clients. Where the SDK runs on httpx2, it is given clients of httpx as well."""
if not issubclass(openai.DefaultHttpxClient, httpx.Client):
    KINDS += ["sync on httpx", "async on httpx"]
AZURE = ["sync Azure", "async Azure"]


async def done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def listed(stream: Any) -> list[Any]:
    stream = await done(stream)
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


@asynccontextmanager
async def entered(manager: Any) -> AsyncIterator[Any]:
    if hasattr(manager, "__aenter__"):
        async with manager as inside:
            yield inside
    else:
        with manager as inside:
            yield inside


def create(client: Client, **more: Any) -> Any:
    return client.run(lambda c: c.chat.completions.create(model="m", messages=ASKED, **more))


def streamed(client: Client, **more: Any) -> tuple[Any, list[Any]]:
    stream = create(client, stream=True, **more)
    return stream, client.items(stream)


def text_of(items: list[Any], index: int = 0) -> str:
    found = [choice.delta.content or "" for item in items for choice in item.choices if choice.index == index]
    return "".join(found)


def bytes_of(client: Client, **more: Any) -> bytes:
    """The body of a stream as the application may read it, byte for byte."""

    async def read(it: Any) -> bytes:
        async with entered(it.chat.completions.with_streaming_response.create(**ASK, **more)) as response:
            return b"".join(await listed(response.iter_bytes()))

    body: bytes = client.do(read)
    return body
