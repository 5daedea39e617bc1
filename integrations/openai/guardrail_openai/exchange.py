"""One guarded HTTP exchange, sans I/O: what to send, what was said, what to hand on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import ConfigError, GuardrailError, InputError
from guardrail.flow import Draft, Generated
from guardrail.given import given
from guardrail.grounding import as_evidence
from guardrail.guard import First
from guardrail.outcome import Outcome, join
from guardrail.policy.routing import RequestInfo
from guardrail.wire.exchange import Asked, Codec, Follows, Json, Settled, add_usage, usage_of
from guardrail.wire.responses import ResponsesCodec
from guardrail.wire.sse import Event
from guardrail_openai.errors import OpenAIInputError
from guardrail_openai.histories import History, Step
from guardrail_openai.surfaces import codec_for

__all__ = ["Exchange", "GenerationError", "open_exchange", "reopened", "spent_on"]

FIELD = "guardrail"
"""The field of a request that is for the guard alone; it is cut out before the request is sent."""
_FIELD_KEYS = ("evidence", "tags", "metadata", "key", "events")
_OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")
_NOT_TWICE = ("content-length", "transfer-encoding", "idempotency-key")
"""Headers that must not be repeated with another body: a provider may replay the rejected answer."""


class GenerationError(GuardrailError):
    """The LLM could not be asked again; the answer at hand is acted upon instead."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that is guarded, and the replies that came in for it."""

    codec: Codec
    asked: Asked
    body: Json
    """The request as it is sent."""
    content: bytes | None
    """Its bytes, where they are not those that the SDK wrote."""
    evidence: tuple[Evidence, ...]
    info: RequestInfo
    cannot_generate: str | None
    others: list[tuple[Turn, Json]] = field(default_factory=list)
    """The further replies, and the turn in each."""
    history: History = field(default_factory=History)
    """What was said before, where the request only names it."""
    spent: int = 0
    """Tokens that the first answer took, thinking included; 0 where that is not known."""
    fetched: bool = False
    """Whether the response was made earlier, and may have been judged then."""
    typed: bool = False
    """Whether the stream shall tell of every sentence, in comments."""

    def first(self, turn: Turn, elapsed: float, waited: float) -> First:
        """The first answer of one choice, which took ``elapsed`` seconds and was there ``waited`` seconds ago."""
        return First(turn, elapsed, self.cannot_generate, waited, self.history.notes)

    def conversation(self, index: int) -> tuple[Message, ...]:
        """What the choice ``index`` answers, with all that was said before."""
        said = self.asked.conversation_of(index)
        instructions, request = said[: self.asked.instructions], said[self.asked.instructions :]
        return (*instructions, *self.history.messages, *(() if self.history.holds_request else request))

    def step(self, outcome: Outcome) -> Step | None:
        """The response to remember for those that will follow it; None where none can."""
        follows = self.asked.follows
        if not isinstance(self.codec, ResponsesCodec) or self.body.get("store") is False:
            return None
        if follows is not None and follows.kind == "request":  # it was fetched, and with it all that it says
            return None
        asked = self.asked.conversation[self.asked.instructions :]
        return Step(asked, (Message("assistant", (outcome.text,) if outcome.text else ()),), follows)

    def again(self, draft: Draft, index: int, *, stream: bool = False) -> bytes:
        """The body of the request for another answer to the choice ``index``; ``stream``: as the first one came."""
        body = self.codec.ask_again(self.body, draft.rejected, draft.feedback, draft.model, index=index)
        if stream:
            body |= {key: self.body[key] for key in ("stream", "stream_options") if key in self.body}
        return _encode(body)

    def aside(self, draft: Draft, index: int, *, plain: bool) -> bytes:
        """The body of the request for an answer to hold the choice ``index`` against; ``plain``: as the first was."""
        wish = draft.sample
        if wish is None or plain:
            return _encode(self.codec.ask_aside(self.body, max_tokens=None, temperature=None, index=index))
        # An LLM that thinks first needs room for that too.
        bound = max(wish.max_tokens, 2 * self.spent)
        return _encode(self.codec.ask_aside(self.body, max_tokens=bound, temperature=wish.temperature, index=index))

    def generated(self, status: int, content: bytes) -> Generated:
        """Another answer, from the response to `again`; raises `GenerationError` where there is none."""
        if not 200 <= status < 300:
            raise GenerationError(f"the LLM answered HTTP {status}")
        reply = parse(content)
        turns = self.codec.read_turns(reply) if reply is not None else ()
        if reply is None or not turns:
            raise GenerationError("the LLM's answer could not be read")
        if not (turns[0].text.strip() or turns[0].tool_calls or turns[0].refusal):
            raise GenerationError("the LLM's answer was empty")
        self.others.append((turns[0], reply))
        return Generated(turns[0], usage_of(reply))

    def settled(self, outcomes: Sequence[Outcome]) -> list[Settled]:
        """Every choice with the reply that its released answer came in."""
        return [Settled(outcome, self._source(outcome.turn)) for outcome in outcomes]

    def rewritten(self, reply: Json, outcomes: Sequence[Outcome]) -> Json:
        """The reply to hand on, with the true tokens of all attempts."""
        whole = self.codec.write(reply, self.settled(outcomes), wants_json=self.asked.wants_json)
        return add_usage(whole, self._replies())

    def restreamed(self, events: Sequence[Event], reply: Json, outcomes: Sequence[Outcome]) -> list[bytes]:
        """The stream to hand on."""
        whole = add_usage(reply, self._replies())
        return self.codec.restream(events, whole, self.settled(outcomes), self.asked.wants_json)

    def delivered(self, content: bytes, reply: Json, outcomes: Sequence[Outcome]) -> bytes:
        """The body to hand on: byte for byte the reply's, but for the guard's mark, where nothing was
        replaced."""
        outcome = join(outcomes)
        mark = {"id": outcome.id, "action": outcome.action.value, "status": status_of(outcome)}
        end = content.rstrip()
        if not self.others and not any(end.replaced for end in self.settled(outcomes)) and end.endswith(b"}"):
            return end[:-1] + b',"guardrail":' + _encode(mark) + b"}"
        return _encode({**self.rewritten(reply, outcomes), "guardrail": mark})

    def _replies(self) -> list[Json]:
        return [reply for _, reply in self.others]

    def _source(self, turn: Turn | None) -> Json | None:
        return next((reply for known, reply in self.others if known is turn), None)


