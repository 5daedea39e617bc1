"""Scores beside those that others published: ``guardrail eval TRUE-SETS... --json | python -m benchmarks.published``.

The sources must bear the names of `PUBLISHED`; others are passed over.
"""

from __future__ import annotations

import json
import sys
from typing import Any

PUBLISHED = {
    "true_frank": {"SummaC-ZS": 86.9, "SummaC-Conv": 88.6, "UniEval": 91.0, "BERTScore": 80.8},
    "true_dialfact": {"SummaC-ZS": 87.1, "SummaC-Conv": 81.2, "UniEval": 72.4, "BERTScore": 66.0},
    "true_begin": {"SummaC-ZS": 83.2, "SummaC-Conv": 81.8, "UniEval": 73.9, "BERTScore": 85.2},
    "true_q2": {"SummaC-ZS": 81.7, "SummaC-Conv": 77.4, "UniEval": 73.0, "BERTScore": 66.4},
}
"""AUROC (0..100) on the same rows, as published with TRUE (Honovich et al., 2022) and by later detectors."""


def main() -> None:
    """Print a line a source."""
    if sys.stdin.isatty():
        sys.exit(__doc__)
    report = json.load(sys.stdin)
    print(f"{'source':16} {'rows':>5} {'AUROC':>6}  published")
    for source in report["sources"]:
        if source["source"] in PUBLISHED:
            print(line(source))


def line(source: dict[str, Any]) -> str:
    """One source beside what is published."""
    others = "  ".join(f"{who} {value}" for who, value in PUBLISHED[source["source"]].items())
    ours = "-" if source["auroc"] is None else f"{100 * source['auroc']:.1f}"
    return f"{source['source']:16} {source['rows']:5} {ours:>6}  {others}"


if __name__ == "__main__":
    main()
