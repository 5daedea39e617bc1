"""What a guarded OpenAI client's streams cost, beside the SDK without a guard: ``python -m benchmarks.openai_streams``.

    --rounds N       rounds of the table, of the cut and of the pause (5)
    --many SECONDS   500 streams at 5 tokens a second, for so long, guarded and bare in turn (60)
    --freeze         these as in a server that spares the collector of garbage what it has imported, and calls it less

Everything runs on the loopback interface, against `benchmarks.talking`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI, OpenAI

import guardrail
from benchmarks.streams import context
from benchmarks.talking import BAD

JUDGE = 0.5
LLM, WARM = "llm 0.3 50 200 0 0", "llm 0 1000 12 0 0"
FIRST, RATE = 0.3, 5.0
_SENT = re.compile(r" t(\d+)\.")
"""What the last word of a sentence says of when it was sent."""


@dataclass
class Seen:
    """One stream, as its consumer saw it: seconds, and the text so far."""

    began: float
    at: list[tuple[float, str]]

    @property
    def first(self) -> float:
        return self.at[0][0] - self.began

    @property
    def last(self) -> float:
        return self.at[-1][0] - self.began


@contextmanager
def upstream() -> Iterator[str]:
    """The LLM and the judge, in a process of their own; gives the base URL."""
    with subprocess.Popen([sys.executable, "-m", "benchmarks.talking"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def log(url: str) -> dict[str, list[Any]]:
    """What the upstream has seen since it was last asked."""
    with urllib.request.urlopen(f"{url}/log") as answer:
        told: dict[str, list[Any]] = json.load(answer)
        return told


class Watched:
    """A verifier, with the times of its verdicts, the texts that they are on, and what they say."""

    def __init__(self, inner: guardrail.Verifier) -> None:
        self.inner, self.id, self.version = inner, inner.id, inner.version
        self.verdicts: list[tuple[float, str, str]] = []

    def verify(self, check: guardrail.Check) -> guardrail.Verdict:
        return self._told(check, self.inner.verify(check))

    async def averify(self, check: guardrail.Check) -> guardrail.Verdict:
        return self._told(check, await self.inner.averify(check))

    def _told(self, check: guardrail.Check, verdict: guardrail.Verdict) -> guardrail.Verdict:
        self.verdicts.append((time.monotonic(), check.turn.text, verdict.status.value))
        return verdict

    def close(self) -> None:
        self.inner.close()

    async def aclose(self) -> None:
        await self.inner.aclose()


class Row:
    """One row of the table: the client, and what is known of the verdicts that were given for it."""

    def __init__(self, url: str, judge: str | None, bare: Any) -> None:
        self._url, self._watched, self.client = url, list[Watched](), bare
        if judge == "embedded":
            policy = rules(url, judge)
            inner = guardrail.Guard(policy).verifiers
            self._watched = [Watched(verifier) for verifier in inner.values()]
            judges = dict(zip(inner, self._watched, strict=True))
            self.client = guardrail.wrap(bare, guardrail.Guard(policy, verifiers=judges))
        elif judge is not None:
            self.client = guardrail.wrap(bare, rules(url, judge))

    def told(self) -> dict[str, list[Any]]:
        """What has happened since it was last asked; a verdict that says nothing is none."""
        told, real = log(self._url), ("reliable", "unreliable")
        for watched in self._watched:
            told["verdicts"] += [(at, text) for at, text, status in watched.verdicts if status in real]
            told["none"] = [status for _, _, status in watched.verdicts if status not in real]
            watched.verdicts.clear()
        return told


def rules(url: str, judge: str) -> guardrail.Policy:
    """The policy of a row."""
    if judge == "embedded":
        return guardrail.load_policy({"version": 1, "extends": "observe"})
    remote = {"kind": "chat", "dialect": "kluster", "model": f"judge {judge}", "base_url": url}
    default = {"on_unreliable": "block", "messages": {"blocked": "Withheld."}}
    return guardrail.load_policy({"version": 1, "verifiers": {"main": remote}, "policies": {"default": default}})


def asked(words: int = 500) -> list[Any]:
    """A question with a context."""
    return [{"role": "user", "content": f"<document>{context(words)}</document>\n\nTell me about the lighthouse."}]


def read(client: OpenAI, model: str, messages: Sequence[Any]) -> Seen:
    """One stream to its end."""
    seen, text = Seen(time.monotonic(), []), ""
    for chunk in client.chat.completions.create(model=model, messages=list(messages), stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            text += chunk.choices[0].delta.content
            seen.at.append((time.monotonic(), text))
    return seen


async def aread(client: AsyncOpenAI, model: str, messages: Sequence[Any]) -> Seen:
    """The same on an event loop."""
    seen, text = Seen(time.monotonic(), []), ""
    async for chunk in await client.chat.completions.create(model=model, messages=list(messages), stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            text += chunk.choices[0].delta.content
            seen.at.append((time.monotonic(), text))
    return seen


def unverified(seen: Seen, verdicts: Sequence[Any]) -> int:
    """Characters that were shown before a verdict on them had been given."""
    worst = 0
    for at, text in seen.at:
        known = [shown for told, shown in verdicts if told <= at and text.strip()[-30:] in shown]
        worst += 0 if known else len(text) - worst
    return worst


# the table


def by_hand(client: OpenAI, model: str) -> Seen:
    """The floor: the SDK's stream, gathered; then the judge is asked about all of it."""
    seen = read(client, model, asked())
    client.chat.completions.create(model=f"judge {JUDGE}", messages=[{"role": "user", "content": seen.at[-1][1]}])
    return Seen(seen.began, [(time.monotonic(), seen.at[-1][1])])


