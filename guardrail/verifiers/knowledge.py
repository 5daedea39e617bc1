"""`KnowledgeVerifier`: the user's own documents are looked up, and another verifier holds the answer against them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from guardrail.claims import asks, claims, with_question
from guardrail.conversation import Evidence
from guardrail.errors import ConfigError, VerifierError
from guardrail.knowledge.retrieving import Retriever, Searcher
from guardrail.verdict import Cause, Verdict
from guardrail.verifiers.own import lost
from guardrail.verifiers.protocol import Check, Verifier
from guardrail.verifiers.threads import begun

__all__ = ["KnowledgeVerifier"]

_QUERIES = 24
"""So many claims of an answer are looked up by themselves, evenly over it."""


class KnowledgeVerifier:
    """Looks up the question and each claim of the answer, and asks ``inner`` with what was found as further evidence.

    ``retriever``: a `guardrail.knowledge.Index`, a LangChain retriever, or a function from a query to documents.
    ``inner``: None: the embedded verifier. ``top``: how many passages a query may bring. The passages come after the
    evidence at hand. ``inner`` stays open when this is closed. Raises `ConfigError` for what is no retriever.
    """

    id = "knowledge"

    def __init__(self, retriever: Retriever, inner: Verifier | None = None, *, top: int = 5) -> None:
        self._searcher, self._top = Searcher(retriever, top=top), top
        self._inner = inner or _embedded()

    @property
    def version(self) -> str:
        """The other verifier's, and how much is looked up; not what the documents say."""
        return f"top {self._top}, {self._inner.id} {self._inner.version}"

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError` when the retriever fails or is late, or the other verifier gives no verdict."""
        started, queries = time.monotonic(), _queries(check)
        found = self._found(queries, check.remaining)
        return self._told(self._inner.verify(self._with(check, found, started)), found, started)

    async def averify(self, check: Check) -> Verdict:
        """The same; the retriever is awaited, or asked in a thread."""
        started, queries = time.monotonic(), _queries(check)
        found = await self._afound(queries, check.remaining)
        return self._told(await self._inner.averify(self._with(check, found, started)), found, started)

    def _found(self, queries: Sequence[str], remaining: float | None) -> list[Evidence]:
        if self._searcher.waits:
            raise ConfigError("the retriever is an asynchronous function: only acheck and arun can ask it")
        try:
            return begun(lambda: self._searched(queries), name="guardrail-knowledge").result(remaining)
        except Exception as error:
            raise _told(error) from error

    async def _afound(self, queries: Sequence[str], remaining: float | None) -> list[Evidence]:
        try:
            async with asyncio.timeout(remaining):
                if self._searcher.has_async:
                    return _each_once([await self._searcher.asearch(query) for query in queries])
                searching = begun(lambda: self._searched(queries), name="guardrail-knowledge")
                return await asyncio.wrap_future(searching)
        except Exception as error:
            raise _told(error) from error

    def _searched(self, queries: Sequence[str]) -> list[Evidence]:
        return _each_once([self._searcher.search(query) for query in queries])

    def _with(self, check: Check, found: Sequence[Evidence], started: float) -> Check:
        spent = check.after(time.monotonic() - started)
        return replace(spent, evidence=tuple(dict.fromkeys((*check.evidence, *found))))

    def _told(self, verdict: Verdict, found: Sequence[Evidence], started: float) -> Verdict:
        note = f"({len(found)} passages of the documents were looked at)" if found else "(no document is about it)"
        return replace(
            verdict,
            explanation=f"{verdict.explanation} {note}".strip(),
            verifier=self.id,
            version=self.version,
            latency=time.monotonic() - started,
        )

    def close(self) -> None:
        """Nothing of its own is held."""

    async def aclose(self) -> None:
        """Nothing of its own is held."""


def _embedded() -> Verifier:
    from guardrail.verifiers.embedded import EmbeddedVerifier

    return EmbeddedVerifier()


def _queries(check: Check) -> list[str]:
    """The question, and each claim with what it answers; nothing where there is no claim."""
    asked = [message.text for message in check.conversation if message.role == "user"]
    question = asked[-1] if asked else ""
    stated = claims(check.turn.text, asked=asks(question))
    step = max(1, -(-len(stated) // _QUERIES))
    each = [with_question(claim.text, question) for claim in stated[::step]]
    return list(dict.fromkeys(text for text in (question, *each) if text.strip())) if stated else []


def _each_once(found: Sequence[Sequence[Evidence]]) -> list[Evidence]:
    return list(dict.fromkeys(piece for pieces in found for piece in pieces))


def _told(error: Exception) -> VerifierError:
    if isinstance(error, TimeoutError):
        return VerifierError(Cause.TIMEOUT, "the documents could not be searched in the time that was left")
    if isinstance(error, ConfigError):  # the index is gone, say
        return VerifierError(Cause.GONE, str(error))
    return lost(error, "knowledge")
