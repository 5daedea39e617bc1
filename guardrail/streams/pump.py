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
from typing import Any, Generic, TypeVar

from guardrail.errors import GuardrailError, VerifierError
from guardrail.events import Listener
from guardrail.flow import Draft
from guardrail.logs import broadcast
from guardrail.lost import no_verdict
from guardrail.sampling import Sampler
from guardrail.streams.choices import Choices
from guardrail.streams.commands import Ask, Command, Cut, Forget, Give, GoOn, Pause, Say
from guardrail.streams.values import Chunk, Item
from guardrail.verdict import Verdict
from guardrail.verifiers.protocol import Verifier

__all__ = ["AHEAD", "Pump"]

Piece = TypeVar("Piece")
AHEAD = 256
"""So many items that the consumer has not taken keep the upstream from being read on."""


class Pump(Generic[Piece]):
    """Drives the flows of one request. Nothing happens before `items` is iterated.

    ``close`` ends the first upstream from another thread; without it a reader that waits for its next piece ends when
    that comes. ``generate`` is called in a thread of its own. ``sampler`` gives what draws samples for a choice.
    """

    def __init__(
        self,
        source: Iterable[Chunk[Piece]],
        choices: Choices[Piece],
        *,
        verifiers: Mapping[str, Verifier],
        generate: Callable[[Draft, int], Iterable[Chunk[Piece]]] | None = None,
        close: Callable[[], None] | None = None,
        sampler: Callable[[int], Sampler | None] = lambda index: None,
        listeners: Sequence[Listener] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._choices, self._generate, self._close = source, choices, generate, close
        self._verifiers, self._sampler = verifiers, sampler
        self._listeners, self._clock = listeners, clock
        self._changed = threading.Condition()
        self._items: deque[Item[Piece]] = deque()
        self._alarms: list[tuple[float, Callable[[float], None]]] = []
        self._cut: set[tuple[int, int]] = set()
        """Upstreams that are not to be read on, by choice and number; the first is number 0 of choice -1."""
        self._begun = self._closed = False
        self._failure: BaseException | None = None
        self._context = copy_context()

    def items(self) -> Iterator[Item[Piece]]:
        """What is given to the consumer; raises the upstream's error at the end. Closes everything when it ends."""
        self._begun = True
        self._thread(lambda: self._read(-1, 0, lambda: self._source), "guardrail-upstream")
        try:
            while True:
                with self._changed:
                    self._wait()
                    if not self._items:
                        break
                    items = list(self._items)
                    self._items.clear()
                    self._changed.notify_all()
                yield from items
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
        self._end_source()

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
        context = self._context.copy()
        threading.Thread(target=context.run, args=(work,), name=name, daemon=True).start()

    def _read(self, index: int, number: int, open: Callable[[], Iterable[Chunk[Piece]]]) -> None:
        chunks: Iterable[Chunk[Piece]] | None = None
        try:
            chunks = open()
            for chunk in chunks:
                if not self._take(index, number, chunk):
                    break
        except Exception as error:
            self._end(index, number, error)
        except BaseException as error:
            self._fail(error)
        else:
            self._end(index, number, None)
        finally:
            _closed(chunks)

    def _take(self, index: int, number: int, chunk: Chunk[Piece]) -> bool:
        """Feeds a chunk; whether more is wanted."""
        with self._changed:
            while len(self._items) >= AHEAD and not self._closed:
                self._changed.wait()
            if self._closed or (index, number) in self._cut:
                return False
            to = chunk.index if index < 0 else index
            flow = self._choices.flow(to)
            self._perform(to, flow.feed(number, chunk, self._clock()))
            return (index, number) not in self._cut

    def _end(self, index: int, number: int, error: Exception | None) -> None:
        with self._changed:
            if self._closed or (index, number) in self._cut:
                return
            self._cut.add((index, number))
            flows = self._choices.flows if index < 0 else {index: self._choices.flow(index)}
            for to, flow in list(flows.items()):
                now = self._clock()
                self._perform(to, flow.ended(number, now) if error is None else flow.failed(number, error, now))

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
        self._changed.notify_all()

    def _do(self, index: int, command: Command) -> None:
        match command:
            case Give():
                self._items.append(command.item)
            case Say():
                broadcast(self._listeners, command.event)
            case Ask():
                self._thread(lambda: self._verify(index, command), "guardrail-verify")
            case Cut(source=0):
                self._cut.add((-1, 0))
                # Not under the lock: it may take its time, or wait for the thread that reads.
                self._thread(self._end_source, "guardrail-close")
            case Cut():
                self._cut.add((index, command.source))
            case Pause():
                flow = self._choices.flow(index)
                self._alarm(command.seconds, lambda now: self._perform(index, flow.woken(now)))
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

        self._thread(lambda: self._read(index, command.source, open), "guardrail-upstream")

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

    def _end_source(self) -> None:
        close, self._close = self._close, None
        if close is not None:
            close()
        elif not self._begun:
            _closed(self._source)


def _closed(chunks: Any) -> None:
    """Close a source that can be closed."""
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
