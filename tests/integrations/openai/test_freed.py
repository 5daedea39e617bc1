"""What a guarded stream was made of is freed when its consumer lets go of it, not when garbage is collected: of many
streams at once, that is most of the memory that they take."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integrations.openai.clients import ASK, BLOCK, REGENERATE, Make, done, entered, released
from tests.integrations.openai.streaming import CONSUMERS, answering, by_words, with_bad
from tests.integrations.openai.upstream import Upstream


@contextmanager
def left_over() -> Iterator[Counter[str]]:
    """Counts the objects of the guard's own kinds that only the garbage collector frees."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        kinds = [type(thing) for thing in gc.garbage]
        found.update(kind.__qualname__ for kind in kinds if kind.__module__.startswith("guardrail"))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def left(it: Any) -> None:
    """A consumer that goes away after the first words."""
    async with entered(await done(it.chat.completions.create(**ASK))) as stream:
        await first_of(stream)
    del stream
    await asyncio.sleep(0.01)  # generators that were dropped are closed by the event loop, when it comes to it


async def first_of(stream: Any) -> Any:
    return await anext(aiter(stream)) if hasattr(stream, "__aiter__") else next(iter(stream))


READERS: dict[str, Any] = {**CONSUMERS, "leaves early": left}


POLICIES = {
    "sentence by sentence, blocked": released(BLOCK, "sentence"),
    "sentence by sentence, gone on with": released(REGENERATE, "sentence"),
    "at once": released(REGENERATE, "optimistic"),
    "whole": released(BLOCK, "whole"),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("read", READERS)
def test_an_ended_stream_is_freed_at_once(make: Make, upstream: Upstream, read: str, policy: str) -> None:
    upstream.answer = answering(by_words(with_bad(1)), "It is 300 metres tall.")
    client = make(POLICIES[policy])
    client.do(READERS[read])
    with left_over() as found:
        client.do(READERS[read])
    assert found == {}
