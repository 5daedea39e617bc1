"""How providers are told not to call tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel

__all__ = ["without_tools"]

_NONE: Mapping[str, object] = {"langchain_openai": "none", "langchain_anthropic": {"type": "none"}}
"""The ``tool_choice`` of each provider's package that says so."""


def without_tools(model: BaseChatModel, options: Mapping[str, Any]) -> dict[str, Any]:
    """``options`` for an answer in words, where it is known how to ask for one.

    The tools themselves stay: some providers read no conversation that has calls in it without them.
    """
    if not options.get("tools"):
        return dict(options)
    roots = [kind.__module__.partition(".")[0] for kind in type(model).__mro__]
    none = next((_NONE[root] for root in roots if root in _NONE), None)
    left = {key: value for key, value in options.items() if key != "tool_choice"}
    return left if none is None else {**left, "tool_choice": none}
