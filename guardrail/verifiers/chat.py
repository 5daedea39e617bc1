"""`ChatVerifier`: any judge behind an OpenAI-compatible chat endpoint, asked over plain pooled HTTP.

Not through the SDK: that costs more than the call itself, repeats calls on its own, and its errors would be
taken for those of the application's LLM.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from guardrail.verdict import Status, Verdict
from guardrail.verifiers.deadlines import Deadline
from guardrail.verifiers.dialects import Dialect, dialect_named
from guardrail.verifiers.dialects.envelope import read_envelope
from guardrail.verifiers.endpoint import Endpoint, Reply
from guardrail.verifiers.protocol import Check

__all__ = ["ChatVerifier"]

_REFUSED = (400, 422)
"""Statuses with which servers refuse a part of a request that they do not know."""


class ChatVerifier:
    """Asks a judge for a verdict. One call is one attempt.

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
        url = _completions(base_url)
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
            body = next(steps)
            while True:
                body = steps.send(self._endpoint.post(body, deadline))
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    async def averify(self, check: Check) -> Verdict:
        """The same on the event loop. Cancelling it closes the connection."""
        deadline = self._deadline(check)
        steps = self._steps(check, deadline)
        try:
            body = next(steps)
            while True:
                body = steps.send(await self._endpoint.apost(body, deadline))
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    def _deadline(self, check: Check) -> Deadline:
        return Deadline(self._timeout if check.remaining is None else min(self._timeout, check.remaining))

    def _steps(self, check: Check, deadline: Deadline) -> Generator[bytes, Reply, Verdict]:
        """What both twins do: yields bodies to post, is sent the replies."""
        if not check.turn.text.strip():
            return self._signed(Verdict(Status.RELIABLE, explanation="no_claim"), deadline)
        request = self._dialect.request(check)
        plain = self._dialect.plain(request)
        reply = yield self._encoded(plain if plain and self._plain else request)
        if reply.status in _REFUSED and plain and not self._plain:
            reply = yield self._encoded(plain)
            # Remembered only if it helped: the fault may have been another.
            self._plain = reply.status == 200
        if reply.status != 200:
            raise reply.error()
        return self._signed(self._read(reply, check), deadline)

    def _read(self, reply: Reply, check: Check) -> Verdict:
        envelope = read_envelope(reply.body)
        reading = self._dialect.read(envelope.content, envelope.finish_reason, check=check)
        return Verdict(
            reading.status,
            risk=reading.risk,
            findings=reading.findings,
            explanation=reading.explanation,
            cause=reading.cause,
            evidence=check.evidence,
            usage=envelope.usage,
        )

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


def _completions(base_url: str) -> str:
    """The address of chat completions; a query, such as Azure's ``api-version``, stays behind it."""
    parts = urlsplit(base_url)
    return parts._replace(path=parts.path.rstrip("/") + "/chat/completions").geturl()
