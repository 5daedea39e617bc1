"""guardrail for LangChain: guarded chat models and chains, and what agents and graphs need besides.

It loads guardrail and langchain-core; what needs ``langchain`` or ``langgraph`` is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrail_langchain.adapter import adapter

if TYPE_CHECKING:
    pass

__all__ = ["adapter"]

_LAZY: dict[str, str] = {}
"""Names that are imported when they are first used, with the module that each is taken from."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_LAZY[name]), name)
        return value