def row(url: str, name: str, judge: str | None, is_async: bool, model: str = LLM) -> tuple[Seen, dict[str, list[Any]]]:
    """One run of a row of the table, with connections that are open: the first call is not what is measured."""
    if is_async:
        return asyncio.run(_arow(url, judge, model))
    one = Row(url, judge, OpenAI(base_url=url, api_key="none"))
    read(one.client, WARM, asked())
    one.told()
    seen = by_hand(one.client, model) if name == "floor" else read(one.client, model, asked())
    return seen, one.told()


async def _arow(url: str, judge: str | None, model: str) -> tuple[Seen, dict[str, list[Any]]]:
    one = Row(url, judge, AsyncOpenAI(base_url=url, api_key="none"))
    await aread(one.client, WARM, asked())
    one.told()
    seen = await aread(one.client, model, asked())
    return seen, one.told()


ROWS: dict[str, tuple[str | None, bool]] = {
    "SDK, unguarded": (None, False),
    "floor": (None, False),
    "remote judge": (str(JUDGE), False),
    "remote judge, async": (str(JUDGE), True),
    "embedded judge": ("embedded", False),
    "embedded judge, async": ("embedded", True),
}


def table(url: str, rounds: int) -> None:
    """First and last character of each row."""
    print(f"{'':26}{'first s':>24}{'last s':>24}  unverified  verdicts  sentences")
    found: dict[str, list[tuple[Seen, dict[str, list[Any]]]]] = {name: [] for name in ROWS}
    for turn in range(rounds + 1):  # the first loads the model
        for name, (judge, is_async) in ROWS.items():
            result = row(url, name, judge, is_async)
            found[name] += [result] if turn else []
    for name, runs in found.items():
        guarded = ROWS[name][0] is not None
        shown = max(unverified(seen, told["verdicts"]) for seen, told in runs) if guarded else "-"
        verdicts = [len(told["verdicts"]) for _, told in runs]
        given = f"{min(verdicts)}-{max(verdicts)}" if min(verdicts) < max(verdicts) else str(max(verdicts))
        said = max(len(seen.at[-1][1].split(". ")) for seen, _ in runs)
        first, last = (_spread([getattr(seen, key) for seen, _ in runs]) for key in ("first", "last"))
        print(f"{name:26}{first:>24}{last:>24}  {shown!s:>10}  {given:>8}  {said:9}")
        if nothing := sorted({status for _, told in runs for status in told.get("none", [])}):
            print(f"{'':26}and verdicts that say nothing: {', '.join(nothing)}")


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.2f}-{max(values):.2f})"


# a bad sentence, and a silent upstream


def waits(url: str, rounds: int) -> None:
    """Milliseconds from the bad verdict to the upstream's end, and of a silent upstream's sentence beyond its
    verdict."""
    for name, is_async in (("sync", False), ("async", True)):
        ends, late, leaked = list[float](), list[float](), 0
        for _ in range(rounds):
            seen, told = row(url, "", str(JUDGE), is_async, "llm 0.3 50 200 0 3")
            bad = min(at for at, shown in told["verdicts"] if BAD in shown)
            time.sleep(0.1)
            ends.append(min([*told["closed"], *log(url)["closed"]]) - bad)
            leaked += BAD.split()[-1] in seen.at[-1][1]
            seen, told = row(url, "", str(JUDGE), is_async, "llm 0.3 50 40 5 0")
            first = next(at for at, text in seen.at if "." in text)
            late.append(first - told["closed"][0] - JUDGE)
        print(
            f"{name}: bad verdict to closed upstream {_ms(ends)}; leaked {leaked}; silent upstream {_ms(late)} beyond"
        )


