"""Guarded chains: whatever is a Runnable, from a prompt before a model to a function."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig

from guardrail.errors import ConfigError
from guardrail.guard import Guard
from guardrail_langchain.answering import with_model
from guardrail_langchain.guarded_run import GuardedRun
from guardrail_langchain.overheard import Overheard
from guardrail_langchain.swapped import guarded_model

__all__ = ["guarded_chain"]


def guarded_chain(chain: Runnable[Any, Any], guard: Guard) -> Runnable[Any, Any]:
    """``chain``, whose answers are guarded, with all documents that come up in it as evidence.

    Where the chain ends with a model, that model is guarded, and asked again where the policy says so. Any other chain
    runs once: what comes out of it is judged, and it is not run again, as its steps may have effects.

    Raises `ConfigError` for a graph: it keeps what its nodes say before anybody can judge it.
    """
    if any(kind.__module__.partition(".")[0] == "langgraph" for kind in type(chain).__mro__):
        raise ConfigError(
            f"guardrail.wrap() cannot guard a {type(chain).__name__}: a graph stores and streams what its nodes say "
            "before its end; guard the model in it, or use guardrail_langchain.guard_node or GuardrailMiddleware"
        )
    bound = with_model(chain, lambda model: guarded_model(model, guard))
    if bound is None:
        return GuardedRun(chain, guard)
    return RunnableBinding(bound=bound, config_factories=[_listening])


def _listening(config: RunnableConfig) -> RunnableConfig:
    return {"callbacks": [Overheard()]}
