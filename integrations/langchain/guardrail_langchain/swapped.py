"""Chat models that guard: the user's own model, of a class that has the guard in front of the model's own class.

The class is the only thing that changes. All that LangChain builds on top of a model (runs and callbacks, caches,
batches, bindings, structured output) is LangChain's own, and sees nothing but what was released.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from weakref import WeakValueDictionary

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from guardrail.guard import Guard
from guardrail.logs import once
from guardrail_langchain import caching, streams
from guardrail_langchain.asked import STRUCTURED
from guardrail_langchain.asking import aanswered, answered
from guardrail_langchain.call import Call, opened
from guardrail_langchain.clients import refuse_guarded_client
from guardrail_langchain.delegated import delegating, goes_its_own_way
from guardrail_langchain.runs import current, entered, run_of
from guardrail_langchain.views import seen_as, with_fields

__all__ = ["Guarded", "guarded_model", "guards"]

Model = TypeVar("Model", bound=BaseChatModel)
if TYPE_CHECKING:
    Above = BaseChatModel
else:
    Above = object


class _Of(NamedTuple):
    """What a guarded class is made of."""

    kind: type[BaseChatModel]
    guard: Guard


class Guarded(Above):
    """What every guarded model's class begins with."""

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        return answered(guards(self).guard, _call(self, messages, run_manager, {"stop": stop, **options}))

    def _get_llm_string(self, stop: list[str] | None = None, **options: Any) -> str:
        of_the_model = super()._get_llm_string(stop=stop, **options)
        return f"{of_the_model}---{caching.identity(guards(self).guard, current())}"

    def _generate_with_cache(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        with entered(current(run_manager)):
            return super(Guarded, _caching(self))._generate_with_cache(messages, stop, run_manager, **options)

    async def _agenerate_with_cache(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        with entered(current(run_manager)):
            return await super(Guarded, _caching(self))._agenerate_with_cache(messages, stop, run_manager, **options)

    def invoke(self, input: Any, config: Any = None, **options: Any) -> AIMessage:
        """As the model's own; the run is known to the guard."""
        with entered(run_of(config, self)):
            return super().invoke(input, config, **options)

    async def ainvoke(self, input: Any, config: Any = None, **options: Any) -> AIMessage:
        """The same on the event loop."""
        with entered(run_of(config, self)):
            return await super().ainvoke(input, config, **options)

    def stream(self, input: Any, config: Any = None, **options: Any) -> Iterator[AIMessageChunk]:
        """As the model's own; the run is known to the guard, and evidence is that of where it is called."""
        return streams.within(run_of(config, self), super().stream(input, config, **options))

    def astream(self, input: Any, config: Any = None, **options: Any) -> AsyncIterator[AIMessageChunk]:
        """The same on the event loop."""
        return streams.awithin(run_of(config, self), super().astream(input, config, **options))

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        made_of = guards(self)
        return _restored, (made_of.kind, made_of.guard, self.__getstate__())


class _Agenerating(Above):
    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        return await aanswered(guards(self).guard, _call(self, messages, run_manager, {"stop": stop, **options}))


class _Streaming(Above):
    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> Iterator[ChatGenerationChunk]:
        return streams.guarded(guards(self).guard, _call(self, messages, run_manager, {"stop": stop, **options}))


class _Astreaming(Above):
    def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        return streams.aguarded(guards(self).guard, _call(self, messages, run_manager, {"stop": stop, **options}))


_HOOKS: dict[str, type] = {
    "_agenerate": _Agenerating,
    "_stream": _Streaming,
    "_astream": _Astreaming,
}
"""What is overridden only where the model's class has its own: LangChain goes by who has which."""
_NATIVE = ("_stream_chat_model_events", "_astream_chat_model_events")
"""Hooks of models that make the events of a stream themselves: they would go past the guard."""
_FROM_IN_FRONT = "a {} is called by methods of its own: a model of another class is put in front of it, and guarded"
_made: WeakValueDictionary[_Of, type[BaseChatModel]] = WeakValueDictionary()


def guarded_model(model: Model, guard: Guard) -> Model:
    """A copy of ``model``, of the same type, guarded by ``guard``; one that is guarded already is guarded anew.

    A model that has methods of its own where LangChain's are gone by is guarded from in front: what comes back is no
    longer one of its class. Raises `ConfigError` where the model's own client is guarded already.
    """
    refuse_guarded_client(model)
    kind = guards(model).kind if isinstance(model, Guarded) else type(model)
    if goes_its_own_way(kind):
        once(f"langchain:delegated:{kind.__module__}.{kind.__qualname__}", _FROM_IN_FRONT.format(kind.__name__))
        return cast(Model, guarded_model(delegating(model), guard))
    copy: Model = model.model_copy()
    object.__setattr__(copy, "__class__", _guarded_kind(_Of(kind, guard)))
    return copy


def guards(model: BaseChatModel) -> _Of:
    """The class that the guarded ``model`` has without its guard, and the guard."""
    made_of: _Of = type(model).__guardrail__  # type: ignore[attr-defined]
    return made_of


def _guarded_kind(made_of: _Of) -> type[BaseChatModel]:
    made = _made.get(made_of)
    if made is None:
        made = _made[made_of] = _new_kind(made_of)
    return made


def _new_kind(made_of: _Of) -> type[BaseChatModel]:
    kind = made_of.kind
    hooks = [hook for name, hook in _HOOKS.items() if getattr(kind, name) is not getattr(BaseChatModel, name)]
    body: dict[str, Any] = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "model_config": {"defer_build": True},  # its validators are needed only where one is made from fields
    }
    if kind.bind_tools is not BaseChatModel.bind_tools:
        body["bind_tools"] = _binding(kind)
    metaclass: Any = type(kind)
    made: type[BaseChatModel] = metaclass(kind.__name__, (Guarded, *hooks, kind), body)
    for name in _NATIVE:
        if getattr(kind, name, None) is not None:
            setattr(made, name, None)
    made.__guardrail__ = made_of  # type: ignore[attr-defined]
    return made


def _binding(kind: type[BaseChatModel]) -> Any:
    """The model's own ``bind_tools``; the guard is told where the tool is not to be called, but the answer's form."""
    own = kind.bind_tools

    @functools.wraps(own)  # some go by its parameters
    def bind_tools(self: BaseChatModel, *tools: Any, **options: Any) -> Any:
        bound = own(self, *tools, **options)
        return bound.bind(**{STRUCTURED: True}) if "ls_structured_output_format" in options else bound

    return bind_tools


def _restored(kind: type[Model], guard: Guard, state: Any) -> Model:
    """A guarded model, from what was pickled of it."""
    made = _guarded_kind(_Of(kind, guard))
    model: Any = made.__new__(made)
    model.__setstate__(state)
    return model  # type: ignore[no-any-return]


def _call(model: BaseChatModel, messages: list[BaseMessage], run_manager: Any, options: dict[str, Any]) -> Call:
    return opened(seen_as(guards(model).kind, model), messages, current(run_manager), options)


def _caching(model: Model) -> Model:
    """``model`` with a cache that takes no blocked answer, where it has a cache at all."""
    cache = caching.cache_of(model)
    return model if cache is None else with_fields(model, cache=caching.Withholding(cache))