def _ms(values: Sequence[float]) -> str:
    return f"{1000 * statistics.median(values):.0f} ms (worst {1000 * max(values):.0f})"


# many at once


async def many(url: str, judge: str | None, seconds: float, streams: int) -> dict[str, float]:
    """So many streams at `RATE` tokens a second, on one event loop, for about ``seconds``.

    CPU is for each token that the upstream has said. Two waits of a sentence for its reader: since its last word was
    sent, and since it could be known to have ended, as the next word was due. A guard holds it for its verdict.
    """
    bare = AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=600)
    client = bare if judge is None else guardrail.wrap(bare, rules(url, f"{judge} unlogged"))
    await aread(client, WARM, asked(100))  # the first call loads what it needs
    log(url)
    end, waits = time.monotonic() + seconds, array("d")
    sizes: list[tuple[float, float]] = []

    async def keep_on(number: int) -> None:
        await asyncio.sleep(number / streams * 5)
        while time.monotonic() < end:
            model = f"llm {FIRST} {RATE} 100 0 0 timed"
            async with await client.chat.completions.create(model=model, messages=asked(100), stream=True) as stream:
                async for chunk in stream:
                    now = time.monotonic()
                    if chunk.choices:
                        sent = _SENT.findall(chunk.choices[0].delta.content or "")
                        waits.extend(now - int(at) / 1e6 for at in sent)
                    if now > end:
                        break

    async def weigh() -> None:
        while time.monotonic() < end:
            await asyncio.sleep(min(10.0, seconds / 10))
            sizes.append((time.monotonic(), _resident()))

    cpu, began = time.process_time(), time.monotonic()
    await asyncio.gather(weigh(), *(keep_on(number) for number in range(streams)))
    spent, tokens = time.process_time() - cpu, log(url)["said"][0]
    settled = [(at, size) for at, size in sizes if at > began + seconds / 3]
    return {
        "CPU ms a token": 1000 * spent / max(1, tokens),
        "tokens a second": tokens / (time.monotonic() - began),
        "since the last word s": statistics.median(waits),
        "p99": _worst(waits),
        "since the end was known s": statistics.median(waits) - 1 / RATE,
        "p99 ": _worst(waits) - 1 / RATE,
        "MiB": _resident(),
        "MiB a minute": _slope(settled) if len(settled) > 2 else 0.0,
    }


def _worst(waits: Sequence[float]) -> float:
    """What all but one in a hundred stay below."""
    return sorted(waits)[int(0.99 * len(waits))]


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _slope(points: Sequence[tuple[float, float]]) -> float:
    fitted = statistics.linear_regression([at / 60 for at, _ in points], [size for _, size in points])
    return fitted.slope


def spare_the_collector() -> None:
    """What is imported is looked at no more, and what is new more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def crowd(seconds: float, streams: int, *options: str) -> None:
    """Guarded and bare in turn, each in a fresh interpreter."""
    with upstream() as url:
        for judge in ("", str(JUDGE)) * 2:
            command = [sys.executable, "-m", "benchmarks.openai_streams", "--alone", url, "--judge", judge]
            done = subprocess.run(
                [*command, "--many", str(seconds), "--streams", str(streams), *options],
                capture_output=True,
                text=True,
                check=True,
            )
            told = json.loads(done.stdout.splitlines()[-1])
            print("guarded  " if judge else "unguarded", ", ".join(f"{key} {value:.3f}" for key, value in told.items()))


def main() -> None:
    """Measure, and print as it goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--many", type=float, default=60.0)
    parser.add_argument("--streams", type=int, default=500, help="how many of them")
    parser.add_argument("--freeze", action="store_true", help="the collector of garbage as a server has it")
    parser.add_argument("--alone", metavar="URL", help="only the many streams, in this process")
    parser.add_argument("--judge", default="")
    given = parser.parse_args()
    if given.alone:
        if given.freeze:
            spare_the_collector()
        print(json.dumps(asyncio.run(many(given.alone, given.judge or None, given.many, given.streams))))
        return
    print(f"load {os.getloadavg()[0]:.1f}")
    if given.rounds:
        with upstream() as url:
            table(url, given.rounds)
            waits(url, given.rounds)
    if given.many:
        crowd(given.many, given.streams, *(["--freeze"] if given.freeze else []))


if __name__ == "__main__":
    main()
