"""A step of a chain that guards the answer which comes out of the steps before it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import Runnable, RunnableConfig

from guardrail.conversation import Evidence, Message
from guardrail.events import Listener
from guardrail.guard import First, Guard
from guardrail.outcome import Outcome
from guardrail.policy.routing import RequestInfo
from guardrail.streams.values import Chunk, Ended, Item, Release, Write
from guardrail_langchain import answers
from guardrail_langchain.guards import guard_of
from guardrail_langchain.inputs import contexts_in, messages_of
from guardrail_langchain.marks import MARK, mark
from guardrail_langchain.messages import read_conversation
from guardrail_langchain.runs import Run, run_of

if TYPE_CHECKING:
    from guardrail.policy.model import Policy
    from guardrail.verifiers.own import Judge

__all__ = ["AnswerGuard"]

_ONCE = "a chain is not run again, as its steps may have effects"


class AnswerGuard(Runnable[Any, Any]):
    """``prompt | model | AnswerGuard("strict")``: judges what comes in, and hands on what the policy says.

    It sees the answer, and of the question and its evidence only what is in the same dict, what is given by
    `guardrail.evidence`, and in a chain from `guardrail.wrap` what that chain was asked and has retrieved. It cannot
    have the answer generated again: guard the model, or wrap the whole chain, where you can.

    ``policy``, ``verifiers``, ``listeners``: as for `guardrail.wrap`.
    """

    def __init__(
        self,
        policy: Policy | str | Path | Guard | None = None,
        *,
        verifiers: Mapping[str, Judge] | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.guard = guard_of(policy, verifiers, listeners)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """``input`` with what was released in the place of its answer."""

        def answered(_: Any, run_manager: Any, config: RunnableConfig) -> Any:
            return self.answered(input, config)

        # The run has no input to tell callbacks of: it is not judged yet.
        return self._call_with_config(answered, None, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The same on the event loop."""

        async def answered(_: Any, run_manager: Any, config: RunnableConfig) -> Any:
            return await self.aanswered(input, config)

        return await self._acall_with_config(answered, None, config)

    def transform(self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        """The pieces of a stream, each when its sentence has its verdict."""

        def streamed(_: Iterator[Any], run_manager: Any, config: RunnableConfig) -> Iterator[Any]:
            return self.streamed(input, config)

        yield from self._transform_stream_with_config(iter(()), streamed, config)

    async def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """The same on the event loop."""

        def streamed(_: AsyncIterator[Any], run_manager: Any, config: RunnableConfig) -> AsyncIterator[Any]:
            return self.astreamed(input, config)

        async for piece in self._atransform_stream_with_config(_nothing(), streamed, config):
            yield piece

    # for mounts that run the chain themselves, in the run of ``config``

    def answered(
        self, value: Any, config: RunnableConfig, *, asked: Any = None, events: RunnableConfig | None = None
    ) -> Any:
        """`invoke` in a run that there is already.

        ``asked``: what the answer is to; ``events``: whose callbacks are told of the verdict, where not ``config``'s.
        """
        if answers.is_guarded(value):
            return value
        case = _Case.of(value, run_of(config), asked)
        first = First(answers.turn_in(value), cannot_generate=_ONCE)
        outcome = self.guard.run(None, case.conversation, first=first, evidence=case.evidence, info=case.info())
        dispatch_custom_event(MARK, mark(outcome), config=events or config)
        return answers.replaced(value, outcome)

    async def aanswered(
        self, value: Any, config: RunnableConfig, *, asked: Any = None, events: RunnableConfig | None = None
    ) -> Any:
        """The same on the event loop."""
        if answers.is_guarded(value):
            return value
        case = _Case.of(value, run_of(config), asked)
        first = First(answers.turn_in(value), cannot_generate=_ONCE)
        outcome = await self.guard.arun(None, case.conversation, first=first, evidence=case.evidence, info=case.info())
        await adispatch_custom_event(MARK, mark(outcome), config=events or config)
        return answers.replaced(value, outcome)

    def streamed(
        self, pieces: Iterator[Any], config: RunnableConfig, *, asked: Any = None, events: RunnableConfig | None = None
    ) -> Iterator[Any]:
        """`transform` in a run that there is already."""
        seen: dict[str, Any] = {}
        for piece in pieces:
            if not answers.grows(piece):
                [whole] = deque(chain([piece], pieces), maxlen=1)
                yield self.answered(whole, config, asked=asked, events=events)
                return
            seen.update(piece if isinstance(piece, Mapping) else {})
            if answers.text_in(piece):
                yield from self._gated(piece, pieces, _Case.of(seen, run_of(config), asked), events or config)
                return
            yield piece

    async def astreamed(
        self,
        pieces: AsyncIterator[Any],
        config: RunnableConfig,
        *,
        asked: Any = None,
        events: RunnableConfig | None = None,
    ) -> AsyncIterator[Any]:
        """The same on the event loop."""
        seen: dict[str, Any] = {}
        async for piece in pieces:
            if not answers.grows(piece):
                async for later in pieces:
                    piece = later
                yield await self.aanswered(piece, config, asked=asked, events=events)
                return
            seen.update(piece if isinstance(piece, Mapping) else {})
            if answers.text_in(piece):
                case = _Case.of(seen, run_of(config), asked)
                async for released in self._agated(piece, pieces, case, events or config):
                    yield released
                return
            yield piece

    def _gated(self, first: Any, rest: Iterator[Any], case: _Case, config: RunnableConfig) -> Iterator[Any]:
        shown = _Shown(first)
        with self.guard.gated(
            map(_chunk, chain([first], rest)),
            case.conversation,
            split=answers.split,
            evidence=case.evidence,
            info=case.info(stream=True),
            cannot_generate=_ONCE,
        ) as items:
            for item in items:
                yield from shown.take(item)
        dispatch_custom_event(MARK, mark(shown.outcome), config=config)
        yield from shown.last()

    async def _agated(
        self, first: Any, rest: AsyncIterator[Any], case: _Case, config: RunnableConfig
    ) -> AsyncIterator[Any]:
        shown = _Shown(first)
        async with self.guard.agated(
            (_chunk(piece) async for piece in _with_first(first, rest)),
            case.conversation,
            split=answers.split,
            evidence=case.evidence,
            info=case.info(stream=True),
            cannot_generate=_ONCE,
        ) as items:
            async for item in items:
                for piece in shown.take(item):
                    yield piece
        await adispatch_custom_event(MARK, mark(shown.outcome), config=config)
        for piece in shown.last():
            yield piece


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of an answer besides itself."""

    conversation: tuple[Message, ...]
    evidence: tuple[Evidence, ...]
    run: Run

    @classmethod
    def of(cls, value: Any, run: Run, asked: Any) -> _Case:
        """By what was asked where that is known, else by what stands beside the answer."""
        if asked is None and isinstance(value, Mapping):
            asked = value
        documents, contexts = contexts_in(value) if isinstance(value, Mapping) else ([], [])
        # Text that was made of documents is not said twice.
        texts = () if documents or run.evidence else (Evidence(text, "retrieved") for text in contexts)
        return cls(read_conversation(messages_of(asked)), (*run.evidence, *documents, *texts), run)

    def info(self, *, stream: bool = False) -> RequestInfo:
        """What routes go by."""
        return RequestInfo(tags=self.run.tags, metadata=self.run.metadata, stream=stream, key=self.run.key)


class _Shown:
    """What a stream has shown so far."""

    def __init__(self, form: Any) -> None:
        self._last = form
        """The last piece with text; before there is one, what it will be like."""
        self._outcome: Outcome | None = None

    def take(self, item: Item[Any]) -> Iterator[Any]:
        """The piece to hand on for ``item``, if any."""
        match item:
            case Release():
                self._last = item.piece if item.text else self._last
                yield item.piece
            case Write():
                yield answers.like(self._last, item.text)
            case Ended():
                self._outcome = item.outcome

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        assert self._outcome is not None
        return self._outcome

    def last(self) -> Iterator[Any]:
        """Of messages, a last chunk with the report."""
        if isinstance(self._last, AIMessageChunk):
            yield AIMessageChunk(content="", id=self._last.id, response_metadata={MARK: mark(self.outcome)})


def _chunk(piece: Any) -> Chunk[Any]:
    return Chunk(piece, answers.text_in(piece), calls=bool(getattr(piece, "tool_call_chunks", None)))


async def _nothing() -> AsyncIterator[Any]:
    return
    yield


async def _with_first(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for piece in rest:
        yield piece
