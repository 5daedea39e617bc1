"""Asking a verifier in both ways, from one table."""

from __future__ import annotations

import asyncio

import pytest

from guardrail.conversation import Evidence, Message, Turn
from guardrail.verdict import Verdict
from guardrail.verifiers.chat import ChatVerifier
from guardrail.verifiers.protocol import Check, Verifier

both = pytest.mark.parametrize("how", ["sync", "async"])
YES = '{"REASONING": "differs", "HALLUCINATION": 1}'
NO = '{"REASONING": "same", "HALLUCINATION": 0}'


def check(answer: str = "London.", *evidence: str, remaining: float | None = None) -> Check:
    """A question, an answer, and documents that the caller gave."""
    history = (Message("user", ("What is the capital of France?",)),)
    given = tuple(Evidence(text, "caller") for text in evidence)
    return Check(history, Turn(answer), given, remaining=remaining)


def chat(url: str, dialect: str = "kluster", **options: object) -> ChatVerifier:
    """A chat verifier at ``url``."""
    return ChatVerifier(dialect=dialect, model="judge-1", base_url=url, **options)  # type: ignore[arg-type]


def ask(verifier: Verifier, asked: Check, how: str) -> Verdict:
    """One verdict, in the calling thread or on an event loop; closes the verifier's connections."""
    if how == "sync":
        try:
            return verifier.verify(asked)
        finally:
            verifier.close()

    async def alone() -> Verdict:
        try:
            return await verifier.averify(asked)
        finally:
            await verifier.aclose()

    return asyncio.run(alone())