def open_exchange(method: str, path: str, headers: Mapping[str, str], content: Callable[[], bytes]) -> Exchange | None:
    """The exchange that a request begins; None when the request is not one to guard.

    Raises `OpenAIInputError` when its ``guardrail`` field cannot be used.
    """
    codec = codec_for(method, path)
    if codec is None or "json" not in headers.get("content-type", ""):
        return None
    body = parse(content())
    if body is None:
        return None
    own, signed = body.pop(FIELD, None), _signed(headers)
    if own is not None and signed:
        raise OpenAIInputError(
            f"the request's {FIELD!r} field cannot be cut out: {signed}; use `with guardrail.evidence(...):` instead"
        )
    asked = _asked(codec, body)
    evidence, info = _own_field(own, asked)
    return Exchange(
        codec=codec,
        asked=asked,
        body=body,
        content=None if own is None else _encode(body),
        evidence=(*given(), *evidence),  # of where the request is made: a stream may be read elsewhere
        info=info,
        cannot_generate=asked.cannot_generate or signed,
        typed=isinstance(own, dict) and own.get("events") is True,
    )


def reopened(id: str, begun: Exchange | None, *, stream: bool) -> Exchange:
    """The exchange that fetches the response ``id``; ``begun``: the one that asked for it, where that is known."""
    cannot_generate = "the response was made in the background"
    if begun is None:
        unknown = Asked((), None, stream, False, {}, follows=Follows("request", id))
        info = RequestInfo(stream=stream)
        return Exchange(ResponsesCodec(), unknown, {}, None, (), info, cannot_generate, fetched=True)
    asked, info = replace(begun.asked, stream=stream), replace(begun.info, stream=stream)
    return replace(
        begun, asked=asked, content=None, info=info, cannot_generate=cannot_generate, others=[], fetched=True
    )


