"""The adapter that `guardrail.wrap` finds for whatever derives from a class of langchain-core."""

from __future__ import annotations

from typing import TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from guardrail.errors import ConfigError
from guardrail.guard import Guard
from guardrail_langchain.chains import guarded_chain
from guardrail_langchain.swapped import guarded_model

__all__ = ["adapter"]

Client = TypeVar("Client")


def adapter(client: Client, guard: Guard, /, *, owns_guard: bool) -> Client:
    """A guarded model or chain in the place of ``client``. Raises `ConfigError` for what cannot be guarded.

    A model is of the same class as before; a chain is a `Runnable` of the same input and output. Nobody closes a model
    or a chain, so nobody closes the guard.
    """
    if isinstance(client, BaseChatModel):
        return cast(Client, guarded_model(client, guard))
    if isinstance(client, Runnable):
        return cast(Client, guarded_chain(client, guard))
    raise ConfigError(f"guardrail.wrap() takes a chat model or a chain of LangChain, not a {type(client).__name__}")
