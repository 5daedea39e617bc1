"""Streams of guarded chat models that are released sentence by sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from langchain_core.outputs import ChatGenerationChunk

from guardrail.guard import Guard
from guardrail_langchain.asking import astream, stream
from guardrail_langchain.call import Call
from guardrail_langchain.pieces import split
from guardrail_langchain.shown import Shown

__all__ = ["agated", "gated"]


def gated(guard: Guard, call: Call) -> Iterator[ChatGenerationChunk]:
    """The model's own chunks, each when its sentence has its verdict, or what goes out in their place."""
    info = call.info(stream=True)
    shown = Shown(call, optimistic=guard.stream_mode(info) == "optimistic")
    with guard.gated(
        shown.read(stream(call.request)),
        call.conversation,
        split=split,
        generate=shown.more,
        evidence=call.evidence,
        info=info,
    ) as items:
        for item in items:
            if (chunk := shown.take(item)) is not None:
                yield chunk
    # Not before: what is raised in the place of an answer must come before any chunk, for fallbacks to work.
    yield shown.last()


async def agated(guard: Guard, call: Call) -> AsyncIterator[ChatGenerationChunk]:
    """The same on the event loop."""
    info = call.info(stream=True)
    shown = Shown(call, optimistic=guard.stream_mode(info) == "optimistic")
    async with guard.agated(
        shown.aread(astream(call.request)),
        call.conversation,
        split=split,
        generate=shown.amore,
        evidence=call.evidence,
        info=info,
    ) as items:
        async for item in items:
            if (chunk := shown.take(item)) is not None:
                yield chunk
    yield shown.last()
