"""A chat model in front of another that cannot be given a class with a guard in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.base import RunnableBindingBase

from guardrail.errors import ConfigError
from guardrail_langchain.answering import with_model
from guardrail_langchain.pieces import whole_chunk

__all__ = ["Delegated", "delegating", "goes_its_own_way"]

_ABOVE = ("invoke", "ainvoke", "stream", "astream", "generate", "agenerate", "generate_prompt", "agenerate_prompt")
"""Methods that a model is called by; one that has its own may never come to the methods which a guard is put into."""
_UNHEARD: RunnableConfig = {"callbacks": []}
"""Nothing that the other model says is judged yet."""


def goes_its_own_way(kind: type[BaseChatModel]) -> bool:
    """Whether a model of this class has to be guarded from in front."""
    own = any(getattr(kind, name) is not getattr(BaseChatModel, name) for name in _ABOVE)
    return own or hasattr(kind, "__del__")  # it would be told of the end of every view of it


def delegating(model: BaseChatModel) -> Delegated:
    """A model that hands everything on to ``model``, which caches nothing any more: its answers are not judged yet."""
    front = Delegated(inner=model.model_copy(update={"cache": False}), cache=model.cache)
    for name in ("callbacks", "tags", "metadata", "disable_streaming", "profile"):
        setattr(front, name, getattr(model, name))
    return front


class Delegated(BaseChatModel):
    """Answers as ``inner`` does."""

    inner: BaseChatModel

    @property
    def _llm_type(self) -> str:
        return self.inner._llm_type

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return dict(self.inner._identifying_params)

    def _get_llm_string(self, stop: list[str] | None = None, **options: Any) -> str:
        return self.inner._get_llm_string(stop=stop, **options)

    def _get_ls_params(self, stop: list[str] | None = None, **options: Any) -> Any:
        return self.inner._get_ls_params(stop=stop, **options)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        message = self.inner.invoke(messages, _UNHEARD, stop=stop, **options)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        message = await self.inner.ainvoke(messages, _UNHEARD, stop=stop, **options)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> Iterator[ChatGenerationChunk]:
        for message in self.inner.stream(messages, _UNHEARD, stop=stop, **options):
            yield _chunk(message)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **options: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for message in self.inner.astream(messages, _UNHEARD, stop=stop, **options):
            yield _chunk(message)

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        """As the other model's."""
        bound = self.inner.bind_tools(tools, **options)
        if not isinstance(bound, RunnableBindingBase) or bound.bound is not self.inner:
            raise ConfigError(f"the tools of a {type(self.inner).__name__} cannot be bound with a guard in front of it")
        return self.bind(**bound.kwargs)

    def with_structured_output(self, schema: Any, **options: Any) -> Any:
        """As the other model's."""
        chain = with_model(self.inner.with_structured_output(schema, **options), lambda _: self)
        if chain is None:
            raise ConfigError(f"a {type(self.inner).__name__} gives no structured output with a guard in front of it")
        return chain


def _chunk(message: BaseMessage) -> ChatGenerationChunk:
    if isinstance(message, AIMessageChunk):
        return ChatGenerationChunk(message=message)
    return whole_chunk(ChatGeneration(message=message))
