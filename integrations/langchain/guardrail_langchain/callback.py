"""The callbacks: they judge what a model has answered and report it. They see; they cannot steer.

LangChain calls a callback when the answer is there, and passes the answer on whatever the callback does. So a callback

- cannot hold back a stream: all of it has reached the consumer before ``on_llm_end``;
- cannot have an answer regenerated, replaced or blocked, and cannot take it out of LangChain's cache, which has
  it before the callback does;
- can abort the call by raising, and that only from a synchronous handler, or from an asynchronous one under
  ``ainvoke``.

To act on answers, guard the model: `guardrail.wrap`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from guardrail import Check
from guardrail.action import Action
from guardrail.conversation import Message, Turn
from guardrail.errors import BlockedError
from guardrail.events import Listener
from guardrail.guard import Guard
from guardrail.logs import once
from guardrail.outcome import Outcome, join
from guardrail.policy.routing import RequestInfo
from guardrail.recent import Recent
from guardrail_langchain.guards import guard_of
from guardrail_langchain.marks import MARK
from guardrail_langchain.messages import read_conversation, read_turn

if TYPE_CHECKING:
    from guardrail.policy.model import Policy
    from guardrail.verifiers.own import Judge

__all__ = ["AsyncGuardrailCallbackHandler", "GuardrailCallbackHandler"]

_REMEMBERED = 2048
"""So many runs are known at a time; more than are ever in flight."""
_RELEASED = (Action.PASS, Action.FLAG)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a model was asked, and what had been retrieved by then."""

    conversations: tuple[tuple[Message, ...], ...]
    documents: tuple[Document, ...]
    info: RequestInfo


