"""The body of a chat completion, streamed or not: its text, why it ended, and the tokens spent. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Usage
from guardrail.verifiers.dialects.protocol import Token
from guardrail.wire.sse import DONE, EventDecoder

__all__ = ["Envelope", "read_envelope"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a chat endpoint sent back."""

    content: str
    finish_reason: str | None = None
    usage: Usage | None = None
    tokens: tuple[Token, ...] = ()
    """The tokens of the content with their probabilities, where they were asked for and told."""


def read_envelope(body: bytes) -> Envelope:
    """Read the body of a reply with status 200: a chat completion as JSON, or as server-sent events.

    Raises `VerifierError`: ``empty`` for an empty body or a completion without choices, ``unparsable`` for
    anything that is no completion.
    """
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise VerifierError(Cause.UNPARSABLE, "the judge's reply is not UTF-8") from error
    if not text:
        raise VerifierError(Cause.EMPTY, "the judge's reply has no body")
    if text.startswith(("data:", "event:", "id:", ":")):
        return _streamed(body)
    return _completion(_load(text))


def _completion(reply: dict[str, Any]) -> Envelope:
    choice = _choice(reply)
    if not isinstance(choice.get("message"), dict):
        raise VerifierError(Cause.UNPARSABLE, "the judge's reply has no message")
    said, reason = _said(choice["message"]), _word(choice.get("finish_reason"))
    return Envelope(said, reason, _usage(reply), tuple(_tokens(choice)))


def _streamed(body: bytes) -> Envelope:
    content, reason, usage = "", None, None
    tokens: list[Token] = []
    for data in _data(body):
        if data == DONE:
            return Envelope(content, reason, usage, tuple(tokens))
        chunk = _load(data)
        usage = _usage(chunk) or usage
        for choice in _choices(chunk):
            content += _said(choice.get("delta") or choice.get("message"))
            tokens += _tokens(choice)
            reason = _word(choice.get("finish_reason")) or reason
    # A stream that ends without saying so was cut on its way.
    return Envelope(content, reason or "length", usage, tuple(tokens))


def _data(body: bytes) -> list[str]:
    decoder = EventDecoder()
    return [event.data.strip() for event in (*decoder.feed(body), *decoder.flush()) if event.data.strip()]


def _load(text: str) -> dict[str, Any]:
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise VerifierError(Cause.UNPARSABLE, "the judge's reply is not JSON") from error
    if not isinstance(reply, dict):
        raise VerifierError(Cause.UNPARSABLE, "the judge's reply is no JSON object")
    return cast("dict[str, Any]", reply)


def _choice(reply: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(reply.get("choices"), list):
        raise VerifierError(Cause.UNPARSABLE, "the judge's reply is no chat completion")
    choices = _choices(reply)
    if not choices:
        raise VerifierError(Cause.EMPTY, "the judge's reply has no choices")
    return choices[0]


def _choices(reply: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first choice, in a list, if there is one; streams may name others."""
    items = reply.get("choices")
    items = items if isinstance(items, list) else []
    return [item for item in items if isinstance(item, dict) and item.get("index", 0) == 0][:1]


def _said(message: object) -> str:
    return _text(message.get("content")) if isinstance(message, dict) else ""


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _tokens(choice: Mapping[str, Any]) -> Iterator[Token]:
    logprobs = choice.get("logprobs")
    items = logprobs.get("content") if isinstance(logprobs, dict) else None
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("token"), str):
            top = item.get("top_logprobs")
            yield Token(item["token"], tuple(_likely(top if isinstance(top, list) and top else [item])))


def _likely(items: list[Any]) -> Iterator[tuple[str, float]]:
    for item in items:
        text, logprob = (item.get("token"), item.get("logprob")) if isinstance(item, dict) else (None, None)
        # JSON knows whole numbers that no float can hold, and Python reads NaN where there should be none.
        if isinstance(text, str) and isinstance(logprob, int | float) and -_HUGE < logprob < _HUGE:
            yield text, float(logprob)


_HUGE = 1e9


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _usage(reply: Mapping[str, Any]) -> Usage | None:
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    return Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
