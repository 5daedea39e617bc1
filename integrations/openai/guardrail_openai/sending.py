"""What the guarded clients of both kinds share: requests and responses around the user's own client."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from guardrail.flow import Draft
from guardrail.guard import Guard
from guardrail.logs import once
from guardrail.outcome import Outcome, join
from guardrail.recent import Recent
from guardrail.streams.values import Ended
from guardrail.wire.exchange import Json
from guardrail_openai.errors import OpenAIBlockedError
from guardrail_openai.exchange import (
    Exchange,
    bounded_extensions,
    open_exchange,
    parse,
    reopened,
    request_headers,
    response_headers,
)
from guardrail_openai.gating import Gating, gating_for
from guardrail_openai.histories import Fetch, Fetching, Histories
from guardrail_openai.surfaces import retrieved, root_of, unguarded

__all__ = ["FETCHING", "GuardedSending", "is_stream"]

_BACKGROUND = 1024
"""So many requests whose response was not ready are remembered."""
_JUDGED = 1024
"""So many verdicts on responses are remembered, for those who fetch them again and again."""
FETCHING = 5.0
"""Seconds to fetch in what was said before a request; longer, and the history counts as partial."""


class GuardedSending:
    """What both clients share. It opens no connection of its own: everything goes through ``inner``."""

    def __init__(self, inner: Any, guard: Guard, hx: Any, *, owner: object, owns_guard: bool) -> None:
        # A transport is given so that none is built: building one loads certificates.
        options: dict[str, Any] = {"transport": inner._transport, "timeout": inner.timeout, "trust_env": False}
        super().__init__(**options)
        self.inner, self.guard, self.owner, self._hx = inner, guard, owner, hx
        self._owns_guard = owns_guard
        if hasattr(inner, "__del__"):
            _outlive(self, inner)
        self._begun: Recent[Exchange] = Recent(_BACKGROUND)
        self._histories = Histories()
        self._plain: Recent[bool] = Recent(_BACKGROUND)
        self._judged: Recent[tuple[str, Outcome, bool]] = Recent(_JUDGED)
        """The text, how it ended, and whether by an error."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any:
        """As the user's own client builds it, with its headers, cookies and base URL."""
        return self.inner.build_request(*args, **kwargs)

    @property
    def is_closed(self) -> bool:
        """Whether the user's own client is closed."""
        return bool(self.inner.is_closed)

    def _open(self, request: Any) -> Exchange | None:
        method, path = request.method, request.url.path
        if (name := unguarded(method, path)) is not None:
            once(f"openai:{name}", f"guardrail does not guard {name} yet: its answers pass unverified")
        if (id := retrieved(method, path)) is not None:
            return reopened(id, self._begun.find(id), stream=request.url.params.get("stream") == "true")
        return open_exchange(method, path, request.headers, request.read)

    def _unanswered(self, exchange: Exchange, reply: Json | None) -> None:
        """Remember what was asked for by a response that is still in the making."""
        if reply is not None and reply.get("object") == "response":
            self._begun.keep(exchange, _name(reply))

    def _fetching(self, exchange: Exchange, reply: Json) -> Fetching:
        output = reply.get("output")
        items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
        answered = {id for item in items if isinstance(id := item.get("id"), str)}
        return self._histories.before(exchange.asked.follows, answered=answered)

    def _fetch(self, request: Any, fetch: Fetch, remaining: float | None) -> Any:
        """The request for more of the history, with the headers of the request that is guarded."""
        path = root_of(request.url.path) + "/".join(quote(part, safe="") for part in fetch.path)
        version = {key: value for key, value in request.url.params.items() if key == "api-version"}
        url = request.url.copy_with(path=path, query=None).copy_merge_params({**version, **fetch.params})
        headers = [
            (key, value)
            for key, value in request_headers(request.headers.multi_items(), again=True)
            if key.lower() not in ("content-type", "accept")
        ]
        extensions = bounded_extensions(request.extensions, remaining)
        return self._hx.Request("GET", url, headers=[*headers, ("accept", "application/json")], extensions=extensions)

    def _settled_before(self, exchange: Exchange, reply: Json) -> list[Outcome]:
        """How the response ended when it was made, or fetched for the first time; empty where that is not known.

        Raises `OpenAIBlockedError` where it did so then.
        """
        name = _name(reply)
        known = self._judged.find(name) if exchange.fetched and name else None
        text, outcome, raised = known or ("", None, False)
        # The text may have grown since.
        if outcome is None or [text] != [turn.text for turn in exchange.codec.read_turns(reply)]:
            return []
        if raised:
            raise OpenAIBlockedError(outcome.text, outcome)
        return [outcome]

    def _raised(self, exchange: Exchange, reply: Json, error: OpenAIBlockedError) -> None:
        """Remember that the response is withheld by an error, for those that will fetch it."""
        if reply.get("object") == "response":
            [turn] = exchange.codec.read_turns(reply)
            self._judged.keep((turn.text, error.outcome, True), _name(reply))

    def _known(self, exchange: Exchange, reply: Json, outcomes: Sequence[Outcome]) -> None:
        """Remember the response, for those that will follow it and those that will fetch it."""
        if reply.get("object") != "response":
            return
        step = exchange.step(join(outcomes))
        for end in exchange.settled(outcomes):
            delivered = end.source or reply
            if step is not None:
                self._histories.keep(step, _name(reply), _name(delivered))
            [turn] = exchange.codec.read_turns(delivered)
            self._judged.keep((turn.text, end.outcome, False), _name(delivered))

    def _outgoing(self, request: Any, exchange: Exchange) -> Any:
        """The request to send: the SDK's own, or the same without the field that is for the guard."""
        if exchange.content is None:
            return request
        return self._request(request, exchange.content, request.extensions, again=False)

    def _another(self, request: Any, exchange: Exchange, draft: Draft, index: int, *, stream: bool = False) -> Any:
        extensions = bounded_extensions(request.extensions, draft.remaining)
        if draft.sample is None:
            body = exchange.again(draft, index, stream=stream)
        else:
            body = exchange.aside(draft, index, plain=bool(self._plain.find(_settings_of(request, exchange))))
        return self._request(request, body, extensions, again=True)

    def _refused(self, request: Any, exchange: Exchange, draft: Draft, status: int) -> bool:
        """Whether a further answer was refused for its settings, which the server is not sent again then."""
        if draft.sample is None or status not in (400, 422):
            return False
        self._plain.keep(True, _settings_of(request, exchange))
        return True

    def _gating(self, exchange: Exchange) -> Gating | None:
        """How the exchange's stream is released sentence by sentence; None where it is held whole."""
        mode = self.guard.stream_mode(exchange.info, exchange.conversation(0), evidence=exchange.evidence)
        return None if mode == "whole" else gating_for(exchange)

    def _gated(self, exchange: Exchange, gating: Gating, item: Ended, key: str) -> None:
        """Remember how the stream ends, as it ends."""
        outcome = join(gating.ended)
        head = gating.first.head
        self.guard.remember(outcome, _name(head), key)
        if head.get("object") == "response":
            self._judged.keep((item.outcome.text, item.outcome, False), _name(head))
            if (step := exchange.step(outcome)) is not None:
                self._histories.keep(step, _name(head))

    def _request(self, request: Any, content: bytes, extensions: Any, *, again: bool) -> Any:
        headers = request_headers(request.headers.multi_items(), again=again)
        return self._hx.Request(request.method, request.url, headers=headers, content=content, extensions=extensions)

    def _delivered(self, response: Any, exchange: Exchange, reply: Json, outcomes: Sequence[Outcome]) -> Any:
        """The response to hand on, with everything of the provider's that still holds."""
        outcome = join(outcomes)
        content = exchange.delivered(response.content, reply, outcomes)
        delivered = self._hx.Response(
            response.status_code,
            headers=response_headers(response.headers.multi_items(), outcome),
            content=content,
            request=response.request,
            extensions={**response.extensions, "guardrail": outcome.id},
            history=response.history,
        )
        delivered.elapsed = response.elapsed
        self.guard.remember(outcome, _name(reply), _name(parse(content)))
        return delivered

    def _streaming(self, response: Any, stream: Any, key: str) -> Any:
        delivered = self._hx.Response(
            response.status_code,
            headers=response_headers(response.headers.multi_items(), None),
            stream=stream,
            request=response.request,
            extensions={**response.extensions, "guardrail": key},
            history=response.history,
        )
        stream.delivered = weakref.ref(delivered)  # which holds the stream
        return delivered

    def _streamed(self, reply: Json, outcomes: Sequence[Outcome], exchange: Exchange, key: str) -> None:
        sources = (_name(end.source) for end in exchange.settled(outcomes) if end.source)
        self.guard.remember(join(outcomes), _name(reply), key, *sources)


def _outlive(guarded: object, inner: object) -> None:
    """Have ``inner``, which the SDK made and closes when it is collected, be collected after ``guarded``.

    Clients of the SDK are in cycles. When one is collected, its sockets may be the first to be told, and complain of
    not being closed; ``inner`` and its sockets are not yet in this one.
    """
    weakref.finalize(guarded, _nothing, inner).atexit = False


def _nothing(_: object) -> None:
    pass


def is_stream(response: Any, *, asked: bool) -> bool:
    """Whether ``response`` comes in events.

    The SDK reads what was ``asked`` for as a stream as events, whatever type the server gives it: so does this, but
    for JSON, which a server without streams may answer.
    """
    kind = response.headers.get("content-type", "").lower()
    return "text/event-stream" in kind or (asked and "json" not in kind)


def _settings_of(request: Any, exchange: Exchange) -> str:
    return f"{request.url} {exchange.asked.model}"


def _name(reply: Json | None) -> str | None:
    name = (reply or {}).get("id")
    return name if isinstance(name, str) else None