def spent_on(reply: Json, turns: int) -> int:
    """The tokens that each of the ``turns`` answers in ``reply`` took; 0 where it does not say."""
    usage = usage_of(reply)
    return usage.completion_tokens // max(1, turns) if usage else 0


def parse(content: bytes) -> Json | None:
    """The JSON object in ``content``; None where there is none."""
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def status_of(outcome: Outcome) -> str:
    """The verdict's status, or why there is none."""
    return outcome.verdict.status.value if outcome.verdict else outcome.mode


def response_headers(headers: Iterable[tuple[str, str]], outcome: Outcome | None) -> list[tuple[str, str]]:
    """A response's headers for a body that is decoded and may be another."""
    kept = [(key, value) for key, value in headers if key.lower() not in _OF_THE_BODY]
    if outcome is not None:
        kept.append(("x-guardrail-id", outcome.id))
        kept.append(("x-guardrail-action", outcome.action.value))
        kept.append(("x-guardrail-status", status_of(outcome)))
        kept.append(("x-guardrail-added-ms", f"{outcome.added:.0f}"))
    return kept


def request_headers(headers: Iterable[tuple[str, str]], *, again: bool) -> list[tuple[str, str]]:
    """A request's headers for another body; ``again`` when it is the second time that it is sent."""
    gone = _NOT_TWICE if again else _OF_THE_BODY
    return [(key, value) for key, value in headers if key.lower() not in gone]


def bounded_extensions(extensions: Mapping[str, Any], remaining: float | None) -> dict[str, Any]:
    """The request's extensions with no single wait longer than ``remaining`` seconds."""
    if remaining is None:
        return dict(extensions)
    known = extensions.get("timeout") or {}
    limits = {
        key: remaining if known.get(key) is None else min(known[key], remaining)
        for key in ("connect", "read", "write", "pool")
    }
    return {**extensions, "timeout": limits}


def _asked(codec: Codec, body: Json) -> Asked:
    try:
        return codec.read_request(body)
    except InputError:
        # The provider will say what is wrong with it; should it answer all the same, the answer is still
        # judged.
        model = body.get("model")
        return Asked((), model if isinstance(model, str) else None, body.get("stream") is True, False, {})


def _own_field(own: object, asked: Asked) -> tuple[tuple[Evidence, ...], RequestInfo]:
    own = {} if own is None else own
    if not isinstance(own, dict):
        raise OpenAIInputError(f"the request's {FIELD!r} field must be a mapping with {', '.join(_FIELD_KEYS)}")
    if unknown := [key for key in own if key not in _FIELD_KEYS]:
        raise OpenAIInputError(f"{FIELD}.{unknown[0]}: unknown key in the request; known: {', '.join(_FIELD_KEYS)}")
    docs = own.get("evidence", ())
    try:
        evidence = tuple(as_evidence(item) for item in (docs if isinstance(docs, list | tuple) else [docs]))
    except ConfigError as error:
        raise OpenAIInputError(f"{FIELD}.evidence: {error}") from error
    tags, more = own.get("tags") or (), own.get("metadata") or {}
    # A lone string is iterable too, and would silently become a set of letters.
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        raise OpenAIInputError(f"{FIELD}.tags: must be a list of strings, such as ['medical']")
    if not isinstance(own.get("events", False), bool):
        raise OpenAIInputError(f"{FIELD}.events: must be true or false")
    if not isinstance(more, dict):
        raise OpenAIInputError(f"{FIELD}.metadata: must be a mapping of strings")
    metadata = {**asked.metadata, **{key: str(value) for key, value in more.items()}}
    key = own.get("key")
    return evidence, RequestInfo(
        model=asked.model,
        tags=frozenset(tags),
        metadata=metadata,
        stream=asked.stream,
        key=None if key is None else str(key),
    )


def _signed(headers: Mapping[str, str]) -> str | None:
    if headers.get("authorization", "").startswith("AWS4-HMAC-SHA256"):
        return "the request is signed, and another body would need another signature"
    return None


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
