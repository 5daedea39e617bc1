"""Clients that a chat model sends through, which may be guarded themselves."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel

from guardrail.errors import ConfigError

__all__ = ["refuse_guarded_client"]

_CLIENTS = ("root_client", "root_async_client", "client", "async_client")


def refuse_guarded_client(model: BaseChatModel) -> None:
    """Raises `ConfigError` where ``model`` sends through a client from `guardrail.wrap`: both would judge answers."""
    for name in _CLIENTS:
        if _is_guarded(getattr(model, name, None)):
            raise ConfigError(
                f"the {name} of this {type(model).__name__} is guarded already, and its answers would be judged twice; "
                "guard either the model or its client"
            )


def _is_guarded(client: Any) -> bool:
    # A part of it, such as `client.chat.completions`, holds the whole in `_client`, and that one the HTTP client.
    inner = getattr(client, "_client", None)
    below = (inner, getattr(inner, "_client", None))
    return any(kind.__module__.startswith("guardrail_openai") for one in below for kind in type(one).__mro__)
