"""Streams of guarded chat models."""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, TypeVar

from langchain_core.messages.ai import add_usage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks

from guardrail.guard import First, Guard
from guardrail.outcome import Outcome
from guardrail_langchain.asking import aagain, again, astream, stream
from guardrail_langchain.call import Call
from guardrail_langchain.gated import agated, gated
from guardrail_langchain.marks import MARK
from guardrail_langchain.pieces import whole_chunk
from guardrail_langchain.runs import Run, entered
from guardrail_langchain.settled import is_repaired, source_of
from guardrail_langchain.tokens import spent, tokens_of

__all__ = ["aguarded", "awithin", "guarded", "within"]

Item = TypeVar("Item")


def within(run: Run, chunks: Iterator[Item]) -> Iterator[Item]:
    """``chunks``, which is a generator that begins when it is first read, begun inside of ``run``."""
    try:
        with entered(run):
            first = next(chunks, None)
        if first is not None:
            yield first
            yield from chunks
    finally:
        getattr(chunks, "close", _nothing)()


def awithin(run: Run, chunks: AsyncIterator[Item]) -> AsyncIterator[Item]:
    """The same on the event loop."""
    return _Awithin(run, chunks)


class _Awithin(AsyncIterator[Item]):
    """No generator: a loop that ends closes all generators at once, and one that closes another is in its way."""

    def __init__(self, run: Run, chunks: AsyncIterator[Item]) -> None:
        self._run: Run | None = run
        self._chunks = chunks

    async def __anext__(self) -> Item:
        run, self._run = self._run, None
        if run is None:
            return await anext(self._chunks)
        with entered(run):
            return await anext(self._chunks)

    async def aclose(self) -> None:
        """Close the stream."""
        if (close := getattr(self._chunks, "aclose", None)) is not None:
            await close()


def guarded(guard: Guard, call: Call) -> Iterator[ChatGenerationChunk]:
    """The guarded stream, as the policy has it guarded."""
    by_sentence = call.is_text and guard.stream_mode(call.info(stream=True)) != "whole"
    return (gated if by_sentence else held)(guard, call)


def aguarded(guard: Guard, call: Call) -> AsyncIterator[ChatGenerationChunk]:
    """The same on the event loop."""
    by_sentence = call.is_text and guard.stream_mode(call.info(stream=True)) != "whole"
    return (agated if by_sentence else aheld)(guard, call)


def held(guard: Guard, call: Call) -> Iterator[ChatGenerationChunk]:
    """The chunks of the model's own stream once the whole answer has its verdict, or what is released in its place."""
    began = time.monotonic()
    chunks = list(stream(call.request))
    if not chunks:
        return
    result = _joined(chunks)
    call = call.answered(result)
    [turn] = call.turns(result)
    outcome = guard.run(
        functools.partial(again, call, 0),
        call.conversation,
        first=First(turn, time.monotonic() - began),
        evidence=call.evidence,
        info=call.info(stream=True),
    )
    yield from _released(chunks, call, result, outcome)


async def aheld(guard: Guard, call: Call) -> AsyncIterator[ChatGenerationChunk]:
    """The same on the event loop."""
    began = time.monotonic()
    chunks = [chunk async for chunk in astream(call.request)]
    if not chunks:
        return
    result = _joined(chunks)
    call = call.answered(result)
    [turn] = call.turns(result)
    outcome = await guard.arun(
        functools.partial(aagain, call, 0),
        call.conversation,
        first=First(turn, time.monotonic() - began),
        evidence=call.evidence,
        info=call.info(stream=True),
    )
    for chunk in _released(chunks, call, result, outcome):
        yield chunk


def _joined(chunks: Sequence[ChatGenerationChunk]) -> ChatResult:
    """What the chunks add up to."""
    whole = merge_chat_generation_chunks(list(chunks))
    assert whole is not None
    return ChatResult(generations=[whole])


def _released(
    chunks: Sequence[ChatGenerationChunk], call: Call, result: ChatResult, outcome: Outcome
) -> Iterator[ChatGenerationChunk]:
    """The stream's own chunks, the last with the verdict, or one chunk in their place."""
    [generation] = (ended := call.settled(result, [outcome])).generations
    if outcome.turn is None or is_repaired(outcome) or source_of(outcome, call.others) is not None:
        yield whole_chunk(generation, ended.llm_output)
        return
    yield from chunks[:-1]
    yield _with_verdict(chunks[-1], generation, call)


def _with_verdict(last: ChatGenerationChunk, whole: ChatGeneration, call: Call) -> ChatGenerationChunk:
    message = last.message
    metadata = {**message.response_metadata, MARK: whole.message.response_metadata[MARK]}
    # Without the position LangChain would put one of its own behind it, without the report.
    update: dict[str, Any] = {"response_metadata": metadata, "chunk_position": "last"}
    more = spent(other.result.generations[0].message for other in call.others)
    if more is not None:
        update["usage_metadata"] = add_usage(tokens_of(message), more)
    return last.model_copy(update={"message": message.model_copy(update=update)})


def _nothing() -> None:
    pass
