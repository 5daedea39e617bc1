"""A chain of any form: run once, and what comes out of it is judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs
from langchain_core.tracers._streaming import _StreamingCallbackHandler, _V2StreamingCallbackHandler

from guardrail.guard import Guard
from guardrail_langchain.answer_guard import AnswerGuard
from guardrail_langchain.overheard import Overheard

__all__ = ["GuardedRun"]


class GuardedRun(Runnable[Any, Any]):
    """``chain``, with its answer held against what it was asked and all documents that came up in it."""

    def __init__(self, chain: Runnable[Any, Any], guard: Guard) -> None:
        self.chain, self.name = chain, chain.get_name()
        self._guard = AnswerGuard(guard)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The chain's output, with what was released in the place of its answer."""

        def answered(_: Any, run_manager: Any, config: RunnableConfig) -> Any:
            inner = _unshown(config, input)
            value = self.chain.invoke(input, inner, **kwargs)
            return self._guard.answered(value, inner, asked=input, events=config)

        return self._call_with_config(answered, input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The same on the event loop."""

        async def answered(_: Any, run_manager: Any, config: RunnableConfig) -> Any:
            inner = _unshown(config, input)
            return await self._guard.aanswered(
                await self.chain.ainvoke(input, inner, **kwargs), inner, asked=input, events=config
            )

        return await self._acall_with_config(answered, input, config)

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        """The chain's pieces, each when its sentence has its verdict."""

        def streamed(_: Iterator[Any], run_manager: Any, config: RunnableConfig) -> Iterator[Any]:
            inner = _unshown(config, input)
            return self._guard.streamed(self.chain.stream(input, inner, **kwargs), inner, asked=input, events=config)

        yield from self._transform_stream_with_config(iter([input]), streamed, config)

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        """The same on the event loop."""

        def streamed(_: AsyncIterator[Any], run_manager: Any, config: RunnableConfig) -> AsyncIterator[Any]:
            inner = _unshown(config, input)
            return self._guard.astreamed(self.chain.astream(input, inner, **kwargs), inner, asked=input, events=config)

        async for piece in self._atransform_stream_with_config(_only(input), streamed, config):
            yield piece

    # seen from outside it is the chain

    @property
    def InputType(self) -> Any:
        """The chain's."""
        return self.chain.InputType

    @property
    def OutputType(self) -> Any:
        """The chain's."""
        return self.chain.OutputType

    @property
    def config_specs(self) -> Any:
        """The chain's."""
        return self.chain.config_specs

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """The chain's."""
        return self.chain.get_input_schema(config)

    def get_output_schema(self, config: RunnableConfig | None = None) -> Any:
        """The chain's."""
        return self.chain.get_output_schema(config)

    def get_graph(self, config: RunnableConfig | None = None) -> Any:
        """The chain's."""
        return self.chain.get_graph(config)


def _unshown(config: RunnableConfig, asked: Any) -> RunnableConfig:
    """``config`` for the steps of the chain: heard by tracers as ever, but not by those who show what they hear.

    Nothing that they say is judged yet; those who show it are the events and the streams of graphs.
    """
    heard = Overheard()
    heard.hear(asked)
    config = merge_configs(config, {"callbacks": [heard]})
    callbacks = config.get("callbacks")
    if isinstance(callbacks, BaseCallbackManager):
        config["callbacks"] = quiet = callbacks.copy()
        quiet.handlers = _quiet(quiet.handlers)
        quiet.inheritable_handlers = _quiet(quiet.inheritable_handlers)
    return config


def _quiet(handlers: list[Any]) -> list[Any]:
    shows = (_StreamingCallbackHandler, _V2StreamingCallbackHandler)
    return [handler for handler in handlers if not isinstance(handler, shows)]


async def _only(value: Any) -> AsyncIterator[Any]:
    yield value
