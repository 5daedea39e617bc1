"""The adapter that `guardrail.wrap` finds for OpenAI clients."""

from __future__ import annotations

from typing import TypeVar, cast

from openai import AsyncOpenAI, OpenAI

from guardrail.errors import ConfigError
from guardrail.guard import Guard
from guardrail_openai.clients import guarded_client
from guardrail_openai.websockets import refusing

__all__ = ["adapter"]

Client = TypeVar("Client")


def adapter(client: Client, guard: Guard, /, *, owns_guard: bool) -> Client:
    """A copy of ``client``, of the same type, whose HTTP client guards every answer.

    A client that is guarded already is guarded by ``guard`` alone afterwards, never twice.
    """
    if not isinstance(client, (OpenAI, AsyncOpenAI)):
        raise ConfigError(
            f"guardrail.wrap() takes an OpenAI or AsyncOpenAI client (Azure's too), not a {type(client).__name__}"
        )
    guarded = guarded_client(client, guard, owns_guard=owns_guard)
    return cast(Client, client.copy(http_client=guarded, websocket_base_url=refusing(type(client.base_url))))
