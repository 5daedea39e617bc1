"""The adapter that `guardrail.wrap` finds for OpenAI clients, and for the module ``openai`` itself."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any, TypeVar, cast

import openai
from openai import AsyncOpenAI, OpenAI

from guardrail.errors import ConfigError
from guardrail.guard import Guard
from guardrail_openai.clients import guarded_client
from guardrail_openai.sending import GuardedSending
from guardrail_openai.websockets import REFUSING, RefusedWhile

__all__ = ["adapter"]

Client = TypeVar("Client")


def adapter(client: Client, guard: Guard, /, *, owns_guard: bool) -> Client:
    """A copy of ``client``, of the same type, whose HTTP client guards every answer.

    A client that is guarded already is guarded by ``guard`` alone afterwards, never twice. The module ``openai``
    has one client for all who use its functions: it is guarded in place, until ``openai.http_client`` is set anew.
    """
    if isinstance(client, ModuleType):
        return cast(Client, _module(client, guard))
    if not isinstance(client, (OpenAI, AsyncOpenAI)):
        raise ConfigError(
            f"guardrail.wrap() takes an OpenAI or AsyncOpenAI client (Azure's too), not a {type(client).__name__}"
        )
    inner = guarded_client(client._client, guard, owner=client, owns_guard=owns_guard)
    # Not the client's own copy: that of a guarded one goes on guarding by the policy that it had.
    copy: Any = type(client).copy
    return cast(Client, _staying(copy(client, http_client=inner), guard))


def _module(module: ModuleType, guard: Guard) -> ModuleType:
    if module is not openai:
        raise ConfigError(f"guardrail.wrap() can guard the module openai, not {module.__name__}")
    inner = openai.http_client or openai.DefaultHttpxClient()
    # Nobody closes the module's client, so nobody closes the guard.
    openai.http_client = guarded_client(inner, guard, owner=inner, owns_guard=False)
    kind: Any = openai._ModuleClient
    kind.websocket_base_url = RefusedWhile(lambda client: isinstance(client._client, GuardedSending))
    return module


def _staying(client: Any, guard: Guard) -> Any:
    """``client``, whose copies stay guarded when they are given another HTTP client, and that opens no websockets."""
    copy: Any = type(client).copy

    @functools.wraps(copy)
    def guarded_copy(*args: Any, **options: Any) -> Any:
        other = options.get("http_client")
        if other is not None and not isinstance(other, GuardedSending):
            options["http_client"] = guarded_client(other, guard, owner=other, owns_guard=False)
        return _staying(copy(client, *args, **options), guard)

    client.copy = client.with_options = guarded_copy
    # Not handed to the copy: one for another region would come with an address of its own.
    client.websocket_base_url = REFUSING
    return client
