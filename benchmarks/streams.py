"""What a guarded stream costs: first and last character, unverified characters, calls, and the gate's own time.

    python -m benchmarks.streams            # the table, sync and async
    python -m benchmarks.streams --waits    # how soon a bad sentence ends the upstream; a sentence of a silent one
    python -m benchmarks.streams --gate     # microseconds a token in the gate and the flow

The LLM is a mock: 300 ms to the first token, then 50 tokens a second, 200 tokens. The remote judge takes 500 ms; the
embedded one is the real model, with a context of about 500 words, under the policy `observe`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

from guardrail import Check, Guard, Policy, Rules, Verdict
from guardrail.flow import Job
from guardrail.gate import SentenceGate, split_text
from guardrail.streams.commands import Ask
from guardrail.streams.flow import StreamFlow
from guardrail.streams.values import Chunk, Release, Write
from guardrail.testing import reliable, unreliable
from guardrail.verifiers.embedded import EmbeddedVerifier

FIRST, PER_TOKEN, TOKENS, JUDGE = 0.3, 1 / 50, 200, 0.5
BLOCK = Policy(policies={"default": Rules(on_unreliable="block")})
ASKED = [{"role": "user", "content": "Tell me about the Korvane lighthouse."}]
FACTS = (
    "The lighthouse on the northern cape was built in the year 1874. ",
    "Its lamp was converted to electricity a good many years later. ",
    "The keeper lived in the small white house beside the tower. ",
    "Visitors may climb the tower from April until the end of October. ",
)


def tokens(count: int = TOKENS) -> list[str]:
    """An answer, as tokens of one word."""
    words: list[str] = []
    while len(words) < count:
        words += [f"{word} " for word in FACTS[len(words) // 11 % len(FACTS)].split()]
    return words[:count]


def context(words: int = 500) -> str:
    """Evidence of about so many words."""
    chooser, said = random.Random(7), " ".join(FACTS)
    nouns = "harbour tower lamp keeper coast storm ship captain museum stairs light fog winter road village".split()
    while len(said.split()) < words:
        said += (
            f" The {chooser.choice(nouns)} near the {chooser.choice(nouns)} is {chooser.randint(2, 90)} metres away."
        )
    return said


class Remote:
    """A judge that takes its time; it remembers up to where it has judged."""

    id, version = "remote", "1"

    def __init__(self, seconds: float = JUDGE) -> None:
        self.seconds, self.calls, self.judged = seconds, 0, ""

    def verify(self, check: Check) -> Verdict:
        time.sleep(self.seconds)
        return self._done(check)

    async def averify(self, check: Check) -> Verdict:
        await asyncio.sleep(self.seconds)
        return self._done(check)

    def _done(self, check: Check) -> Verdict:
        self.calls += 1
        self.judged = max(self.judged, check.turn.text, key=len)
        return reliable()

    def close(self) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing is held."""