class _Watch:
    """What both handlers share: which run asked what, and what is to be judged."""

    def __init__(
        self,
        policy: Policy | str | Path | Guard | None = None,
        *,
        strict: bool = False,
        verifiers: Mapping[str, Judge] | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        super().__init__()
        self.guard = guard_of(policy, verifiers, listeners)
        self.raise_error = strict
        self._roots: Recent[str] = Recent(_REMEMBERED)
        self._documents: Recent[tuple[Document, ...]] = Recent(_REMEMBERED)
        self._asked: Recent[_Asked] = Recent(_REMEMBERED)

    @property
    def strict(self) -> bool:
        """Whether an answer that the policy would not release aborts the call."""
        return self.raise_error

    # the tree of runs: what is retrieved below a root is evidence for all that is asked below it

    def _enter(self, run: UUID, parent: UUID | None) -> str:
        root = str(run) if parent is None else self._roots.find(str(parent)) or str(parent)
        self._roots.keep(root, str(run))
        return root

    def _retrieved(self, documents: Sequence[Document], run: UUID, parent: UUID | None) -> None:
        root = self._enter(run, parent)
        self._documents.keep((*(self._documents.find(root) or ()), *documents), root)

    def _begin(
        self,
        conversations: Sequence[Sequence[Message]],
        run: UUID,
        parent: UUID | None,
        tags: list[str] | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        documents = self._documents.find(self._enter(run, parent)) or ()
        asked = _Asked(tuple(map(tuple, conversations)), documents, _info(tags or [], metadata or {}))
        self._asked.keep(asked, str(run))

    def _streaming(self, run: UUID) -> None:
        asked = self._asked.find(str(run))
        if asked is None or asked.info.stream:
            return
        self._asked.keep(replace(asked, info=replace(asked.info, stream=True)), str(run))
        if self.strict:
            once(
                "callback:stream", "a strict callback cannot hold back a stream: guard the model with guardrail.wrap()"
            )

    # the answers

    def _checks(self, response: LLMResult, run: UUID) -> Iterator[tuple[Generation, Check, _Asked]]:
        """What is to be judged: all but what a guarded model has judged already."""
        asked = self._asked.find(str(run)) or _Asked((), (), RequestInfo())
        for place, generations in enumerate(response.generations):
            conversation = asked.conversations[place] if place < len(asked.conversations) else ()
            for generation in generations:
                if (turn := _turn(generation)) is not None:
                    yield generation, Check(conversation, turn), asked

    def _settle(self, ended: Sequence[tuple[Generation, Outcome]], run: UUID) -> None:
        """Remember the outcomes; raises `BlockedError` if strict and the policy would not release an answer."""
        if not ended:
            return
        for generation, outcome in ended:
            message = generation.message if isinstance(generation, ChatGeneration) else None
            self.guard.remember(outcome, message.id if message else None)
        outcome = join([outcome for _, outcome in ended])
        self.guard.remember(outcome, str(run))
        if self.strict and outcome.mode == "enforce" and outcome.action not in _RELEASED:
            verdict = outcome.verdict.status.value if outcome.verdict else "unverified"
            raise BlockedError(f"the answer is {verdict}, and the policy says to {outcome.action.value}", outcome)


class GuardrailCallbackHandler(_Watch, BaseCallbackHandler):
    """Judges every answer of the models that it watches and reports it; changes nothing.

    The outcome is found by ``guardrail.report(message)``, by ``guardrail.report({"id": str(run_id)})`` and by
    listeners. Documents that retrievers below the same root run returned count as evidence. Answers that a guarded
    model has judged are left alone.

    ``policy``: as for `guardrail.wrap`. ``strict``: an answer for which the policy would do more than flag aborts the
    call with `BlockedError`; in a stream that is after the consumer has seen all of it. It works under ``invoke`` and
    ``ainvoke`` (there in a thread, as every synchronous handler).
    """

    def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Remember whose run it is part of."""
        self._enter(run_id, parent_run_id)

    def on_retriever_end(
        self, documents: Sequence[Document], *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Remember what was found."""
        self._retrieved(documents, run_id, parent_run_id)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember what is asked."""
        self._begin([read_conversation(each) for each in messages], run_id, parent_run_id, tags, metadata)

    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """The same for a model that completes text."""
        self._begin([_prompted(prompt) for prompt in prompts], run_id, parent_run_id, tags, metadata)

    def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """The answer is streamed."""
        self._streaming(run_id)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Judge the answer."""
        self._settle(
            [
                (generation, self.guard.check(check, evidence=asked.documents, info=asked.info))
                for generation, check, asked in self._checks(response, run_id)
            ],
            run_id,
        )


class AsyncGuardrailCallbackHandler(_Watch, AsyncCallbackHandler):
    """`GuardrailCallbackHandler` for applications that use ``ainvoke`` and its kin: verifiers are awaited.

    LangChain also drives it in a synchronous call, on an event loop of its own, and drops whatever it raises: there
    ``strict`` cannot abort, and says so in the log.
    """

    async def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Remember whose run it is part of."""
        self._enter(run_id, parent_run_id)

    async def on_retriever_end(
        self, documents: Sequence[Document], *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Remember what was found."""
        self._retrieved(documents, run_id, parent_run_id)

    async def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember what is asked."""
        self._begin([read_conversation(each) for each in messages], run_id, parent_run_id, tags, metadata)

    async def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """The same for a model that completes text."""
        self._begin([_prompted(prompt) for prompt in prompts], run_id, parent_run_id, tags, metadata)

    async def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """The answer is streamed."""
        self._streaming(run_id)

    async def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Judge the answer."""
        if self.strict and _driven_from_outside():
            once(
                "callback:sync", f"{type(self).__name__} cannot abort a synchronous call: use GuardrailCallbackHandler"
            )
        ended = []
        for generation, check, asked in self._checks(response, run_id):
            outcome = await self.guard.acheck(check, evidence=asked.documents, info=asked.info)
            ended.append((generation, outcome))
        self._settle(ended, run_id)


def _driven_from_outside() -> bool:
    """Whether LangChain runs the handler on an event loop of its own, as in a synchronous call: as that loop's task."""
    task = asyncio.current_task()
    coroutine = task.get_coro() if task else None
    return getattr(coroutine, "cr_code", None) is AsyncGuardrailCallbackHandler.on_llm_end.__code__


def _prompted(prompt: str) -> tuple[Message, ...]:
    return (Message("user", (prompt,)),)


def _turn(generation: Generation) -> Turn | None:
    """The answer to judge; None where a guarded model has."""
    if not isinstance(generation, ChatGeneration):
        return Turn(generation.text)
    if MARK in generation.message.response_metadata:
        return None
    return read_turn(generation.message, generation.generation_info or {})


def _info(tags: Sequence[str], metadata: Mapping[str, Any]) -> RequestInfo:
    """What routes may match on, as LangChain tells it."""
    model, thread = metadata.get("ls_model_name"), metadata.get("thread_id")
    return RequestInfo(
        model=str(model) if model else None,
        tags=frozenset(tags),
        metadata={key: value for key, value in metadata.items() if isinstance(value, str)},
        key=str(thread) if thread else None,
    )
