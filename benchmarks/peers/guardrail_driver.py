"""guardrail as one of the peers of a harness that measures guards against a mock upstream.

The harness gives every peer a module: ``make_*(base)`` returns a guarded call, ``dropin_*()`` a guarded client. Its
own module ``common`` holds the mock's address. Copy this file beside the harness's other drivers, as
``drivers/guardrail.py``, and run it with the Python of an environment that has this project:

    python bench.py guardrail latency
    python -W ignore dropin.py guardrail

The judge is the mock's, asked over HTTP in the dialect ``kluster``, so that every guarded answer costs the same two
calls that the harness's floor makes by hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import common as C  # the harness's own
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

import guardrail

NAME = "guardrail"
DISTS = ("guardrail-llm", "httpx", "httpx2")
IMPORT = "import guardrail"

WITHHELD = "I can't respond to that."
"""What stands in the place of a blocked answer; the harness looks for its words."""


def policy(base: str, **rules: Any) -> guardrail.Policy:
    """Block what the mock's judge at ``base`` calls unreliable; ``rules`` are more of the policy's own keys."""
    judge = {"kind": "chat", "dialect": "kluster", "model": "judge", "base_url": base}
    default = {"on_unreliable": "block", "messages": {"blocked": WITHHELD}, **rules}
    return guardrail.load_policy({"version": 1, "verifiers": {"main": judge}, "policies": {"default": default}})


def make_sync(base: str) -> Callable[..., str]:
    """A guarded call; `common.Blocked` where the answer is withheld."""
    client = guardrail.wrap(OpenAI(base_url=base, api_key="sk-mock"), policy(base, on_block="raise"))

    def call(messages: Any = C.MESSAGES) -> str:
        try:
            answer = client.chat.completions.create(model="mock-llm", messages=messages)
        except guardrail.BlockedError as error:
            raise C.Blocked(str(error)) from None
        return answer.choices[0].message.content or ""

    return call


def make_async(base: str, **options: Any) -> Callable[..., Awaitable[str]]:
    """The same on an event loop; ``options`` go to the client."""
    bare = AsyncOpenAI(base_url=base, api_key="sk-mock", **options)
    client = guardrail.wrap(bare, policy(base, on_block="raise"))

    async def call(messages: Any = C.MESSAGES) -> str:
        try:
            answer = await client.chat.completions.create(model="mock-llm", messages=messages)
        except guardrail.BlockedError as error:
            raise C.Blocked(str(error)) from None
        return answer.choices[0].message.content or ""

    return call


def dropin_sync() -> OpenAI:
    """A guarded client, of which every surface is tried."""
    return guardrail.wrap(OpenAI(base_url=C.BASE, api_key="sk-mock"), policy(C.BASE))


def dropin_async() -> AsyncOpenAI:
    """The same on an event loop."""
    return guardrail.wrap(AsyncOpenAI(base_url=C.BASE, api_key="sk-mock"), policy(C.BASE))


def dropin_azure() -> AzureOpenAI:
    """The same for Azure."""
    bare = AzureOpenAI(azure_endpoint=C.MOCK, api_version="2024-10-21", api_key="sk-mock")
    return guardrail.wrap(bare, policy(C.BASE))


def dropin_azure_async() -> AsyncAzureOpenAI:
    """The same for Azure on an event loop, for a harness that tries it."""
    bare = AsyncAzureOpenAI(azure_endpoint=C.MOCK, api_version="2024-10-21", api_key="sk-mock")
    return guardrail.wrap(bare, policy(C.BASE))
