"""The synchronous pump: upstreams and verifications in threads of their own, so that none waits for another.

Each upstream is read by a thread, and each verification runs in one. They tell the flow what happened, under one lock,
and perform what it asks for; the consumer's thread takes what is given. So a sentence goes out the moment its verdict
is in, whether the upstream talks or not, and a bad one ends the upstream though the consumer be busy.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import Any, Generic, TypeAlias, TypeVar

from guardrail.errors import GuardrailError, VerifierError
from guardrail.events import Listener
from guardrail.flow import Draft
from guardrail.logs import broadcast, logger
from guardrail.lost import no_verdict
from guardrail.sampling import Sampler
from guardrail.streams.choices import Choices
from guardrail.streams.commands import Ask, Command, Cut, Forget, Give, GoOn, Listen, Pause, Say
from guardrail.streams.sources import interrupt
from guardrail.streams.values import Chunk, Item, Release
from guardrail.verdict import Verdict
from guardrail.verifiers.protocol import Verifier

__all__ = ["AHEAD", "Pump", "no_sampler"]

Piece = TypeVar("Piece")
Upstream: TypeAlias = tuple[int, int]
"""The choice and the number of an upstream."""
_FIRST: Upstream = (-1, 0)
"""The one that all choices share."""
AHEAD = 256
"""So many items that the consumer has not taken keep the upstream from being read on."""


def no_sampler(index: int) -> None:
    """For a mount that cannot draw samples."""
    return None


class Pump(Generic[Piece]):
    """Drives the flows of one request. Nothing happens before `items` is iterated.

    ``close`` ends the first upstream from another thread. Without it, and without a method ``close`` of ``source`` that
    can do so (a generator's cannot), a thread that waits for the next piece ends when that comes. The same goes for
    what ``generate`` returns; it is called in a thread of its own. ``sampler`` gives what draws samples for a choice.
    """

    def __init__(
        self,
        source: Iterable[Chunk[Piece]],
        choices: Choices[Piece],
        *,
        verifiers: Mapping[str, Verifier],
        generate: Callable[[Draft, int], Iterable[Chunk[Piece]]] | None = None,
        close: Callable[[], None] | None = None,
        sampler: Callable[[int], Sampler | None] = no_sampler,
        listeners: Sequence[Listener] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._choices, self._generate = source, choices, generate
        self._verifiers, self._sampler = verifiers, sampler
        self._listeners, self._clock = listeners, clock
        self._enders: dict[tuple[int, int], Callable[[], None]] = {}
        """What ends an upstream that another thread waits for, by choice and number."""
        if (end := close or interrupt(source)) is not None:
            self._enders[_FIRST] = end
        self._changed = threading.Condition()
        self._items: deque[Item[Piece]] = deque()
        self._alarms: list[tuple[float, Callable[[float], None]]] = []
        self._cut: set[tuple[int, int]] = set()
        """Upstreams that are not to be read on."""
        self._begun = self._closed = False
        self._failure: BaseException | None = None
        self._context = copy_context()

    def items(self) -> Iterator[Item[Piece]]:
        """What is given to the consumer; raises the upstream's error at the end. Closes everything when it ends."""
        if not self._closed:
            self._begun = True
            self._thread(lambda: self._read(_FIRST, lambda: self._source), "guardrail-upstream")
        try:
            while True:
                with self._changed:
                    self._wait()
                    if not self._items:
                        break
                    items = list(self._items)
                    self._items.clear()
                    self._changed.notify_all()
                for item in items:
                    if self._closed:
                        return
                    yield item
        finally:
            self.close()
        if (error := self._failure or self._choices.error) is not None:
            raise error

    def close(self) -> None:
        """End everything that is under way; safe to call twice, and from any thread."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            enders, self._enders = list(self._enders.values()), {}
            # What is the mount's mostly holds this: what is in no cycle is freed at once.
            self._alarms, self._generate, self._sampler = [], None, no_sampler
        for end in enders:
            _ended(end)
        if not self._begun:
            _closed(self._source)

    # waiting, in the consumer's thread

    def _wait(self) -> None:
        while not (self._items or self._failure or self._choices.is_over or self._closed):
            now = self._clock()
            due = [alarm for alarm in self._alarms if alarm[0] <= now]
            if due:
                self._alarms = [alarm for alarm in self._alarms if alarm[0] > now]
                for _, call in due:
                    call(now)
                continue
            next_ = min((at for at, _ in self._alarms), default=None)
            # An interrupt that comes in just before a wait without end can be missed: so no wait is without end.
            self._changed.wait(0.5 if next_ is None else min(0.5, next_ - now))

    # what happens, in the threads of upstreams and verifications

    def _thread(self, work: Callable[[], None], name: str) -> None:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # nobody else would hear of it, and the consumer would wait for ever
                self._fail(error)

        context = self._context.copy()
        threading.Thread(target=context.run, args=(run,), name=name, daemon=True).start()

    def _read(self, upstream: Upstream, open: Callable[[], Iterable[Chunk[Piece]]]) -> None:
        chunks: Iterable[Chunk[Piece]] | None = None
        try:
            chunks = open()
            if upstream != _FIRST and not self._wanted(upstream, interrupt(chunks)):
                return
            for chunk in chunks:
                if not self._take(upstream, chunk):
                    break
        except Exception as error:
            self._end(upstream, error)
        else:
            self._end(upstream, None)
        finally:
            self._enders.pop(upstream, None)
            _closed(chunks)

    def _wanted(self, upstream: Upstream, end: Callable[[], None] | None) -> bool:
        """Whether what was asked for is to be read, now that it is there; ``end`` is what ends it."""
        with self._changed:
            if self._closed or upstream in self._cut:
                return False
            if end is not None:
                self._enders[upstream] = end
            return True

    def _take(self, upstream: Upstream, chunk: Chunk[Piece]) -> bool:
        """Feeds a chunk; whether more is wanted."""
        with self._changed:
            while len(self._items) >= AHEAD and not self._closed:
                self._changed.wait()
            if self._closed or upstream in self._cut:
                return False
            if chunk.aside:
                self._items.append(Release(chunk.piece))
                self._changed.notify_all()
                return True
            index = chunk.index if upstream == _FIRST else upstream[0]
            flow = self._choices.flow(index)
            self._perform(index, flow.feed(upstream[1], chunk, self._clock()))
            return upstream not in self._cut

    def _end(self, upstream: Upstream, error: Exception | None) -> None:
        with self._changed:
            if self._closed or upstream in self._cut:
                return
            self._cut.add(upstream)
            index, number = upstream
            if upstream == _FIRST:
                self._choices.upstream_ended = True
            flows = self._choices.flows if upstream == _FIRST else {index: self._choices.flow(index)}
            for to, flow in list(flows.items()):
                now = self._clock()
                self._perform(to, flow.ended(number, now) if error is None else flow.failed(number, error, now))
            self._changed.notify_all()  # no further choice can begin

    def _fail(self, error: BaseException) -> None:
        """What is nobody's failure reaches the consumer as it is."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    # what is to be done, under the lock

    def _perform(self, index: int, commands: Sequence[Command]) -> None:
        for command in commands:
            if self._choices.heeded(index, command):
                self._do(index, command)
        if commands:  # whom a word that ends no sentence wakes finds nothing to do
            self._changed.notify_all()

    def _do(self, index: int, command: Command) -> None:
        match command:
            case Give():
                self._items.append(command.item)
            case Say():
                broadcast(self._listeners, command.event)
            case Ask():
                self._thread(lambda: self._verify(index, command), "guardrail-verify")
            case Cut():
                upstream = (index, command.source) if command.source else _FIRST
                self._cut.add(upstream)
                if (end := self._enders.pop(upstream, None)) is not None:
                    # Not under the lock: it may take its time, or wait for the thread that reads.
                    self._thread(lambda: _ended(end), "guardrail-close")
            case Pause():
                flow = self._choices.flow(index)
                self._alarm(command.seconds, lambda now: self._perform(index, flow.woken(now)))
            case Listen(seconds, source, place):
                flow = self._choices.flow(index)
                self._alarm(seconds, lambda now: self._perform(index, flow.silent(source, place, now)))
            case GoOn():
                self._go_on(index, command)
            case Forget():
                pass  # a thread cannot be stopped; what it finds is not listened to

    def _alarm(self, seconds: float, call: Callable[[float], None]) -> None:
        self._alarms.append((self._clock() + seconds, call))

    def _go_on(self, index: int, command: GoOn) -> None:
        flow, generate = self._choices.flow(index), self._generate
        if command.draft.remaining is not None:
            self._alarm(command.draft.remaining, lambda now: self._perform(index, flow.late(command.source, now)))

        def open() -> Iterable[Chunk[Piece]]:
            if generate is None:
                raise GuardrailError("this mount has nothing to generate with")
            return generate(command.draft, index)

        self._thread(lambda: self._read((index, command.source), open), "guardrail-upstream")

    def _verify(self, index: int, ask: Ask) -> None:
        reply: Verdict | VerifierError | None
        try:
            check = replace(ask.check, sampler=self._sampler(index))
            reply = self._verifiers[ask.verifier].verify(check)
        except BaseException as error:
            reply = no_verdict(ask.verifier, error)
            if reply is None:
                return self._fail(error)
        with self._changed:
            if not self._closed:
                self._perform(index, self._choices.flow(index).judged(ask.ticket, reply, self._clock()))


def _closed(chunks: Any) -> None:
    """Close a source that can be closed."""
    close = getattr(chunks, "close", None)
    if close is not None:
        _ended(close)


def _ended(close: Callable[[], None]) -> None:
    try:
        close()
    except Exception as error:  # the answer must not be lost to it
        logger.info("could not close the upstream: %r", error)
