"""What is paid once: import, memory and the first call, each in a fresh interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys

from benchmarks.calls import EMBEDDED, FLOOR, REMOTE

_IMPORT = "import time; a = time.process_time(); {}; print(1000 * (time.process_time() - a))"
_FIRST = """
import time; began = time.perf_counter()
from benchmarks.calls import call
guarded = call({name!r}, {url!r})
made = time.perf_counter()
guarded()
called = time.perf_counter()
import resource, sys
size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(1000 * (made - began), 1000 * (called - made), size / (1024 if sys.platform == "linux" else 1024**2))
"""


def import_cost(times: int) -> list[float]:
    """CPU milliseconds of ``import guardrail`` above those of an empty interpreter."""
    return [_run(_IMPORT.format("import guardrail"))[0] - _run(_IMPORT.format("pass"))[0] for _ in range(times)]


def first_calls(url: str, times: int) -> dict[str, list[list[float]]]:
    """By call: milliseconds to import and build, milliseconds of the first call, and MiB resident after it."""
    names = (FLOOR, REMOTE, EMBEDDED)
    rows: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(times):
        for name in names:
            rows[name].append(_run(_FIRST.format(url=url, name=name)))
    return rows


def _run(code: str) -> list[float]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.split()]


def middle(rows: list[list[float]]) -> list[float]:
    """The median of each column."""
    return [statistics.median(column) for column in zip(*rows, strict=True)]
