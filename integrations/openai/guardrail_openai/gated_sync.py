"""The body of a synchronous guarded stream that is released sentence by sentence."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

from guardrail.errors import BlockedError
from guardrail.flow import Draft
from guardrail.guard import Guard
from guardrail.streaming import Gated
from guardrail.streams.values import Chunk, Ended
from guardrail.wire.gated import Reader, UpstreamError
from guardrail.wire.sse import EventDecoder
from guardrail_openai.bodies import pieces
from guardrail_openai.errors import OpenAIBlockedError
from guardrail_openai.exchange import Exchange, GenerationError, parse
from guardrail_openai.gating import Gating

__all__ = ["GatedStream"]


class GatedStream:
    """Iterate it once for the bytes that the consumer may read.

    ``known`` gives the exchange with what was said before it, which may have to be fetched; ``ask`` sends the request
    to go on; ``note`` is told how each choice has ended.
    """

    def __init__(
        self,
        guard: Guard,
        gating: Gating,
        response: Any,
        *,
        known: Callable[[], Exchange],
        ask: Callable[[Draft, int], Any],
        note: Callable[[Ended], None],
    ) -> None:
        self._guard, self._gating, self._response = guard, gating, response
        self._known, self._ask, self._note = known, ask, note
        self._gated: Gated[Any] | None = None
        self._open: set[Any] = set()
        """Responses that are being read, each in a thread of its own."""
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        gating = self._gating
        try:
            with self._begin() as gated:
                for item in gated:
                    told = gating.render(item)
                    if isinstance(item, Ended):
                        self._note(item)
                    if told:
                        yield told
        except UpstreamError as error:
            yield error.event.raw
        except BlockedError as error:
            raise OpenAIBlockedError(str(error), error.outcome) from error
        finally:
            self.close()
        yield gating.end()

    def close(self) -> None:
        """End all that is under way: the upstream, those that go on from it, and verifications."""
        self._closed = True
        if self._gated is not None:
            self._gated.close()
        for response in list(self._open):
            _hang_up(response)
        if self._gated is None:
            self._response.close()

    def _begin(self) -> Gated[Any]:
        known = self._known()
        self._gated = self._guard.gated(
            self._chunks(self._response, self._gating.first),
            known.conversation,
            split=self._gating.split,
            merge=self._gating.merge,
            generate=self._go_on,
            close=lambda: _hang_up(self._response),
            evidence=known.evidence,
            info=known.info,
            choices=self._gating.choices,
            cannot_generate=known.cannot_generate,
            notes=known.history.notes,
        )
        return self._gated

    def _go_on(self, draft: Draft, index: int) -> Iterator[Chunk[Any]]:
        response = self._ask(draft, index)
        if not response.is_success:
            response.close()
            raise GenerationError(f"the LLM answered HTTP {response.status_code}")
        reader = self._gating.writer.go_on()
        if "json" not in response.headers.get("content-type", "").lower():
            yield from self._chunks(response, reader)
        else:
            yield from self._gating.went_on(reader, parse(response.read()))

    def _chunks(self, response: Any, reader: Reader[Any]) -> Iterator[Chunk[Any]]:
        """The chunks of one upstream; whoever reads them closes it."""
        decoder = EventDecoder()
        self._open.add(response)
        try:
            if self._closed:  # while it was asked for
                return
            for data in pieces(response):
                yield from self._gating.read(reader, decoder, data)
                if reader.done or self._closed:
                    break
            yield from self._gating.read(reader, decoder, None)
            reader.state = "ended"
        except Exception:
            reader.state = "failed"
            raise
        finally:
            self._open.discard(response)
            response.close()


def _hang_up(response: Any) -> None:
    """End a response that another thread may be reading.

    Closing a socket does not wake a thread that waits for it, and until then the other side is not told.
    """
    stream = response.extensions.get("network_stream")
    sock = stream.get_extra_info("socket") if stream is not None else None
    if sock is None or response.extensions.get("http_version") == b"HTTP/2":
        response.close()
        return
    with contextlib.suppress(OSError):  # it is closed already
        sock.shutdown(socket.SHUT_RDWR)
