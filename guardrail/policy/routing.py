"""Where a policy applies, and to which share of conversations. Pure and deterministic."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from guardrail.policy.part import Part

__all__ = ["Match", "RequestInfo", "Route", "sampled"]


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What is known of a request: what routes match on."""

    model: str | None = None
    """The model that the request asks for."""
    tags: frozenset[str] = frozenset()
    metadata: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False
    """Whether the answer is streamed."""
    key: str | None = None
    """What the conversation is known by; sampling goes by it."""


class Match(Part):
    """What a request must be like; what is left out matches any."""

    model: str | None = None
    """A glob, upper and lower case told apart: ``gpt-4*``."""
    tags: tuple[str, ...] = ()
    """All of these must be there."""
    metadata: dict[str, str] = Field(default_factory=dict)
    """Each key must be there, with a value that the glob fits."""
    stream: bool | None = None
    """Only streamed requests, or only others."""

    @model_serializer(mode="wrap")
    def _dump(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in inner(self).items() if value not in (None, (), [], {})}

    @property
    def everything(self) -> bool:
        """Whether every request fits."""
        return self == Match()

    def fits(self, info: RequestInfo) -> bool:
        """Whether ``info`` is such a request."""
        return (
            (self.model is None or fnmatchcase(info.model or "", self.model))
            and info.tags.issuperset(self.tags)
            and all(
                key in info.metadata and fnmatchcase(info.metadata[key], glob) for key, glob in self.metadata.items()
            )
            and self.stream in (None, info.stream)
        )


class Route(Part):
    """Requests that fit ``match`` go by ``policy``."""

    match: Match = Match()
    policy: Annotated[str, Field(min_length=1)]
    """A name out of ``policies``."""


_SPACE = 2**64


def sampled(rate: float, key: str) -> bool:
    """Whether the conversation ``key`` belongs to the share ``rate`` (0..1): always the same answer for both.

    A conversation that belongs to a share belongs to every larger one.
    """
    if rate >= 1:
        return True
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < rate * _SPACE
