"""The loop of a guard around a chat model's own ``_generate``, for callers that wait and for event loops."""

from __future__ import annotations

import functools
import time

from langchain_core.outputs import ChatResult

from guardrail.flow import Draft, Generated
from guardrail.guard import First, Guard
from guardrail_langchain.call import Call, Request

__all__ = ["aagain", "aanswered", "again", "answered"]


def answered(guard: Guard, call: Call) -> ChatResult:
    """The model's answer, once it is judged, or what the policy puts in its place."""
    began = time.monotonic()
    result = _generate(call.request)
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
    request = call.again(draft)
    if request.model.rate_limiter:
        request.model.rate_limiter.acquire(blocking=True)
    return call.generated(_generate(request), index)


async def aagain(call: Call, index: int, draft: Draft) -> Generated:
    """The same on the event loop."""
    request = call.again(draft)
    if request.model.rate_limiter:
        await request.model.rate_limiter.aacquire(blocking=True)
    return call.generated(await _agenerate(request), index)


def _generate(request: Request) -> ChatResult:
    # Without the run's manager: providers tell it of tokens, and these are not judged yet.
    return request.model._generate(request.messages, **request.options)


async def _agenerate(request: Request) -> ChatResult:
    return await request.model._agenerate(request.messages, **request.options)
