"""The adapter that `guardrail.wrap` finds for whatever derives from a class of langchain-core."""

from __future__ import annotations

from typing import TypeVar, cast

from langchain_core.language_models import BaseChatModel

from guardrail.errors import ConfigError
from guardrail.guard import Guard
from guardrail_langchain.swapped import guarded_model

__all__ = ["adapter"]

Client = TypeVar("Client")


def adapter(client: Client, guard: Guard, /, *, owns_guard: bool) -> Client:
    """A guarded model in the place of ``client``. Raises `ConfigError` for what cannot be guarded."""
    if isinstance(client, BaseChatModel):
        return cast(Client, guarded_model(client, guard))
    raise ConfigError(f"guardrail.wrap() takes a chat model of LangChain, not a {type(client).__name__}")
