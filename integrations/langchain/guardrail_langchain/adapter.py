"""The adapter that `guardrail.wrap` finds for whatever derives from a class of langchain-core."""

from __future__ import annotations

from typing import TypeVar

from guardrail.errors import ConfigError
from guardrail.guard import Guard

__all__ = ["adapter"]

Client = TypeVar("Client")


def adapter(client: Client, guard: Guard, /, *, owns_guard: bool) -> Client:
    """A guarded model or chain in the place of ``client``. Raises `ConfigError` for what cannot be guarded."""
    raise ConfigError(f"guardrail.wrap() takes a chat model or a chain of LangChain, not a {type(client).__name__}")
