"""What the embedded judge takes: ``python -m benchmarks.embedded [latency] [rows] [long]``, or all three.

Wall clock tells what a user waits for on this machine as it is; CPU tells what it costs on a busy one too.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy
import onnxruntime
import tokenizers  # noqa: F401  (what every process loads is not counted as a context's memory)

from benchmarks.texts import answer, context, long_text
from guardrail.checks import CHECKS
from guardrail.conversation import Evidence, Turn
from guardrail.cores import cores
from guardrail.verifiers.embedded import EmbeddedVerifier
from guardrail.verifiers.protocol import Check

TIMES = 40
ROWS = 1000
_MIB = 1024 if sys.platform == "linux" else 1024**2


def _check(evidence: int, said: int, *, first: int = 0) -> Check:
    return Check((), Turn(answer(said, first=first)), (Evidence(context(evidence), "caller"),))


# five sentences against 500 words


def latency() -> None:
    """By the wall clock the least, the median and the 90th percentile; the median of CPU."""
    verifiers = {
        f"{cores()} threads": EmbeddedVerifier(),
        "1 thread": EmbeddedVerifier(threads=1),
        f"{cores()} threads, all checks": EmbeddedVerifier(checks=tuple(CHECKS)),
    }
    print(f"five sentences against {len(context(0).split())} words, milliseconds")
    print(f"{'':28}{'':36}{'least':>7}{'p50':>7}{'p90':>7}{'CPU':>7}")
    for place, (name, verifier) in enumerate(verifiers.items()):
        verifier.verify(_check(10**6, 10**6))  # loads the model
        _latency(name, verifier, start=place * 10_000)


def _latency(name: str, verifier: EmbeddedVerifier, *, start: int) -> None:
    # Texts of their own for each verifier: they share what the model has read.
    seen = start + 9999
    verifier.verify(_check(seen, seen))
    kinds: dict[str, Callable[[int], Check]] = {
        "new context": lambda n: _check(start + n, start + n),
        "context seen, sentences new": lambda n: _check(seen, start + 5000 + n, first=n % 2),
        "a sentence more (one of six new)": lambda n: _grown(start + n),
        "all seen": lambda n: _check(start + n, start + n),
    }
    taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for number in range(TIMES):
        for kind, make in kinds.items():
            check = make(number)
            cpu, wall = time.process_time(), time.perf_counter()
            verifier.verify(check)
            taken[kind].append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)))
    for kind, pairs in taken.items():
        walls, cpus = sorted(wall for wall, _ in pairs), [cpu for _, cpu in pairs]
        p90 = walls[int(0.9 * len(walls))]
        figures = (walls[0], statistics.median(walls), p90, statistics.median(cpus))
        print(f"{name:28}{kind:36}" + "".join(f"{figure:7.1f}" for figure in figures))


def _grown(number: int) -> Check:
    return Check((), Turn(answer(number, count=6)), (Evidence(context(number), "caller"),))


# many rows


def rows() -> None:
    """``guardrail check`` on a file of answers of two sentences with the evidence of about 100 words."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "rows.jsonl"
        lines = ({"context": context(n)[: 600 + n % 100], "answer": answer(n, first=n, count=2)} for n in range(ROWS))
        source.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        print(f"{ROWS} rows of two sentences by `guardrail check`, loading included")
        for jobs in sorted({1, cores()}):
            command = [sys.executable, "-m", "guardrail.cli", "check", str(source), "--jobs", str(jobs)]
            command += ["--output", str(Path(folder) / f"{jobs}.jsonl")]
            wall, before = time.perf_counter(), os.times()
            subprocess.run(command, capture_output=True, check=False)
            wall, after = time.perf_counter() - wall, os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            judged = len((Path(folder) / f"{jobs}.jsonl").read_text("utf-8").splitlines())
            each = f"{judged / wall:6.1f} rows a second, {1000 * cpu / judged:5.1f} ms of CPU a row"
            print(f"jobs {jobs}: {wall:5.1f} s, {each}")


# long texts


def long() -> None:
    """Each in a process of its own, so that the peak of its memory is its own."""
    print(f"{'':56}{'seconds':>9}{'CPU':>7}{'again':>8}{'MiB above a short one':>23}")
    for name in _LONG:
        subprocess.run([sys.executable, "-m", "benchmarks.embedded", f"one:{name}"], check=True)


_LONG: dict[str, tuple[int, int, int, bool]] = {
    "500 words, 5 sentences": (500, 1, 5, False),
    "50,000 words, 5 sentences": (50_000, 1, 5, False),
    "100,000 words, 5 sentences": (100_000, 1, 5, False),
    "100,000 words in 200 pieces, 5 sentences": (100_000, 200, 5, False),
    "500 words, 3,000 words of answer": (500, 1, 230, False),
    "100,000 words in 200 pieces, 3,000 words of answer": (100_000, 200, 230, False),
    "500 words, 3,000 equal claims": (500, 1, 3000, True),
}
"""Words of evidence, its pieces, sentences of the answer, whether they are equal."""


def _one(name: str) -> None:
    words, pieces, sentences, equal = _LONG[name]
    verifier = EmbeddedVerifier()
    verifier.verify(_check(1, 1))
    evidence = tuple(Evidence(long_text(words // pieces, n), "retrieved", title=f"Part {n}") for n in range(pieces))
    said = " ".join(answer(n, first=n, count=1) for n in range(sentences))
    if equal:
        said = " ".join([answer(1, count=1)] * sentences)
    before = _peak()
    cpu, wall = time.process_time(), time.perf_counter()
    verifier.verify(Check((), Turn(said), evidence))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak, again = _peak() - before, time.perf_counter()
    verifier.verify(Check((), Turn(f"{said} It is old."), evidence))
    print(f"{name:56}{wall:9.2f}{cpu:7.2f}{time.perf_counter() - again:8.2f}{peak:23.0f}")


def _peak() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB


def main(names: list[str]) -> None:
    """Run what ``names`` say, or all."""
    if names and names[0].startswith("one:"):
        _one(names[0].removeprefix("one:"))
        return
    load = f"a load of {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    versions = f"Python {platform.python_version()}, onnxruntime {onnxruntime.__version__}, numpy {numpy.__version__}"
    print(f"{cores()} cores, {load}, {versions}")
    for name, measure in {"latency": latency, "rows": rows, "long": long}.items():
        if not names or name in names:
            print()
            measure()


if __name__ == "__main__":
    main(sys.argv[1:])
