"""Performing `Sample`: the two samplers, around the function that generates.

What is drawn once serves the whole guarded turn: a regenerated answer, and each member of a panel, is held against the
same further answers.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import replace
from typing import TypeAlias

from guardrail.conversation import Message
from guardrail.flow import Draft, Generated
from guardrail.sampling import Sample, Samples
from guardrail.verdict import Usage
from guardrail.verifiers.threads import begun

__all__ = ["TaskSampler", "ThreadSampler"]

Drawn: TypeAlias = Generated | Exception
"""What came of one generation."""


class ThreadSampler:
    """Asks ``generate`` for further answers to ``conversation``, each in a thread."""

    def __init__(self, conversation: tuple[Message, ...], generate: Callable[[Draft], Generated]) -> None:
        self._conversation, self._generate = conversation, generate
        self._kept = _Kept()
        self._turn = threading.Lock()

    def sample(self, wish: Sample) -> Samples:
        """Those that were there in time; what comes later is thrown away."""
        started = time.monotonic()
        if not self._turn.acquire(timeout=-1 if wish.remaining is None else max(0.0, wish.remaining)):
            return Samples((), problem=_LATE, late=True)
        try:
            return self._kept.find(wish) or self._kept.keep(wish, self._draw(_after(wish, started)))
        finally:
            self._turn.release()

    async def asample(self, wish: Sample) -> Samples:
        """The same, awaited."""
        return await asyncio.wrap_future(begun(lambda: self.sample(wish), name="guardrail-sample"))

    def _draw(self, wish: Sample) -> Samples:
        draft, drawn = _draft(self._conversation, wish), list[Drawn]()
        left, over = iter(range(wish.n)), threading.Event()
        guard = threading.Lock()

        def work() -> None:
            while not over.is_set() and _taken(left, guard):
                drawn.append(self._one(draft))

        futures = [begun(work, name="guardrail-sample") for _ in range(min(wish.concurrency or wish.n, wish.n))]
        done, _ = wait(futures, timeout=wish.remaining)
        over.set()
        for future in done:
            future.result()  # what is no `Exception`, such as an interrupt, is the caller's
        return _samples(list(drawn), wish)

    def _one(self, draft: Draft) -> Drawn:
        try:
            return self._generate(draft)
        except Exception as error:  # an LLM that fails leaves one answer less to hold against
            return error


class TaskSampler:
    """The same for an event loop, each in a task. Made on the loop that it is used on."""

    def __init__(self, conversation: tuple[Message, ...], generate: Callable[[Draft], Awaitable[Generated]]) -> None:
        self._conversation, self._generate = conversation, generate
        self._kept = _Kept()
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    def sample(self, wish: Sample) -> Samples:
        """For verifiers that know no event loop, and are asked in a thread: on the loop, awaited from there."""
        return asyncio.run_coroutine_threadsafe(self.asample(wish), self._loop).result()

    async def asample(self, wish: Sample) -> Samples:
        """Those that were there in time; the others are cancelled."""
        started = time.monotonic()
        async with self._turn:
            return self._kept.find(wish) or self._kept.keep(wish, await self._draw(_after(wish, started)))

    async def _draw(self, wish: Sample) -> Samples:
        draft, drawn = _draft(self._conversation, wish), list[Drawn]()
        gate = asyncio.Semaphore(wish.concurrency or wish.n)

        async def one() -> None:
            async with gate:
                drawn.append(await self._one(draft))

        tasks = [asyncio.create_task(one()) for _ in range(wish.n)]
        try:
            done, _ = await asyncio.wait(tasks, timeout=wish.remaining)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        return _samples(drawn, wish)

    async def _one(self, draft: Draft) -> Drawn:
        try:
            return await self._generate(draft)
        except Exception as error:  # an LLM that fails leaves one answer less to hold against
            return error


_LATE = "there was no time left"


class _Kept:
    """What was drawn for a turn, for those who ask again."""

    def __init__(self) -> None:
        self._wish: Sample | None = None
        self._samples = Samples(())

    def find(self, wish: Sample) -> Samples | None:
        """What was drawn where it serves ``wish`` too. Its tokens are counted already."""
        known = self._wish
        if known is None or not self._samples.turns or wish.n > known.n or wish.temperature != known.temperature:
            return None
        if wish.max_tokens > known.max_tokens and any(turn.finish_reason == "length" for turn in self._samples.turns):
            return None  # they were cut off, and the answer is longer than the one that they were cut for
        return replace(self._samples, turns=self._samples.turns[: wish.n], usage=None)

    def keep(self, wish: Sample, samples: Samples) -> Samples:
        self._wish, self._samples = wish, samples
        return samples


def _after(wish: Sample, started: float) -> Sample:
    if wish.remaining is None:
        return wish
    return replace(wish, remaining=max(0.0, wish.remaining - (time.monotonic() - started)))


def _draft(conversation: tuple[Message, ...], wish: Sample) -> Draft:
    return Draft(conversation, remaining=wish.remaining, sample=wish)


def _taken(left: Iterator[int], guard: threading.Lock) -> bool:
    """Whether there was one more to do, which is the caller's now."""
    with guard:
        return next(left, None) is not None


def _samples(drawn: Sequence[Drawn], wish: Sample) -> Samples:
    answers = [one for one in drawn if isinstance(one, Generated)]
    errors = [one for one in drawn if isinstance(one, Exception)]
    usages = [one.usage for one in answers if one.usage is not None]
    late = len(drawn) < wish.n
    problem = repr(errors[0]) if errors else _LATE if late else ""
    return Samples(tuple(one.turn for one in answers), sum(usages, Usage()) if usages else None, problem, late)