class Watched(Remote):
    """The embedded judge, watched in the same way."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.statuses = EmbeddedVerifier(), list[str]()

    def verify(self, check: Check) -> Verdict:
        return self._of(check, self.inner.verify(check))

    async def averify(self, check: Check) -> Verdict:
        return self._of(check, await self.inner.averify(check))

    def _of(self, check: Check, verdict: Verdict) -> Verdict:
        self._done(check)
        self.statuses.append(verdict.status.value)
        return verdict


@dataclass
class Seen:
    """One run, as the consumer saw it."""

    first: float = 0.0
    last: float = 0.0
    unverified: int = 0
    calls: int = 0
    text: str = field(default="", repr=False)

    def take(self, text: str, judged: str, since: float) -> None:
        now = time.monotonic() - since
        self.first, self.last = self.first or now, now
        self.text += text
        if not judged.startswith(self.text.rstrip()):
            self.unverified += len(text)


def source() -> Iterator[str]:
    began = time.monotonic()
    for place, token in enumerate(tokens()):
        time.sleep(max(0.0, began + FIRST + place * PER_TOKEN - time.monotonic()))
        yield token


async def asource() -> AsyncIterator[str]:
    began = time.monotonic()
    for place, token in enumerate(tokens()):
        await asyncio.sleep(max(0.0, began + FIRST + place * PER_TOKEN - time.monotonic()))
        yield token


def run(guard: Guard, judge: Remote) -> Seen:
    """Through `Guard.stream`."""
    seen, since = Seen(), time.monotonic()
    judge.calls, judge.judged = 0, ""
    for item in guard.stream(source(), ASKED, evidence=[context()]).events():
        if isinstance(item, Release | Write) and item.text:
            seen.take(item.text, judge.judged, since)
    seen.calls = judge.calls
    return seen


async def arun(guard: Guard, judge: Remote) -> Seen:
    """Through `Guard.astream`."""
    seen, since = Seen(), time.monotonic()
    judge.calls, judge.judged = 0, ""
    async for item in guard.astream(asource(), ASKED, evidence=[context()]).events():
        if isinstance(item, Release | Write) and item.text:
            seen.take(item.text, judge.judged, since)
    seen.calls = judge.calls
    return seen


def bare() -> Seen:
    """Without a guard: the floor."""
    seen, since = Seen(), time.monotonic()
    for text in source():
        seen.take(text, seen.text + text, since)
    return seen


async def abare() -> Seen:
    """The same on an event loop."""
    seen, since = Seen(), time.monotonic()
    async for text in asource():
        seen.take(text, seen.text + text, since)
    return seen


def table(rounds: int) -> None:
    """Prints medians; kinds are interleaved, as other work on the machine comes and goes."""
    remote, watched = Remote(), Watched()
    observe = Policy(policies={"default": Rules(on_unreliable="flag")})
    guards = {"remote": (Guard(observe, verifiers={"main": remote}), remote)}
    guards["embedded"] = (Guard(observe, verifiers={"main": watched}), watched)
    for guard, judge in guards.values():
        run(guard, judge)  # loads models and modules
    seen: dict[str, list[Seen]] = {}
    for _ in range(rounds):
        seen.setdefault("bare, threads", []).append(bare())
        seen.setdefault("bare, event loop", []).append(asyncio.run(abare()))
        for name, (guard, judge) in guards.items():
            seen.setdefault(f"{name}, threads", []).append(run(guard, judge))
            seen.setdefault(f"{name}, event loop", []).append(asyncio.run(arun(guard, judge)))
    print(f"{'':22}{'first (s)':>12}{'last (s)':>12}{'unverified':>12}{'calls':>8}   sentences")
    for name, runs in seen.items():
        first, last = (statistics.median(getattr(one, key) for one in runs) for key in ("first", "last"))
        worst = max(one.unverified for one in runs)
        print(f"{name:22}{first:12.2f}{last:12.2f}{worst:12}{runs[-1].calls:8}   {-(-TOKENS // 11)}")
    print("embedded verdicts:", {status: watched.statuses.count(status) for status in set(watched.statuses)})


class Strict(Remote):
    """A judge that finds the second sentence bad, and remembers when it said so."""

    told = 0.0

    def _done(self, check: Check) -> Verdict:
        verdict = super()._done(check)
        if "Its lamp" not in check.turn.text[check.since :]:
            return verdict
        self.told = time.monotonic()
        return unreliable("Its lamp")


def waits(rounds: int) -> None:
    """Prints milliseconds: from the bad verdict to the end of the upstream, and what a sentence waits for beyond its
    verdict while the upstream is silent for 5 s."""
    ends, gaps = {"threads": list[float](), "event loop": list[float]()}, dict[str, list[float]]()
    for _ in range(rounds):
        for name, call in (("threads", _cut), ("event loop", lambda: asyncio.run(_acut()))):
            ends[name].append(call())
        gaps.setdefault("threads", []).append(_silent())
        gaps.setdefault("event loop", []).append(asyncio.run(_asilent()))
    for name in ends:
        worst = f"{max(ends[name]) * 1000:.0f} ms; silent upstream: {max(gaps[name]) * 1000:.0f} ms"
        print(f"{name}: bad verdict to closed upstream, worst of {rounds}: {worst} beyond the verdict")


def _cut() -> float:
    judge, closed = Strict(), list[float]()

    def watched() -> Iterator[str]:
        try:
            yield from source()
        finally:
            closed.append(time.monotonic())

    list(Guard(BLOCK, verifiers={"main": judge}).stream(watched(), ASKED))
    _until(lambda: bool(closed))
    return closed[0] - judge.told


async def _acut() -> float:
    judge, closed = Strict(), list[float]()

    async def watched() -> AsyncIterator[str]:
        try:
            async for text in asource():
                yield text
        finally:
            closed.append(time.monotonic())

    async for _ in Guard(BLOCK, verifiers={"main": judge}).astream(watched(), ASKED):
        pass
    return closed[0] - judge.told


def _silent() -> float:
    def silent() -> Iterator[str]:
        yield "The lighthouse was built in 1874. Its lamp"
        time.sleep(5)
        yield " is electric."

    began = time.monotonic()
    with Guard("observe", verifiers={"main": Remote()}).stream(silent(), ASKED) as stream:
        next(stream)
        return time.monotonic() - began - JUDGE


async def _asilent() -> float:
    async def silent() -> AsyncIterator[str]:
        yield "The lighthouse was built in 1874. Its lamp"
        await asyncio.sleep(5)
        yield " is electric."

    began = time.monotonic()
    async with Guard("observe", verifiers={"main": Remote()}).astream(silent(), ASKED) as stream:
        await anext(stream)
        return time.monotonic() - began - JUDGE


def _until(there: Callable[[], bool]) -> None:
    while not there():
        time.sleep(0.001)


def gate(rounds: int) -> None:
    """Prints microseconds a token: of the gate with its segmenter, and of the flow with the gate, verdicts at once."""
    said = tokens(2000)
    chunks = [Chunk(token, token) for token in said]

    def through_gate() -> None:
        gate = SentenceGate(split_text)
        for token in said:
            gate.feed(token, token)
            for unit in gate.take():
                gate.release(unit)

    def through_flow() -> None:
        rules = Rules.model_validate({"stream": {"verifications": 100000}})
        flow = StreamFlow(Job("id", (), rules), split=split_text)
        for chunk in chunks:
            todo = flow.feed(0, chunk, 0.0)
            while todo:
                command = todo.pop()
                if isinstance(command, Ask):
                    todo += flow.judged(command.ticket, reliable(), 0.0)

    for name, call in (("gate", through_gate), ("gate and flow", through_flow)):
        best = min(_timed(call) for _ in range(rounds)) / len(said) * 1e6
        print(f"{name}: {best:.1f} microseconds a token")


def _timed(call: Callable[[], None]) -> float:
    started = time.process_time()  # other work on the machine does not count
    call()
    return time.process_time() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gate", action="store_true", help="only the gate's own time")
    parser.add_argument("--waits", action="store_true", help="only what the ends and a silent upstream wait for")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    part = gate if options.gate else waits if options.waits else table
    part(options.rounds)
