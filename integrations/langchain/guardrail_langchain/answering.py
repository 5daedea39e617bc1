"""The model that writes a chain's answer, found by the chain's form and guarded in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.output_parsers.base import BaseLLMOutputParser
from langchain_core.runnables import Runnable, RunnableParallel, RunnableSequence
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.fallbacks import RunnableWithFallbacks
from langchain_core.runnables.passthrough import RunnableAssign

from guardrail.guard import Guard
from guardrail_langchain.asked import STRUCTURED
from guardrail_langchain.swapped import guarded_model

__all__ = ["with_guarded_model"]

_ANSWERS = ("answer", "raw")
"""Of several things that a chain gives, the one that is its answer."""


def with_guarded_model(chain: Runnable[Any, Any], guard: Guard) -> Runnable[Any, Any] | None:
    """``chain`` with a guard on the model whose answer it gives; None where its form does not tell which that is.

    Found is a model at the end, with nothing but output parsers behind it: by itself, with arguments bound, with
    retries or fallbacks, or as the ``answer`` of a dict.
    """
    match chain:
        case BaseChatModel():
            return guarded_model(chain, guard)
        case RunnableSequence():
            return _sequence(chain, guard)
        case RunnableBindingBase():
            return _binding(chain, guard)
        case RunnableWithFallbacks():
            return _fallbacks(chain, guard)
        case RunnableAssign():
            inner = with_guarded_model(chain.mapper, guard)
            return None if inner is None else chain.model_copy(update={"mapper": inner})
        case RunnableParallel():
            return _parallel(chain, guard)
    return None


def _sequence(chain: RunnableSequence[Any, Any], guard: Guard) -> Runnable[Any, Any] | None:
    place = _place(chain.steps)
    before, step, behind = chain.steps[:place], chain.steps[place], chain.steps[place + 1 :]
    inner = with_guarded_model(step, guard)
    if inner is None:
        return None
    if any(isinstance(parser, JsonOutputParser) for parser in behind):
        inner = inner.bind(**{STRUCTURED: True})
    return RunnableSequence(*before, inner, *behind, name=chain.name)


def _place(steps: Sequence[Runnable[Any, Any]]) -> int:
    """The last step but for those that only parse what it gives."""
    for place, step in enumerate(steps):
        if isinstance(step, RunnableParallel) and set(step.steps__) == {"raw"}:  # structured output with its message
            return place
    return max((place for place, step in enumerate(steps) if not isinstance(step, BaseLLMOutputParser)), default=0)


def _binding(chain: RunnableBindingBase[Any, Any], guard: Guard) -> Runnable[Any, Any] | None:
    inner = with_guarded_model(chain.bound, guard)
    if inner is None:
        return None
    update: dict[str, Any] = {"bound": inner}
    if "ls_structured_output_format" in chain.kwargs and chain.kwargs.get("tools"):
        update["kwargs"] = {**chain.kwargs, STRUCTURED: True}
    return chain.model_copy(update=update)


def _fallbacks(chain: RunnableWithFallbacks[Any, Any], guard: Guard) -> Runnable[Any, Any] | None:
    found = [with_guarded_model(one, guard) for one in chain.runnables]
    inner = [one for one in found if one is not None]
    if len(inner) < len(found):
        return None
    return chain.model_copy(update={"runnable": inner[0], "fallbacks": inner[1:]})


def _parallel(chain: RunnableParallel[Any], guard: Guard) -> Runnable[Any, Any] | None:
    name = next((name for name in _ANSWERS if name in chain.steps__), None)
    inner = None if name is None else with_guarded_model(chain.steps__[name], guard)
    if name is None or inner is None:
        return None
    return chain.model_copy(update={"steps__": {**chain.steps__, name: inner}})
