"""The loop of a guard around a chat model's own ``_generate``, for callers that wait and for event loops."""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator, Iterator

from langchain_core.outputs import ChatGenerationChunk, ChatResult

from guardrail.flow import Draft, Generated
from guardrail.guard import First, Guard
from guardrail_langchain.call import Call, Request

__all__ = ["aagain", "aanswered", "again", "answered", "aready", "astream", "ready", "stream"]


def answered(guard: Guard, call: Call) -> ChatResult:
    """The model's answer, once it is judged, or what the policy puts in its place."""
    began = time.monotonic()
    result = _generate(call.request)
    call = call.answered(result)
    elapsed = time.monotonic() - began
    outcomes = [
        guard.run(
            functools.partial(again, call, turn.index),
            call.conversation,
            first=First(turn, elapsed),
            evidence=call.evidence,
            info=call.info(),
        )
        for turn in call.turns(result)
    ]
    return call.settled(result, outcomes)


async def aanswered(guard: Guard, call: Call) -> ChatResult:
    """The same on the event loop."""
    began = time.monotonic()
    result = await _agenerate(call.request)
    call = call.answered(result)
    elapsed = time.monotonic() - began
    outcomes = [
        await guard.arun(
            functools.partial(aagain, call, turn.index),
            call.conversation,
            first=First(turn, elapsed),
            evidence=call.evidence,
            info=call.info(),
        )
        for turn in call.turns(result)
    ]
    return call.settled(result, outcomes)


def again(call: Call, index: int, draft: Draft) -> Generated:
    """Another answer for the choice ``index``."""
    return call.generated(_generate(ready(call.again(draft))), index)


async def aagain(call: Call, index: int, draft: Draft) -> Generated:
    """The same on the event loop."""
    return call.generated(await _agenerate(await aready(call.again(draft))), index)


def ready(request: Request) -> Request:
    """``request``, once the model's rate limiter lets it go: LangChain asks it for the first request of a run only."""
    if request.model.rate_limiter:
        request.model.rate_limiter.acquire(blocking=True)
    return request


async def aready(request: Request) -> Request:
    """The same on the event loop."""
    if request.model.rate_limiter:
        await request.model.rate_limiter.aacquire(blocking=True)
    return request


# All without the run's manager: providers tell it of tokens, and these are not judged yet.


def stream(request: Request) -> Iterator[ChatGenerationChunk]:
    """The model's own stream."""
    return request.model._stream(request.messages, **request.options)


def astream(request: Request) -> AsyncIterator[ChatGenerationChunk]:
    """The same on the event loop."""
    return request.model._astream(request.messages, **request.options)


def _generate(request: Request) -> ChatResult:
    return request.model._generate(request.messages, **request.options)


async def _agenerate(request: Request) -> ChatResult:
    return await request.model._agenerate(request.messages, **request.options)
