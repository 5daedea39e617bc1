"""The run of LangChain that a call belongs to: what it is tagged with, and what was retrieved in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config, var_child_runnable_config

from guardrail.conversation import Evidence
from guardrail.given import given
from guardrail_langchain.overheard import Overheard

__all__ = ["Run", "current", "entered", "run_of"]

_CONVERSATION = ("thread_id", "session_id", "conversation_id")
"""Metadata that a conversation is known by."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a call from outside of it."""

    tags: frozenset[str] = frozenset()
    metadata: Mapping[str, str] = field(default_factory=dict)
    overheard: tuple[Overheard, ...] = ()
    id: object = None
    """LangChain's, where it has one already."""
    given: tuple[Evidence, ...] = ()
    """The caller's evidence where the call was made: a stream may be read elsewhere."""

    @property
    def key(self) -> str | None:
        """What the conversation is known by."""
        return next((self.metadata[name] for name in _CONVERSATION if self.metadata.get(name)), None)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What was given, and what the retrievers of this run have brought so far."""
        return (*self.given, *(document for heard in self.overheard for document in heard.documents))


_current: ContextVar[Run | None] = ContextVar("guardrail_langchain_run", default=None)


def current(run_manager: Any = None) -> Run:
    """The run that the running call belongs to, by its own ``run_manager`` where it has one."""
    known = _current.get()
    if run_manager is None:
        return known or run_of(None)
    if known is not None and known.id == run_manager.run_id:
        return known
    # What a call was entered with is told by its config; what it belongs to, by that of the graph or chain around it.
    called = known.metadata if known is not None and known.id is None else {}
    about = {**_conversation(var_child_runnable_config.get()), **called, **(run_manager.metadata or {})}
    return _run(run_manager.tags, about, run_manager.handlers, run_manager.run_id)


def run_of(config: RunnableConfig | None, model: Any = None) -> Run:
    """The run that ``config`` asks for, as seen from where it is called."""
    known = ensure_config(config)
    manager = known.get("callbacks")
    handlers = manager if isinstance(manager, list) else getattr(manager, "handlers", [])
    tags, metadata = list(known.get("tags") or ()), {**_conversation(known), **(known.get("metadata") or {})}
    for holder in (manager, model):
        tags += getattr(holder, "tags", None) or ()
        metadata = {**(getattr(holder, "metadata", None) or {}), **metadata}
    return _run(tags, metadata, handlers)


def _conversation(config: RunnableConfig | None) -> dict[str, Any]:
    """What the conversation is known by to a graph or a chain, which does not tell callbacks of it."""
    known = (config or {}).get("configurable") or {}
    return {name: known[name] for name in _CONVERSATION if name in known}


@contextmanager
def entered(run: Run) -> Iterator[None]:
    """Inside, ``run`` is the current one. Not to be held open across a ``yield``."""
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)


def _run(
    tags: Iterable[str] | None, metadata: Mapping[str, Any] | None, handlers: Iterable[Any], id: object = None
) -> Run:
    return Run(
        frozenset(tags or ()),
        {key: str(value) for key, value in (metadata or {}).items() if isinstance(value, str | int | float)},
        tuple(handler for handler in handlers if isinstance(handler, Overheard)),
        id,
        given(),
    )
