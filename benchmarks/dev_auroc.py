"""How well the embedded model tells reliable answers from others: ``python -m benchmarks.dev_auroc FOLDER``.

FOLDER holds labelled sets as gzipped JSON lines: ``context``, ``question``, ``answer``, ``label`` (1 = unreliable).
Prints, for each set, the AUROC of the embedded model beside three baselines that know nothing but words, and beside the
published figures of other detectors on the TRUE sets. Needs scikit-learn: ``pip install 'guardrail-llm[train]'``.
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from guardrail import Check, Evidence, Message, Turn
from guardrail.claims.words import Lexicon, novelty, words
from guardrail.ordered import in_order
from guardrail.verifiers.embedded import EmbeddedVerifier
from guardrail.verifiers.embedded.model import SHIPPED

PUBLISHED = {
    "true_frank": {"SummaC-ZS": 86.9, "SummaC-Conv": 88.6, "UniEval": 91.0, "BERTScore": 80.8},
    "true_dialfact": {"SummaC-ZS": 87.1, "SummaC-Conv": 81.2, "UniEval": 72.4, "BERTScore": 66.0},
    "true_begin": {"SummaC-ZS": 83.2, "SummaC-Conv": 81.8, "UniEval": 73.9, "BERTScore": 85.2},
    "true_q2": {"SummaC-ZS": 81.7, "SummaC-Conv": 77.4, "UniEval": 73.0, "BERTScore": 66.4},
}
"""AUROC on the same rows, as published with the TRUE benchmark (Honovich et al., 2022) and by later detectors."""
Row = dict[str, Any]


def main() -> None:
    """Print the table."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else None
    first_verdict()
    means: dict[str, list[float]] = {}
    print(f"{'set':22} {'rows':>5} {'embedded':>8} {'length':>7} {'word':>6} {'bigram':>6} {'ms/answer':>9}  published")
    for path in sorted(Path(sys.argv[1]).glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        rows = read(path)[:limit]
        scores = scored(rows)
        published = "  ".join(f"{who} {value}" for who, value in PUBLISHED.get(name, {}).items())
        numbers = " ".join(f"{scores[key]:>{width}.1f}" for key, width in COLUMNS.items())
        print(f"{name:22} {len(rows):5} {numbers}  {published}", flush=True)
        if name in PUBLISHED:
            for key in ("embedded", "word", "bigram"):
                means.setdefault(key, []).append(scores[key])
    if means:
        shown = ", ".join(f"{key} {statistics.mean(values):.1f}" for key, values in means.items())
        print(f"mean of the TRUE sets: {shown}")


COLUMNS = {"embedded": 8, "length": 7, "word": 6, "bigram": 6, "ms": 9}


def first_verdict() -> None:
    """Print the model's size, and how long it takes to load and give a first verdict."""
    megabytes = sum(file.stat().st_size for file in SHIPPED.iterdir()) / 1e6
    check = Check((), Turn("The tower is 500 metres tall."), (Evidence("The tower is 300 metres tall.", "caller"),))
    started = time.perf_counter()
    EmbeddedVerifier().verify(check)
    print(f"model folder {megabytes:.1f} MB; loaded, and first verdict after {time.perf_counter() - started:.2f} s")


def read(path: Path) -> list[Row]:
    """The rows of one set."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def scored(rows: Sequence[Row]) -> dict[str, float]:
    """AUROC (0..100) by column, and milliseconds an answer."""
    verifier = EmbeddedVerifier()
    labels = [row["label"] for row in rows]
    verdicts = list(in_order(verifier.verify, map(check_of, rows), concurrency=2))
    new = [novelty(row["answer"], Lexicon.of(words(row["context"]))) for row in rows]
    length = auroc(labels, (len(row["answer"]) for row in rows))
    return {
        # A row without a risk counts as 0.5: leaving it out would flatter.
        "embedded": auroc(labels, (0.5 if v.risk is None else v.risk for v in verdicts)),
        "length": max(length, 100 - length),
        "word": auroc(labels, (n.word for n in new)),
        "bigram": auroc(labels, (n.pair for n in new)),
        "ms": 1000 * statistics.median(v.latency or 0.0 for v in verdicts),
    }


def check_of(row: Row) -> Check:
    """A row as the verifier is asked."""
    asked = (Message("user", (row["question"],)),) if row["question"] else ()
    return Check(asked, Turn(row["answer"]), (Evidence(row["context"], "caller"),))


def auroc(labels: Sequence[int], risks: Iterable[float]) -> float:
    """Area under the ROC curve, 0..100."""
    from sklearn.metrics import roc_auc_score

    return 100 * float(roc_auc_score(labels, list(risks)))


if __name__ == "__main__":
    main()
