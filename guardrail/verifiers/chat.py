"""`ChatVerifier`: any judge behind an OpenAI-compatible chat endpoint, asked over plain pooled HTTP.

Not through the SDK: that costs more than the call itself, repeats calls on its own, and its errors would be
taken for those of the application's LLM.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from guardrail.verdict import Status, Usage, Verdict
from guardrail.verifiers.deadlines import Deadline
from guardrail.verifiers.dialects import Dialect, Reading, dialect_named
from guardrail.verifiers.dialects.envelope import Envelope, read_envelope
from guardrail.verifiers.endpoint import Endpoint, address
from guardrail.verifiers.protocol import Check
from guardrail.verifiers.reply import Reply

__all__ = ["ChatVerifier"]

_REFUSED = (400, 422)
"""Statuses with which servers refuse a part of a request that they do not know."""

_AT_ONCE = 8
"""Requests about one answer that are under way together."""

T = TypeVar("T")
_Steps: TypeAlias = Generator[list[bytes], list[Reply], T]


class ChatVerifier:
    """Asks a judge for a verdict. One call is one attempt, in as many requests as the dialect needs.

    Args:
        dialect: How the judge is asked and read: a name that policies use, or a `Dialect`.
        model: What the endpoint calls the judge.
        base_url: Where the API is, ``/v1`` included.
        api_key: Sent as a bearer token; None: none is sent. It is never printed.
        timeout: Seconds for the whole call; less where ``check.remaining`` is less.
        headers: Sent with each request.
        id: What it is called in reports; by default ``chat:`` and the dialect.
        transport: An object of the HTTP library that carries the requests instead of its own.

    Raises `ConfigError` when the dialect is not known or the URL, key or a header cannot be sent.
    """

    def __init__(
        self,
        *,
        dialect: str | Dialect,
        model: str,
        base_url: str,
        api_key: str | None = None,
        timeout: float = 8.0,
        headers: Mapping[str, str] | None = None,
        id: str | None = None,
        transport: Any = None,
    ) -> None:
        self._dialect = dialect_named(dialect) if isinstance(dialect, str) else dialect
        self._model, self._timeout = model, timeout
        url = address(base_url, "/chat/completions")
        self._endpoint = Endpoint(url, key=api_key, headers=headers or {}, transport=transport)
        self._id = id or f"chat:{self._dialect.name}"
        self._plain = False

    def __repr__(self) -> str:
        return f"ChatVerifier({self.version!r}, {self._endpoint.url!r})"

    @property
    def id(self) -> str:
        """``chat:kluster``, say."""
        return self._id

    @property
    def version(self) -> str:
        """The dialect and the model."""
        return f"{self._dialect.name}:{self._model}"

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError` when there is no verdict, and nothing of the HTTP library's."""
        deadline = self._deadline(check)
        steps = self._steps(check, deadline)
        try:
            bodies = next(steps)
            while True:
                bodies = steps.send(self._endpoint.post_all(bodies, deadline))
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    async def averify(self, check: Check) -> Verdict:
        """The same on the event loop. Cancelling it closes the connection."""
        deadline = self._deadline(check)
        steps = self._steps(check, deadline)
        try:
            bodies = next(steps)
            while True:
                bodies = steps.send(await self._endpoint.apost_all(bodies, deadline))
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    def _deadline(self, check: Check) -> Deadline:
        return Deadline(self._timeout if check.remaining is None else min(self._timeout, check.remaining))

    def _steps(self, check: Check, deadline: Deadline) -> _Steps[Verdict]:
        """What both twins do: yields bodies to post at once, is sent the replies."""
        if not check.turn.text.strip():
            return self._signed(Verdict(Status.RELIABLE, explanation="no_claim"), deadline)
        settled = self._dialect.settled(check)
        if settled is not None:
            return self._signed(_verdict(settled, check), deadline)
        pieces = self._dialect.pieces(check)
        replies = yield from self._replies([self._dialect.request(piece.check) for piece in pieces])
        envelopes = [read_envelope(reply.body) for reply in replies]
        readings = [self._read(envelope, piece.check) for envelope, piece in zip(envelopes, pieces, strict=True)]
        reading = self._dialect.joined(pieces, readings, check)
        return self._signed(_verdict(reading, check, _spent(envelopes)), deadline)

    def _replies(self, requests: Sequence[dict[str, Any]]) -> _Steps[list[Reply]]:
        """A few at a time: one that fails ends the asking, and the others are not paid for."""
        replies: list[Reply] = []
        for start in range(0, len(requests), _AT_ONCE):
            replies += yield from self._some(requests[start : start + _AT_ONCE])
        return replies

    def _some(self, requests: Sequence[dict[str, Any]]) -> _Steps[list[Reply]]:
        plain = [self._dialect.plain(request) for request in requests]
        first = [(self._plain and simple) or request for request, simple in zip(requests, plain, strict=True)]
        replies = yield [self._encoded(request) for request in first]
        again = {n: simple for n, simple in enumerate(plain) if simple and replies[n].status in _REFUSED}
        if again and not self._plain:
            simpler = yield [self._encoded(request) for request in again.values()]
            replies = [*replies]
            for n, reply in zip(again, simpler, strict=True):
                replies[n] = reply
            # Remembered only if it helped: the fault may have been another.
            self._plain = all(reply.status == 200 for reply in simpler)
        for reply in replies:
            if reply.status != 200:
                raise reply.error()
        return replies

    def _read(self, envelope: Envelope, check: Check) -> Reading:
        reading = self._dialect.read(envelope.content, envelope.finish_reason, check=check)
        return self._dialect.weighed(reading, envelope.tokens)

    def _signed(self, verdict: Verdict, deadline: Deadline) -> Verdict:
        return replace(verdict, verifier=self.id, version=self.version, latency=deadline.spent())

    def _encoded(self, request: Mapping[str, Any]) -> bytes:
        # Half of a surrogate pair, which a cut answer may hold, is no Unicode text: it goes out as "?".
        return json.dumps({"model": self._model, **request}, ensure_ascii=False).encode("utf-8", "replace")

    def close(self) -> None:
        """Close the connections of threads."""
        self._endpoint.close()

    async def aclose(self) -> None:
        """Close those, and the connections of the running event loop."""
        await self._endpoint.aclose()


def _verdict(reading: Reading, check: Check, usage: Usage | None = None) -> Verdict:
    return Verdict(
        reading.status,
        risk=reading.risk,
        findings=reading.findings,
        explanation=reading.explanation,
        cause=reading.cause,
        evidence=check.evidence,
        usage=usage,
    )


def _spent(envelopes: Sequence[Envelope]) -> Usage | None:
    told = [envelope.usage for envelope in envelopes if envelope.usage is not None]
    return sum(told, Usage()) if told else None
