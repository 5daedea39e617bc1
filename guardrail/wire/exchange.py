"""What every OpenAI-shaped API is read into and written from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from guardrail.action import Action
from guardrail.conversation import Message, Turn
from guardrail.outcome import Outcome
from guardrail.verdict import Usage
from guardrail.wire.sse import Event

__all__ = ["Asked", "Codec", "Follows", "Json", "Settled", "add_usage", "drawn", "usage_of"]

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Follows:
    """Where the server keeps what was said before."""

    kind: Literal["response", "conversation", "request"]
    """Up to the end of a response; a conversation; or up to the request that a response answers."""
    id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, as far as a guard needs to know."""

    conversation: tuple[Message, ...]
    model: str | None
    stream: bool
    wants_json: bool
    """A schema or JSON mode: nothing but JSON may be put into the answer."""
    metadata: Mapping[str, str]
    cannot_generate: str | None = None
    """Why the request cannot be made again, in words."""
    instructions: int = 0
    """How many messages of the conversation, from its start, are instructions for this request alone."""
    follows: Follows | None = None
    """Where the rest of the conversation lies, when the request does not hold it."""
    each: tuple[tuple[Message, ...], ...] = ()
    """The conversation of each choice, in the order of their indices, where they are not all the same."""

    def conversation_of(self, index: int) -> tuple[Message, ...]:
        """The conversation that the choice ``index`` answers."""
        return self.each[index] if 0 <= index < len(self.each) else self.conversation


@dataclass(frozen=True, slots=True)
class Settled:
    """How one choice of a reply ended."""

    outcome: Outcome
    source: Json | None = None
    """The other reply that the released answer came in; None where it is the reply's own."""

    @property
    def replaced(self) -> bool:
        """Whether something else stands in the place of the reply's own answer."""
        return self.source is not None or self.outcome.turn is None or self.repaired

    @property
    def repaired(self) -> bool:
        """Whether what stands there is a part of an answer, as its bad sentences were left out."""
        return self.outcome.action is Action.REPAIR and self.outcome.turn is not None and self.outcome.mode == "enforce"


class Codec(Protocol):
    """Reads and writes one API. ``reply`` is the JSON object of a response."""

    def read_request(self, body: Json) -> Asked:
        """Raises `InputError` when the conversation cannot be read."""
        ...

    def read_turns(self, reply: Json) -> tuple[Turn, ...]:
        """The answers in ``reply``: one a choice; none where it holds no answer yet."""
        ...

    def ask_again(
        self, body: Json, rejected: Turn | None, feedback: str | None, model: str | None, *, index: int = 0
    ) -> Json:
        """The request for another single answer to the choice ``index``, never streamed."""
        ...

    def ask_aside(self, body: Json, *, max_tokens: int | None, temperature: float | None, index: int = 0) -> Json:
        """The request for one more answer to the choice ``index``, for nobody to see: never streamed or kept.

        None: as the request has it.
        """
        ...

    def write(self, reply: Json, settled: Sequence[Settled], *, wants_json: bool) -> Json:
        """``reply`` with what was settled in the place of its answers."""
        ...

    def assemble(self, events: Sequence[Event]) -> Json | None:
        """The reply that a stream adds up to; None where it adds up to none."""
        ...

    def restream(
        self, events: Sequence[Event], reply: Json, settled: Sequence[Settled], wants_json: bool
    ) -> list[bytes]:
        """The stream with what was settled in the place of its answers."""
        ...


def drawn(body: Json, bound: str, *, max_tokens: int | None, temperature: float | None) -> Json:
    """The fields that bound an answer and let it differ. ``bound`` is the name of the first; a lower one in ``body``
    holds."""
    fields: Json = {}
    if max_tokens is not None:
        own = body.get(bound)
        fields[bound] = min(own, max_tokens) if isinstance(own, int) else max_tokens
    if temperature is not None:
        fields["temperature"] = temperature
    return fields


def usage_of(reply: Json) -> Usage | None:
    """The tokens that ``reply`` says it took, in either API's words."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    spent = [
        usage.get(a, usage.get(b))
        for a, b in (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"))
    ]
    return Usage(*(value if isinstance(value, int) else 0 for value in spent))


def add_usage(reply: Json, others: Sequence[Json]) -> Json:
    """``reply`` with the tokens of ``others`` added to its own, so that the sum is what was paid for."""
    usage = reply.get("usage")
    if not isinstance(usage, dict) or not others:
        return reply
    total = dict(usage)
    for other in others:
        more = other.get("usage")
        for key, value in more.items() if isinstance(more, dict) else ():
            if isinstance(value, int) and isinstance(total.get(key), int):
                total[key] += value
    return {**reply, "usage": total}
