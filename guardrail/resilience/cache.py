"""Verdicts that were given before, given again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import replace

from guardrail.cache import Cache, MemoryCache
from guardrail.errors import VerifierError
from guardrail.resilience.deadline import abounded
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Check, Verifier

__all__ = ["CacheVerifier", "in_memory"]

_CHARACTERS = 8_000_000
"""Of text in all verdicts that one cache holds, so that long evidence cannot fill the memory."""
_LASTING = (None, Cause.NO_EVIDENCE, Cause.LANGUAGE)
"""Why a verdict may be unknown and stay so; anything else is a failure, which the next try may mend."""


def in_memory(entries: int, ttl: float | None) -> MemoryCache[Verdict]:
    """A cache for ``entries`` verdicts and 8 million characters in this process; ``ttl`` in seconds."""
    return MemoryCache(entries, size=_CHARACTERS, weigh=_characters, ttl=ttl)


class CacheVerifier:
    """Another verifier, asked once about equal checks: what it said is said again.

    Two checks are equal when conversation, answer, evidence and threshold are; the time that is left does not
    count. Errors and failures are not remembered. Of equal checks at the same time one is asked, among threads and on
    each event loop; when that gives no verdict, the others ask for themselves. A verdict given again costs no tokens.
    """

    def __init__(self, inner: Verifier, cache: Cache[Verdict]) -> None:
        self._inner, self._cache = inner, cache
        self._begin()

    def _begin(self) -> None:
        self._pid, self._lock = os.getpid(), threading.Lock()
        self._asked: dict[Hashable, Future[Verdict | None]] = {}
        """What is being asked, by check and event loop; None comes of it where there is no verdict to share."""

    @property
    def id(self) -> str:
        """The other verifier's."""
        return self._inner.id

    @property
    def version(self) -> str:
        """The other verifier's."""
        return self._inner.version

    def verify(self, check: Check) -> Verdict:
        """Raises what the other verifier raises; `VerifierError` with cause ``timeout`` when an equal check takes too
        long."""
        started, key = time.monotonic(), self._key(check)
        if (known := self._cache.get(key)) is not None:
            return _again(known, started)
        asked, first = self._flight((key, None))
        if not first:
            try:
                shared = asked.result(check.remaining)
            except TimeoutError as error:
                raise _late(self.id) from error
            if shared is not None:
                return _again(shared, started)
            return self._inner.verify(check.after(time.monotonic() - started))
        verdict = None
        try:
            verdict = self._inner.verify(check)
            return verdict
        finally:
            self._land((key, None), asked, verdict)

    async def averify(self, check: Check) -> Verdict:
        """The same; when the one that is asked is cancelled, the others ask for themselves."""
        started, key = time.monotonic(), self._key(check)
        if (known := self._cache.get(key)) is not None:
            return _again(known, started)
        loop = id(asyncio.get_running_loop())
        asked, first = self._flight((key, loop))
        if not first:
            try:
                shared = await abounded(asyncio.shield(asyncio.wrap_future(asked)), check.remaining)
            except TimeoutError as error:
                raise _late(self.id) from error
            if shared is not None:
                return _again(shared, started)
            return await self._inner.averify(check.after(time.monotonic() - started))
        verdict = None
        try:
            verdict = await self._inner.averify(check)
            return verdict
        finally:
            self._land((key, loop), asked, verdict)

    def _flight(self, key: Hashable) -> tuple[Future[Verdict | None], bool]:
        """What comes of asking, and whether it is for the caller to ask."""
        if self._pid != os.getpid():
            self._begin()  # nobody in this process will answer what the parent asked
        with self._lock:
            begun = self._asked.get(key)
            if begun is None:
                begun = self._asked[key] = Future()
                return begun, True
            return begun, False

    def _land(self, key: tuple[Hashable, int | None], asked: Future[Verdict | None], verdict: Verdict | None) -> None:
        kept = verdict if verdict is not None and _lasts(verdict) else None
        if kept is not None:
            self._cache.put(key[0], kept)
        with self._lock:
            self._asked.pop(key, None)
        asked.set_result(kept)

    def _key(self, check: Check) -> bytes:
        """Stands for all that the verdict depends on."""
        about = repr((self.id, self.version, replace(check, remaining=None, sampler=None)))
        return hashlib.blake2b(about.encode("utf-8", "surrogatepass"), digest_size=32).digest()

    def close(self) -> None:
        """Close the other verifier."""
        self._inner.close()

    async def aclose(self) -> None:
        """Close the other verifier."""
        await self._inner.aclose()


def _lasts(verdict: Verdict) -> bool:
    return verdict.status is not Status.ERROR and verdict.cause in _LASTING


def _again(verdict: Verdict, started: float) -> Verdict:
    return replace(verdict, usage=None, latency=time.monotonic() - started)


def _late(verifier: str) -> VerifierError:
    return VerifierError(Cause.TIMEOUT, f"{verifier!r} was being asked the same, and did not answer in the time left")


def _characters(verdict: Verdict) -> int:
    used = (*verdict.evidence, *(held for finding in verdict.findings for held in finding.evidence))
    found = (finding.text + finding.explanation for finding in verdict.findings)
    return sum(len(piece.text) + 200 for piece in used) + sum(map(len, found)) + len(verdict.explanation) + 500
