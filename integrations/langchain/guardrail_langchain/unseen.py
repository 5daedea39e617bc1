"""Running a part of a graph so that nobody sees it: no callback, no tracer, no stream, no checkpoint of its own.

What is run so is a draft: it may be rejected, and then nothing of it may be left anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langsmith.run_helpers import tracing_context

__all__ = ["unseen"]

# By these a graph that is called inside would stream into the outer stream, and save into the outer checkpoints.
_TIES = (
    "__pregel_cache",
    "__pregel_checkpointer",
    "__pregel_stream",
    "__pregel_stream_messages_v2",
    "__pregel_task_id",
    "checkpoint_id",
    "checkpoint_map",
)


def _nowhere(written: object) -> None:
    """The custom stream of a draft."""


@contextmanager
def unseen(config: RunnableConfig) -> Iterator[RunnableConfig]:
    """Inside, whatever is run with the config that is given, or with none, is not seen."""
    configurable = {key: value for key, value in config.get("configurable", {}).items() if key not in _TIES}
    if runtime := configurable.get("__pregel_runtime"):
        configurable["__pregel_runtime"] = runtime.override(stream_writer=_nowhere)
    quiet: RunnableConfig = {**config, "callbacks": [], "configurable": configurable}
    token = var_child_runnable_config.set(quiet)
    try:
        with tracing_context(enabled=False):
            yield quiet
    finally:
        var_child_runnable_config.reset(token)
