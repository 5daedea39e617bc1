"""One run of everything: import cost, and a guarded call beside bare calls.

Figures are medians of interleaved calls, and ratios: machines are noisy.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from openai import OpenAI

import guardrail
from guardrail.demo.llm import serve

CALLS = 200
ASKED = [{"role": "user", "content": "How tall is it? Context: The tower is 300 metres tall."}]
VERDICT = json.dumps({"REASONING": "fine", "HALLUCINATION": 0})


def import_cost() -> None:
    """CPU seconds of ``import guardrail`` above an empty interpreter, median of 15."""
    code = "import time; a = time.process_time(); {}; print(time.process_time() - a)"

    def cpu(statement: str) -> float:
        run = subprocess.run([sys.executable, "-c", code.format(statement)], capture_output=True, text=True, check=True)
        return float(run.stdout)

    bare = statistics.median(cpu("pass") for _ in range(15))
    ours = statistics.median(cpu("import guardrail") for _ in range(15))
    print(f"import guardrail: {1000 * (ours - bare):.1f} ms CPU above a bare interpreter")


def guarded_call() -> None:
    """A guarded call with a remote judge, beside two calls through the SDK by hand and beside the LLM call
    alone."""
    with serve({"llm": ["The tower is 300 metres tall."], "klusterai/verify-reliability": [VERDICT]}) as url:
        client = OpenAI(base_url=url, api_key="none")
        judge = {"kind": "chat", "dialect": "kluster", "base_url": url}
        policy = guardrail.load_policy({"version": 1, "verifiers": {"main": judge}})
        remote = guardrail.wrap(OpenAI(base_url=url, api_key="none"), policy)
        embedded = guardrail.wrap(OpenAI(base_url=url, api_key="none"))

        def alone() -> None:
            client.chat.completions.create(model="llm", messages=ASKED)

        def by_hand() -> None:
            alone()
            client.chat.completions.create(model="klusterai/verify-reliability", messages=ASKED)

        rows: dict[str, Callable[[], object]] = {
            "LLM call alone": alone,
            "LLM call and judge call, both by hand through the SDK (floor)": by_hand,
            "guarded, remote judge": lambda: remote.chat.completions.create(model="llm", messages=ASKED),
            "guarded, embedded judge": lambda: embedded.chat.completions.create(model="llm", messages=ASKED),
        }
        report(interleaved(rows))


def interleaved(rows: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each, called in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for number in range(CALLS + 20):
        for name, call in rows.items():
            started = time.perf_counter()
            call()
            if number >= 20:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def report(medians: dict[str, float]) -> None:
    """Print medians, and ratios to the floor."""
    floor = next(value for name, value in medians.items() if "floor" in name)
    for name, value in medians.items():
        print(f"{name:64} {1000 * value:7.2f} ms   {value / floor:5.2f} of the floor")


if __name__ == "__main__":
    import_cost()
    guarded_call()
