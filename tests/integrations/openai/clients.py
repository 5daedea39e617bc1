"""Guarded clients of every kind behind one interface, and the policies and answers that tests use."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import openai
from openai import AsyncOpenAI, OpenAI

import guardrail
from guardrail import Guard, Policy
from guardrail.testing import ScriptedVerifier, reliable, unreliable
from tests.integrations.openai.upstream import Upstream

legacy: Any = importlib.import_module("httpx") if importlib.util.find_spec("httpx") else None

ASKED: Any = [{"role": "user", "content": "Capital of France?"}]
BAD, GOOD = "It is London.", "It is Paris."
REGENERATE = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "block"]}}}
BLOCK = {
    "version": 1,
    "policies": {"default": {"on_unreliable": "block", "messages": {"blocked": "Withheld."}}},
}
RAISE = {"version": 1, "policies": {"default": {"on_unreliable": "block", "on_block": "raise"}}}


def judged(check: Any) -> Any:
    """Unreliable is whatever speaks of London."""
    return unreliable("London") if "London" in check.turn.text else reliable()


def _http_client(kind: str) -> Any:
    if legacy is None or not kind.endswith("httpx"):
        return None
    return legacy.AsyncClient() if kind.startswith("async") else legacy.Client()


class Client:
    """One interface to both kinds of client: calls are run to their end, streams to lists."""

    def __init__(self, kind: str, upstream: Upstream, policy: Any) -> None:
        self.verifier = ScriptedVerifier(judged, repeat=True)
        self.loop = asyncio.new_event_loop()
        http, is_async = _http_client(kind), kind.startswith("async")
        make = AsyncOpenAI if is_async else OpenAI
        bare: Any = make(base_url=upstream.url, api_key="sk-test", max_retries=2, http_client=http)
        guard = Guard(
            Policy.model_validate(policy) if isinstance(policy, dict) else policy,
            verifiers={"main": self.verifier},
        )
        self.client: Any = guardrail.wrap(bare, guard)
        self.bare = bare

    def run(self, call: Callable[[Any], Any]) -> Any:
        result = call(self.client)
        return self.loop.run_until_complete(result) if inspect.isawaitable(result) else result

    def items(self, stream: Any) -> list[Any]:
        async def gather() -> list[Any]:
            return [item async for item in stream]

        return self.loop.run_until_complete(gather()) if hasattr(stream, "__aiter__") else list(stream)

    def close(self) -> None:
        closing = self.client.close()
        if isinstance(closing, Awaitable):
            self.loop.run_until_complete(closing)
        self.loop.close()


Make = Callable[..., Client]
KINDS = ["sync", "async"]
"""Kinds of clients. Where the SDK runs on httpx2 and httpx is installed too, it is given clients of httpx as well."""
if legacy is not None and not issubclass(openai.DefaultHttpxClient, legacy.Client):
    KINDS += ["sync on httpx", "async on httpx"]


def create(client: Client, **more: Any) -> Any:
    return client.run(lambda c: c.chat.completions.create(model="m", messages=ASKED, **more))


def streamed(client: Client, **more: Any) -> tuple[Any, list[Any]]:
    stream = create(client, stream=True, **more)
    return stream, client.items(stream)


def text_of(items: list[Any], index: int = 0) -> str:
    found = [choice.delta.content or "" for item in items for choice in item.choices if choice.index == index]
    return "".join(found)
