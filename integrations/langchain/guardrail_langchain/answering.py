"""The model that writes a chain's answer, found by the chain's form and replaced in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.output_parsers.base import BaseLLMOutputParser
from langchain_core.runnables import Runnable, RunnableParallel, RunnableSequence
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import RunnableConfigurableAlternatives, RunnableConfigurableFields
from langchain_core.runnables.fallbacks import RunnableWithFallbacks
from langchain_core.runnables.passthrough import RunnableAssign

from guardrail.errors import ConfigError
from guardrail_langchain.asked import STRUCTURED

__all__ = ["Make", "with_model"]

Make: TypeAlias = Callable[[BaseChatModel], BaseChatModel]

_STRUCTURED = "ls_structured_output_format"
_HISTORY = "langchain_core.runnables.history"
_ANSWERS = ("answer", "raw")
"""Of several things that a chain gives, the one that is its answer."""


def with_model(chain: Runnable[Any, Any], make: Make) -> Runnable[Any, Any] | None:
    """``chain`` with what ``make`` makes of the model whose answer it gives; None where its form does not tell which.

    Found is a model at the end, with nothing but output parsers behind it: by itself, with arguments bound, with
    retries or fallbacks, with configurable fields or alternatives, or as the ``answer`` of a dict.

    Raises `ConfigError` where a history is kept around the chain: it has the answer before anybody can judge it.
    """
    match chain:
        case BaseChatModel():
            return make(chain)
        case RunnableSequence():
            return _sequence(chain, make)
        case RunnableBindingBase():
            return _binding(chain, make)
        case RunnableWithFallbacks():
            return _fallbacks(chain, make)
        case RunnableConfigurableFields():
            inner = with_model(chain.default, make)
            return None if inner is None else chain.model_copy(update={"default": inner})
        case RunnableConfigurableAlternatives():
            return _alternatives(chain, make)
        case RunnableAssign():
            inner = with_model(chain.mapper, make)
            return None if inner is None else chain.model_copy(update={"mapper": inner})
        case RunnableParallel():
            return _parallel(chain, make)
    return None


def _sequence(chain: RunnableSequence[Any, Any], make: Make) -> Runnable[Any, Any] | None:
    place = _place(chain.steps)
    before, step, behind = chain.steps[:place], chain.steps[place], chain.steps[place + 1 :]
    inner = with_model(step, make)
    if inner is None:
        return None
    if any(isinstance(parser, JsonOutputParser) for parser in behind):
        inner = inner.bind(**{STRUCTURED: True})
    return RunnableSequence(*before, inner, *behind, name=chain.name)


def _place(steps: Sequence[Runnable[Any, Any]]) -> int:
    """The last step but for those that only parse what it gives."""
    for place, step in enumerate(steps):
        if _asks_for_structure(step):
            return place
    return max((place for place, step in enumerate(steps) if not isinstance(step, BaseLLMOutputParser)), default=0)


def _asks_for_structure(step: Runnable[Any, Any]) -> bool:
    """Whether it is a model that `with_structured_output` has bound: what comes behind is the parser, of any kind."""
    if isinstance(step, RunnableParallel):
        return set(step.steps__) == {"raw"}
    return isinstance(step, RunnableBindingBase) and _STRUCTURED in step.kwargs


def _binding(chain: RunnableBindingBase[Any, Any], make: Make) -> Runnable[Any, Any] | None:
    if type(chain).__module__ == _HISTORY:
        raise ConfigError(
            f"guardrail.wrap() cannot guard a {type(chain).__name__}: it keeps the answer before anybody can judge it; "
            f"guard the chain in it: {type(chain).__name__}(guardrail.wrap(chain), ...)"
        )
    inner = with_model(chain.bound, make)
    if inner is None:
        return None
    update: dict[str, Any] = {"bound": inner}
    if _STRUCTURED in chain.kwargs and chain.kwargs.get("tools"):
        update["kwargs"] = {**chain.kwargs, STRUCTURED: True}
    return chain.model_copy(update=update)


def _fallbacks(chain: RunnableWithFallbacks[Any, Any], make: Make) -> Runnable[Any, Any] | None:
    found = [with_model(one, make) for one in chain.runnables]
    inner = [one for one in found if one is not None]
    if len(inner) < len(found):
        return None
    return chain.model_copy(update={"runnable": inner[0], "fallbacks": inner[1:]})


def _alternatives(
    chain: RunnableConfigurableAlternatives[Any, Any], make: Make
) -> RunnableConfigurableAlternatives[Any, Any] | None:
    every = {key: one if isinstance(one, Runnable) else one() for key, one in chain.alternatives.items()}
    default = with_model(chain.default, make)
    found = {key: with_model(one, make) for key, one in every.items()}
    if default is None or None in found.values():
        return None
    return chain.model_copy(update={"default": default, "alternatives": found})


def _parallel(chain: RunnableParallel[Any], make: Make) -> Runnable[Any, Any] | None:
    name = next((name for name in _ANSWERS if name in chain.steps__), None)
    inner = None if name is None else with_model(chain.steps__[name], make)
    if name is None or inner is None:
        return None
    return chain.model_copy(update={"steps__": {**chain.steps__, name: inner}})
