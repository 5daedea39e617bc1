"""What every test of another SDK uses: a server that errs once, and a guarded client for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from openai import AsyncOpenAI, OpenAI

import guardrail
from guardrail.testing import ScriptedVerifier, reliable, unreliable
from tests.integrations.openai.upstream import (
    Json,
    Reply,
    Upstream,
    chunks,
    completion,
    response,
    response_events,
    serve,
)

BAD, GOOD = "It is London.", "It is Paris."
Client = TypeVar("Client", OpenAI, AsyncOpenAI)


@dataclass
class Guarded:
    """The two ends of a guarded call."""

    upstream: Upstream
    verifier: ScriptedVerifier

    def client(self, kind: type[Client]) -> Client:
        """A guarded client, whose first answer is judged unreliable and asked for again."""
        return guardrail.wrap(self.bare(kind), guardrail.Guard(verifiers={"main": self.verifier}))

    def bare(self, kind: type[Client]) -> Client:
        return kind(base_url=self.upstream.url, api_key="none", max_retries=0)

    def regenerated_once(self) -> bool:
        """Whether the guard judged the bad draft, asked again, and judged the good one."""
        drafts = [check.turn.text for check in self.verifier.checks]
        return len(drafts) == 2 and "London" in drafts[0] and "Paris" in drafts[1]


@contextmanager
def guarded(bad: str = BAD, good: str = GOOD, **more: Any) -> Iterator[Guarded]:
    """A server that answers ``bad`` to the first request and ``good`` to all others, on every surface."""

    def answer(body: Json, number: int) -> Reply:
        text = bad if number == 0 else good
        if "input" in body:
            return response_events(text) if body.get("stream") else Reply(response(text, **more))
        return chunks(text, usage=True) if body.get("stream") else Reply(completion(text, **more))

    with serve() as upstream:
        upstream.answer = answer
        yield Guarded(upstream, ScriptedVerifier(unreliable("London"), reliable(), repeat=True))
