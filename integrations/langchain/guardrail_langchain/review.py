"""A person decides: answers that wait for it, and the node that asks.

An answer under review is kept in the graph's store, or in this process where the graph has none, and is removed once
it is decided upon. Checkpoints and interrupts hold its id only: an answer that is rejected is in no checkpoint.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableLambda

from guardrail.errors import ConfigError, MissingExtra
from guardrail_langchain.marks import MARK

try:
    from langgraph.constants import END
    from langgraph.runtime import get_runtime
    from langgraph.store.base import BaseStore
    from langgraph.types import Command, interrupt
except ImportError as error:
    raise MissingExtra("guarding graphs needs LangGraph: pip install 'guardrail-llm[langchain]'") from error

__all__ = ["Review", "apark", "aunder_review", "park", "review_node", "under_review"]

NAMESPACE = ("guardrail", "review")
"""Where answers under review are kept in a graph's store."""
_CAPACITY = 2048
"""So many wait in a process at most; the oldest are forgotten, and asked for anew."""
_DECISIONS = ("approve", "reject", "regenerate")
_ROUTED = ("approve", "edit", "reject")
_EXPECTED = 'expected "approve", "reject", "regenerate" or {"edit": "the text to send instead"}'

Decision = Literal["approve", "edit", "reject", "regenerate"]


@dataclass(frozen=True, slots=True)
class Review:
    """An answer that waits for a person. All of it can be written as JSON."""

    id: str
    """That of the `Outcome`."""
    question: str
    """What the user said last."""
    answer: str
    status: str
    """What the verifier says: ``reliable``, ``unreliable``, ``unknown`` or ``error``."""
    risk: float | None
    findings: tuple[Mapping[str, Any], ...]
    """Each with ``start`` and ``end`` (characters of the answer), ``text``, ``kind``, ``risk`` and ``explanation``."""
    rejected: str
    """What takes the answer's place if it is rejected: the policy's message."""


class _Waiting:
    """The answers that wait in this process, where a graph has no store."""

    def __init__(self) -> None:
        self._reviews: OrderedDict[str, Review] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, review: Review) -> None:
        with self._lock:
            self._reviews[review.id] = review
            while len(self._reviews) > _CAPACITY:
                self._reviews.popitem(last=False)

    def get(self, id: str) -> Review | None:
        with self._lock:
            return self._reviews.get(id)

    def drop(self, id: str) -> None:
        with self._lock:
            self._reviews.pop(id, None)


_waiting = _Waiting()


def under_review(asked: Mapping[str, Any], store: BaseStore | None = None) -> Review:
    """The answer that an interrupt asks about; ``asked`` is the interrupt's value.

    ``store``: the graph's, where it has one. Raises `ConfigError` when it is not there: it was decided upon, or waits
    in another process.
    """
    id = str(asked.get("id"))
    return _found(_of(store.get(NAMESPACE, id)) if store else _waiting.get(id), id)


async def aunder_review(asked: Mapping[str, Any], store: BaseStore | None = None) -> Review:
    """`under_review` for an event loop."""
    id = str(asked.get("id"))
    return _found(_of(await store.aget(NAMESPACE, id)) if store else _waiting.get(id), id)


def _found(review: Review | None, id: str) -> Review:
    if review is None:
        raise ConfigError(
            f"no answer with the id {id!r} waits for review: it was decided upon, or it waits in another process; "
            "compile the graph with a store, and give that here, to share answers between processes"
        )
    return review


def park(review: Review, store: BaseStore | None) -> None:
    """Have an answer wait."""
    if store is None:
        return _waiting.put(review)
    store.put(NAMESPACE, review.id, asdict(review), index=False)


async def apark(review: Review, store: BaseStore | None) -> None:
    """`park` for an event loop."""
    if store is None:
        return _waiting.put(review)
    await store.aput(NAMESPACE, review.id, asdict(review), index=False)


def _of(item: Any) -> Review | None:
    return None if item is None else Review(**{**item.value, "findings": tuple(item.value["findings"])})


def review_node(
    *, routes: Mapping[str, str] | None = None, then: str = END, messages: str = "messages"
) -> Runnable[Any, Any]:
    """The node that asks a person about an answer, by LangGraph's ``interrupt``; `guard_node` sends answers here.

    The interrupt's value has ``id``, ``status``, ``risk`` and ``choices``; `under_review` gives the answer. Resume
    with ``"approve"``, ``"reject"`` (the policy's message is sent instead), ``"regenerate"`` (back to the node that
    answered) or ``{"edit": "..."}``; anything else is asked again, with a ``problem``.

    ``routes``: where the graph goes on, by decision; ``then`` for the others. ``messages``: the state's key for
    messages.
    """
    for name in routes or ():
        if name not in _ROUTED:
            raise ConfigError(f"review_node(routes=...): {name!r} is no decision; there are {', '.join(_ROUTED)}")
    node = _ReviewNode(dict(routes or {}), then, messages)
    return RunnableLambda(node.invoke, node.ainvoke, name="review")


class _ReviewNode:
    def __init__(self, routes: Mapping[str, str], then: str, key: str) -> None:
        self._routes, self._then, self._key = routes, then, key

    def invoke(self, sent: Mapping[str, str]) -> Command[str]:
        id, store = sent["id"], get_runtime().store
        review = _of(store.get(NAMESPACE, id)) if store else _waiting.get(id)
        command = self._decided(review, sent["answered_by"])
        if store:
            store.delete(NAMESPACE, id)
        _waiting.drop(id)
        return command

    async def ainvoke(self, sent: Mapping[str, str]) -> Command[str]:
        id, store = sent["id"], get_runtime().store
        review = _of(await store.aget(NAMESPACE, id)) if store else _waiting.get(id)
        command = self._decided(review, sent["answered_by"])
        if store:
            await store.adelete(NAMESPACE, id)
        _waiting.drop(id)
        return command

    def _decided(self, review: Review | None, answered_by: str) -> Command[str]:
        if review is None:  # it waited in a process that is gone: there must be another
            return Command(goto=answered_by)
        decision, text = _ask(review)
        if decision == "regenerate":
            return Command(goto=answered_by)
        short = {"id": review.id, "status": review.status, "risk": review.risk, "review": decision}
        answer = AIMessage(text, id=f"guardrail-{review.id}", response_metadata={MARK: short})
        return Command(update={self._key: [answer]}, goto=self._routes.get(decision, self._then))


def _ask(review: Review) -> tuple[Decision, str]:
    """What the person says, and the text to send; asks until it is one of the decisions."""
    asked = {"id": review.id, "status": review.status, "risk": review.risk, "choices": [*_DECISIONS, "edit"]}
    while True:
        said = interrupt(asked)
        if said in _DECISIONS:
            return cast(Decision, said), review.answer if said == "approve" else review.rejected
        if isinstance(said, Mapping) and isinstance(text := said.get("edit"), str) and text.strip():
            return "edit", text
        asked = {**asked, "problem": f"{said!r} is no decision; {_EXPECTED}"}
