"""Who draws samples for the choices of a stream."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

from guardrail.flow import Draft
from guardrail.samplers import TaskSampler, ThreadSampler
from guardrail.streams.choices import Choices
from guardrail.streams.sources import agathered, gathered
from guardrail.streams.values import Chunk

__all__ = ["task_sampler", "thread_sampler"]


def thread_sampler(
    flows: Choices[Any], generate: Callable[[Draft, int], Iterable[Chunk[Any]]] | None, index: int
) -> ThreadSampler | None:
    """For one choice; None where nothing can be generated, or the stream is not held whole.

    Samples are of a whole answer: what it costs to hold one against them would be paid for every sentence.
    """
    flow = flows.flow(index)
    if generate is None or flow.job.cannot_generate or not flow.is_whole:
        return None
    return ThreadSampler(flow.job.conversation, lambda draft: gathered(generate(draft, index)))


def task_sampler(
    flows: Choices[Any], generate: Callable[[Draft, int], AsyncIterable[Chunk[Any]]] | None, index: int
) -> TaskSampler | None:
    """The same on an event loop."""
    flow = flows.flow(index)
    if generate is None or flow.job.cannot_generate or not flow.is_whole:
        return None
    return TaskSampler(flow.job.conversation, lambda draft: agathered(generate(draft, index)))
