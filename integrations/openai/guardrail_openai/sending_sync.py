"""The synchronous guarded client."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from guardrail.conversation import Turn
from guardrail.errors import BlockedError
from guardrail.flow import Draft, Generated
from guardrail.logs import logger
from guardrail.outcome import Outcome
from guardrail.wire.exchange import Json
from guardrail_openai.deadline import Deadline
from guardrail_openai.errors import OpenAIBlockedError
from guardrail_openai.exchange import Exchange, parse, spent_on
from guardrail_openai.gated_sync import GatedStream
from guardrail_openai.gating import Gating
from guardrail_openai.histories import Fetch, History
from guardrail_openai.sending import FETCHING, GuardedSending, is_stream
from guardrail_openai.stream import byte_streams, pump

__all__ = ["SyncSending"]


class SyncSending(GuardedSending):
    """Guards a synchronous client."""

    def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Send ``request``; what comes back is guarded where it is an answer."""
        exchange = self._open(request)
        if exchange is None:
            return self.inner.send(request, stream=stream, **options)
        started = time.monotonic()
        response = self.inner.send(self._outgoing(request, exchange), stream=stream, **options)
        if not response.is_success:
            return response
        settle = functools.partial(self._settle, exchange, request, options, started)
        opened = functools.partial(self._stream, response, exchange, settle, request, options, read=not stream)
        if is_stream(response, asked=exchange.asked.stream):
            return opened()
        response.read()
        reply = parse(response.content)
        if reply is None and exchange.asked.stream:  # events under a wrong type
            return opened()
        if reply is None or not exchange.codec.read_turns(reply):
            self._unanswered(exchange, reply)
            return response
        return self._delivered(response, exchange, reply, settle(reply))

    def close(self) -> None:
        """Close the user's own client, and the guard if nobody else has it."""
        self.inner.close()
        if self._owns_guard:
            self.guard.close()

    def _stream(self, response: Any, exchange: Exchange, settle: Any, request: Any, options: Any, *, read: bool) -> Any:
        """The response with a guarded stream for its body; ``read``: to its end, as the SDK wants it whole."""
        key = f"stream-{id(exchange):x}-{time.monotonic_ns():x}"

        def settle_stream(reply: Json) -> Sequence[Outcome]:
            outcomes: Sequence[Outcome] = settle(reply)
            self._streamed(reply, outcomes, exchange, key)
            return outcomes

        if (gating := self._gating(exchange)) is not None:
            gated = self._in_sentences(gating, response, exchange, request, options, key)
            body = byte_streams(self._hx)[0](iter(gated), gated)
        else:
            body = byte_streams(self._hx)[0](pump(response.iter_bytes(), exchange, settle_stream), response)
        streaming = self._streaming(response, body, key)
        if read:
            streaming.read()
        return streaming

    def _in_sentences(
        self, gating: Gating, response: Any, exchange: Exchange, request: Any, options: Any, key: str
    ) -> GatedStream:
        def ask(draft: Draft, index: int) -> Any:
            def another() -> Any:
                again = self._another(request, exchange, draft, index, stream=draft.sample is None)
                return self.inner.send(again, stream=True, **options)

            answer = another()
            if not self._refused(request, exchange, draft, answer.status_code):
                return answer
            answer.close()
            return another()

        return GatedStream(
            self.guard,
            gating,
            response,
            known=lambda: replace(exchange, history=self._history(exchange, request, options, {})),
            ask=ask,
            note=functools.partial(self._gated, exchange, gating, key=key),
        )

    def _settle(self, exchange: Exchange, request: Any, options: Any, started: float, reply: Json) -> list[Outcome]:
        """One guarded turn for each choice; several at a time."""
        if before := self._settled_before(exchange, reply):
            return before
        answered = time.monotonic()
        turns = exchange.codec.read_turns(reply)
        history = self._history(exchange, request, options, reply)
        known = replace(exchange, history=history, spent=spent_on(reply, len(turns)))
        waited = time.monotonic() - answered
        one = functools.partial(self._guard, known, request, options, answered - started, waited)
        try:
            outcomes = _each(one, turns)
        except OpenAIBlockedError as error:
            self._raised(exchange, reply, error)
            raise
        self._known(exchange, reply, outcomes)
        return outcomes

    def _guard(
        self, exchange: Exchange, request: Any, options: Any, elapsed: float, waited: float, turn: Turn
    ) -> Outcome:
        try:
            return self.guard.run(
                functools.partial(self._regenerate, exchange, request, options, turn.index),
                exchange.conversation(turn.index),
                first=exchange.first(turn, elapsed, waited),
                evidence=exchange.evidence,
                info=exchange.info,
            )
        except BlockedError as error:
            raise OpenAIBlockedError(str(error), error.outcome) from error

    def _regenerate(self, exchange: Exchange, request: Any, options: Any, index: int, draft: Draft) -> Generated:
        deadline = Deadline(draft.remaining)
        status, content = self._read(self._another(request, exchange, draft, index), options, deadline)
        if self._refused(request, exchange, draft, status):
            status, content = self._read(self._another(request, exchange, draft, index), options, deadline)
        return exchange.generated(status, content)

    def _history(self, exchange: Exchange, request: Any, options: Any, reply: Json) -> History:
        """What was said before, where the request only names it."""
        if exchange.asked.follows is None:
            return exchange.history
        fetching, deadline = self._fetching(exchange, reply), Deadline(FETCHING)
        try:
            fetch = next(fetching)
            while True:
                fetch = fetching.send(self._fetched(request, options, fetch, deadline))
        except StopIteration as end:
            history: History = end.value
            return history

    def _fetched(self, request: Any, options: Any, fetch: Fetch, deadline: Deadline) -> Json | None:
        try:
            status, content = self._read(self._fetch(request, fetch, deadline.left()), options, deadline)
        except Exception as error:  # the answer at hand must not be lost to a lookup
            logger.info("could not fetch %s: %s", "/".join(fetch.path), error)
            return None
        return parse(content) if status == 200 else None

    def _read(self, request: Any, options: Any, deadline: Deadline) -> tuple[int, bytes]:
        """The status and the body of the response to a request of the guard's own."""
        response = self.inner.send(request, stream=True, **options)
        pieces = []
        try:
            for piece in response.iter_bytes():
                deadline.check()
                pieces.append(piece)
        finally:
            response.close()
        return response.status_code, b"".join(pieces)


def _each(one: Callable[[Turn], Outcome], turns: Sequence[Turn]) -> list[Outcome]:
    if len(turns) == 1:
        return [one(turns[0])]
    with ThreadPoolExecutor(len(turns), thread_name_prefix="guardrail-choice") as pool:
        return [future.result() for future in [pool.submit(copy_context().run, one, turn) for turn in turns]]
