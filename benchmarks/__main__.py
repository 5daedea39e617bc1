"""What guarding costs: five interleaved rounds of everything, each round's figure and the median.

Machines are noisy: compare ratios, and CPU, before milliseconds. Everything runs on the loopback interface, against an
LLM and a judge that answer at once.
"""

from __future__ import annotations

import asyncio
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version

from benchmarks.calls import ALONE, EMBEDDED, FLOOR, REMOTE, AsyncCall, Call, async_call, call
from benchmarks.fresh import first_calls, import_cost, middle

ROUNDS = 5
CALLS = 100
"""Calls of each kind in one round."""
IN_FLIGHT = 64
SECONDS = 2.0
"""Of one burst with many calls in flight."""

Rounds = dict[str, list[tuple[float, float]]]
"""By call, one pair a round."""


@contextmanager
def upstream() -> Iterator[str]:
    """The LLM and the judge, in a process of their own; gives the base URL."""
    command = [sys.executable, "-m", "benchmarks.upstream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


# one call after the other


def in_turn(rows: dict[str, Call], times: int) -> Rounds:
    """Medians of milliseconds and of CPU milliseconds; the calls are made in turn."""
    rounds: Rounds = {name: [] for name in rows}
    for _ in range(ROUNDS):
        taken: Rounds = {name: [] for name in rows}
        for _ in range(times):
            for name, work in rows.items():
                cpu, wall = time.process_time(), time.perf_counter()
                work()
                taken[name].append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)))
        _close_round(rounds, taken)
    return rounds


async def in_turn_async(rows: dict[str, AsyncCall], times: int) -> Rounds:
    """The same on the event loop."""
    rounds: Rounds = {name: [] for name in rows}
    for _ in range(ROUNDS):
        taken: Rounds = {name: [] for name in rows}
        for _ in range(times):
            for name, work in rows.items():
                cpu, wall = time.process_time(), time.perf_counter()
                await work()
                taken[name].append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)))
        _close_round(rounds, taken)
    return rounds


def _close_round(rounds: Rounds, taken: Rounds) -> None:
    for name, pairs in taken.items():
        walls, cpus = zip(*pairs, strict=True)
        rounds[name].append((statistics.median(walls), statistics.fmean(cpus)))


# many at once


def with_threads(rows: dict[str, Call]) -> Rounds:
    """Calls a second, and CPU milliseconds a call, with `IN_FLIGHT` threads."""
    rounds: Rounds = {name: [] for name in rows}
    with ThreadPoolExecutor(IN_FLIGHT) as threads:
        for _ in range(ROUNDS):
            for name, work in rows.items():
                began, cpu = time.perf_counter(), time.process_time()
                done = sum(threads.map(_until, [began + SECONDS] * IN_FLIGHT, [work] * IN_FLIGHT))
                rounds[name].append(_rate(done, began, cpu))
    return rounds


def _until(end: float, work: Call) -> int:
    done = 0
    while time.perf_counter() < end:
        work()
        done += 1
    return done


async def with_tasks(rows: dict[str, AsyncCall]) -> Rounds:
    """The same with tasks on one event loop."""
    rounds: Rounds = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, work in rows.items():
            began, cpu = time.perf_counter(), time.process_time()
            done = sum(await asyncio.gather(*(_auntil(began + SECONDS, work) for _ in range(IN_FLIGHT))))
            rounds[name].append(_rate(done, began, cpu))
    return rounds


async def _auntil(end: float, work: AsyncCall) -> int:
    done = 0
    while time.perf_counter() < end:
        await work()
        done += 1
    return done


def _rate(done: int, began: float, cpu: float) -> tuple[float, float]:
    return done / (time.perf_counter() - began), 1000 * (time.process_time() - cpu) / done


# what is said


def show(title: str, unit: str, rounds: Rounds) -> None:
    """A table: each round and the median of the ratio to the floor, then medians."""
    print(f"\n{title}\n{'':48}{'ratio to the floor, by round':36}{'median':>7}{unit:>12}{'CPU ms':>9}{'ratio':>7}")
    floor = rounds[FLOOR]
    for name, pairs in rounds.items():
        ratios = [mine / theirs for (mine, _), (theirs, _) in zip(pairs, floor, strict=True)]
        cpus = [mine / theirs for (_, mine), (_, theirs) in zip(pairs, floor, strict=True)]
        shown = " ".join(f"{ratio:6.2f}" for ratio in ratios)
        figure, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name:48}{shown:36}{_median(ratios):7.2f}{figure:12.2f}{cpu:9.2f}{_median(cpus):7.2f}")


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def main() -> None:
    """Measure, and print as it goes."""
    names = ("guardrail-llm", "openai", "httpx2", "httpx")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in names))
    costs = import_cost(ROUNDS)
    print(f"import guardrail, CPU ms: {' '.join(f'{cost:.1f}' for cost in costs)}, median {_median(costs):.1f}")
    with upstream() as url:
        fresh(url)
        show("one after the other", "ms", in_turn(_calls(url, ALONE, FLOOR, REMOTE), CALLS))
        show("the same, async", "ms", asyncio.run(_in_turn_async(url)))
        # By itself: it takes the processor's caches, and those that come after it would seem slow.
        show("the embedded judge", "ms", in_turn(_calls(url, FLOOR, EMBEDDED), CALLS // 10))
        show(f"{IN_FLIGHT} threads", "calls/s", with_threads(_calls(url, FLOOR, REMOTE)))
        show(f"{IN_FLIGHT} tasks on one event loop", "calls/s", asyncio.run(_with_tasks(url)))


def fresh(url: str) -> None:
    """What is paid once."""
    print(f"\nfresh interpreters, medians of {ROUNDS}\n{'':48}{'import, build ms':>18}{'first call ms':>16}{'MiB':>8}")
    for name, rows in first_calls(url, ROUNDS).items():
        built, called, size = middle(rows)
        print(f"{name:48}{built:18.0f}{called:16.1f}{size:8.1f}")


def _calls(url: str, *names: str) -> dict[str, Call]:
    return {name: call(name, url) for name in names}


# Clients belong to the event loop that they were first used on.


async def _in_turn_async(url: str) -> Rounds:
    return await in_turn_async({name: async_call(name, url) for name in (ALONE, FLOOR, REMOTE)}, CALLS)


async def _with_tasks(url: str) -> Rounds:
    return await with_tasks({name: async_call(name, url) for name in (FLOOR, REMOTE)})


if __name__ == "__main__":
    main()
