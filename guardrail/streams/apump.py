"""The asynchronous pump: upstreams and verifications in tasks of their own, so that none waits for another."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from guardrail.errors import GuardrailError, VerifierError
from guardrail.events import Listener
from guardrail.flow import Draft
from guardrail.logs import broadcast, logger
from guardrail.lost import no_verdict
from guardrail.resilience.deadline import abounded
from guardrail.sampling import Sampler
from guardrail.streams.choices import Choices
from guardrail.streams.commands import Ask, Command, Cut, Forget, Give, GoOn, Listen, Pause, Say
from guardrail.streams.pump import AHEAD, no_sampler
from guardrail.streams.values import Chunk, Item, Release
from guardrail.verdict import Verdict
from guardrail.verifiers.protocol import Verifier

__all__ = ["AsyncPump"]

Piece = TypeVar("Piece")


class AsyncPump(Generic[Piece]):
    """Drives the flows of one request on an event loop. Nothing happens before `items` is iterated.

    ``close`` is awaited to end the first upstream; the task that reads it is cancelled before. ``sampler`` gives what
    draws samples for a choice.
    """

    def __init__(
        self,
        source: AsyncIterable[Chunk[Piece]],
        choices: Choices[Piece],
        *,
        verifiers: Mapping[str, Verifier],
        generate: Callable[[Draft, int], AsyncIterable[Chunk[Piece]]] | None = None,
        close: Callable[[], Awaitable[None]] | None = None,
        sampler: Callable[[int], Sampler | None] = no_sampler,
        listeners: Sequence[Listener] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._choices, self._generate, self._close = source, choices, generate, close
        self._verifiers, self._sampler = verifiers, sampler
        self._listeners, self._clock = listeners, clock
        self._items: deque[Item[Piece]] = deque()
        self._ready, self._room = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._readers: dict[tuple[int, int], asyncio.Task[None]] = {}
        """By choice and number; the first upstream is number 0 of choice -1."""
        self._asked: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._alarms: dict[int, asyncio.TimerHandle] = {}
        self._numbers = itertools.count()
        self._begun = self._closed = False
        self._failure: BaseException | None = None

    async def items(self) -> AsyncIterator[Item[Piece]]:
        """What is given to the consumer; raises the upstream's error at the end. Closes everything when it ends."""
        if not self._closed:
            self._begun = True
            self._room.set()
            self._readers[-1, 0] = self._task(self._read(-1, 0, lambda: self._source))
        try:
            while True:
                await self._ready.wait()
                while self._items and not self._closed:
                    item = self._items.popleft()
                    if len(self._items) < AHEAD:
                        self._room.set()
                    yield item
                if self._failure is not None or self._choices.is_over or self._closed:
                    break
                self._ready.clear()
        finally:
            await self.aclose()
        if (error := self._failure or self._choices.error) is not None:
            raise error

    def ready(self) -> list[Item[Piece]]:
        """What else can be given without waiting; not asked for by `items` then."""
        if self._closed:
            return []
        items = list(self._items)
        self._items.clear()
        self._room.set()
        return items

    async def aclose(self) -> None:
        """End everything that is under way, and wait for its end; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._ready.set()
        for alarm in self._alarms.values():
            alarm.cancel()
        mine = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not mine]
        for task in tasks:
            task.cancel()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:  # a consumer may be cancelled again while it waits
            await self._end_source()
            self._let_go()

    def _let_go(self) -> None:
        """Forget what is the mount's, which mostly holds this: what is in no cycle is freed at once."""
        self._generate, self._sampler = None, no_sampler
        self._readers.clear()
        self._asked.clear()

    # what happens

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            # By itself: as if what it awaited had been cancelled by others.
            error: BaseException | None = None if task.cancelling() else asyncio.CancelledError()
        else:
            error = task.exception()
        if error is not None:  # nobody else would hear of it, and the consumer would wait for ever
            self._fail(error)

    async def _read(self, index: int, number: int, open: Callable[[], AsyncIterable[Chunk[Piece]]]) -> None:
        chunks: AsyncIterable[Chunk[Piece]] | None = None
        try:
            chunks = open()
            async for chunk in chunks:
                if len(self._items) >= AHEAD:
                    self._room.clear()
                    await self._room.wait()
                if chunk.aside:
                    self._items.append(Release(chunk.piece))
                    self._ready.set()
                    continue
                to = chunk.index if index < 0 else index
                self._perform(to, self._choices.flow(to).feed(number, chunk, self._clock()))
        except Exception as error:
            self._end(index, number, error)
        else:
            self._end(index, number, None)
        finally:
            await _aclosed(chunks)

    def _end(self, index: int, number: int, error: Exception | None) -> None:
        if index < 0:
            self._choices.upstream_ended = True
        flows = self._choices.flows if index < 0 else {index: self._choices.flow(index)}
        for to, flow in list(flows.items()):
            now = self._clock()
            self._perform(to, flow.ended(number, now) if error is None else flow.failed(number, error, now))
        if self._choices.is_over:  # as no further choice can begin
            self._ready.set()

    def _fail(self, error: BaseException) -> None:
        """What is nobody's failure reaches the consumer as it is."""
        self._failure = self._failure or error
        self._ready.set()

    # what is to be done

    def _perform(self, index: int, commands: Sequence[Command]) -> None:
        if self._closed or not commands:
            return
        for command in commands:
            if self._choices.heeded(index, command):
                self._do(index, command)
        if self._items or self._choices.is_over:
            self._ready.set()

    def _do(self, index: int, command: Command) -> None:
        match command:
            case Give():
                self._items.append(command.item)
            case Say():
                broadcast(self._listeners, command.event)
            case Ask():
                self._asked[index, command.ticket] = self._task(self._verify(index, command))
            case Forget():
                for ticket in command.tickets:
                    self._asked.pop((index, ticket)).cancel()
            case Cut():
                self._cut(-1 if command.source == 0 else index, command.source)
            case Pause():
                flow = self._choices.flow(index)
                self._alarm(command.seconds, lambda: self._perform(index, flow.woken(self._clock())))
            case Listen(seconds, source, place):
                flow = self._choices.flow(index)
                self._alarm(seconds, lambda: self._perform(index, flow.silent(source, place, self._clock())))
            case GoOn():
                self._go_on(index, command)

    def _cut(self, index: int, number: int) -> None:
        reader = self._readers.pop((index, number), None)
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()
        if number == 0:
            self._task(self._end_source())

    def _alarm(self, seconds: float, call: Callable[[], None]) -> None:
        def ring() -> None:
            del self._alarms[number]
            call()

        number = next(self._numbers)
        self._alarms[number] = asyncio.get_running_loop().call_later(seconds, ring)

    def _go_on(self, index: int, command: GoOn) -> None:
        flow, generate = self._choices.flow(index), self._generate
        if command.draft.remaining is not None:
            late = command.draft.remaining
            self._alarm(late, lambda: self._perform(index, flow.late(command.source, self._clock())))

        def open() -> AsyncIterable[Chunk[Piece]]:
            if generate is None:
                raise GuardrailError("this mount has nothing to generate with")
            return generate(command.draft, index)

        self._readers[index, command.source] = self._task(self._read(index, command.source, open))

    async def _verify(self, index: int, ask: Ask) -> None:
        reply: Verdict | VerifierError | None
        try:
            check = replace(ask.check, sampler=self._sampler(index))
            reply = await abounded(self._verifiers[ask.verifier].averify(check), check.remaining)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            reply = no_verdict(ask.verifier, error)
            if reply is None:
                return self._fail(error)
        self._asked.pop((index, ask.ticket), None)
        self._perform(index, self._choices.flow(index).judged(ask.ticket, reply, self._clock()))

    async def _end_source(self) -> None:
        close, self._close = self._close, None
        if close is not None:
            await _closed(close)
        elif not self._begun:
            await _aclosed(self._source)


async def _aclosed(chunks: Any) -> None:
    """Close a source that can be closed."""
    close = getattr(chunks, "aclose", None)
    if close is not None:
        await _closed(close)


async def _closed(close: Callable[[], Awaitable[None]]) -> None:
    try:
        await close()
    except Exception as error:  # the answer must not be lost to it
        logger.info("could not close the upstream: %r", error)
