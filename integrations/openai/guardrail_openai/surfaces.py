"""Which requests of an OpenAI client are guarded, and which should be but are not yet. Pure."""

from __future__ import annotations

import re

from guardrail.wire.chat import ChatCodec
from guardrail.wire.completions import CompletionsCodec
from guardrail.wire.exchange import Codec
from guardrail.wire.responses import ResponsesCodec

__all__ = ["codec_for", "retrieved", "root_of", "unguarded"]

_GUARDED: tuple[tuple[str, Codec], ...] = (
    ("chat/completions", ChatCodec()),
    ("completions", CompletionsCodec()),
    ("responses", ResponsesCodec()),
)
_RETRIEVED = {
    "GET": re.compile(r"responses/(?P<id>[^/]+)$"),
    "POST": re.compile(r"responses/(?P<id>[^/]+)/cancel$"),
}

_UNGUARDED = (
    ("POST", re.compile(r"/(v\d+)?threads(/.*)?/runs(/.*)?$"), "beta.threads.runs"),
    ("GET", re.compile(r"/(v\d+)?threads/[^/]+/messages(/[^/]+)?$"), "beta.threads.messages"),
    ("POST", re.compile(r"/(v\d+)?(agents|chatkit)/.+$"), "beta.agents and beta.chatkit"),
)


def codec_for(method: str, path: str) -> Codec | None:
    """What reads and writes this request; None when it is not guarded.

    Matched by the end of the path, so that Azure's deployments and any base URL are covered; and not from a slash on,
    as the SDK's module puts none behind an ``openai.base_url`` that lacks it.
    """
    if method != "POST":
        return None
    return next((codec for suffix, codec in _GUARDED if path.rstrip("/").endswith(suffix)), None)


def retrieved(method: str, path: str) -> str | None:
    """The id of the response that this request fetches, or cancels and so fetches; None where it does neither."""
    pattern = _RETRIEVED.get(method)
    found = pattern.search(path.rstrip("/")) if pattern else None
    return found["id"] if found else None


def unguarded(method: str, path: str) -> str | None:
    """The name of a surface that returns generated text and passes unguarded; None for everything else."""
    found = (name for verb, pattern, name in _UNGUARDED if verb == method and pattern.search(path.rstrip("/")))
    return next(found, None)


def root_of(path: str) -> str:
    """The API's root in the path of a request for a response, with the slash at its end where the SDK puts one."""
    return path[: f"{path.rstrip('/')}/".rindex("responses/")]
