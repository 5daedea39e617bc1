"""How exact the deterministic checks are: precision and recall by kind, on labelled cases.

``python -m benchmarks.checks FILE [--half A] [--show]``; a row of FILE is described in `benchmarks.labelled`.

A finding is right where it overlaps a marked place of its own kind. It is a false alarm where it overlaps no
marked place at all, whichever kind of case it is in; where it overlaps one of another kind it is neither. ``number``
and ``quantity`` come of one check, which decides by the unit: each counts for the other.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.labelled import Labelled, Mark, half, read
from guardrail.checks import CHECKS, Case
from guardrail.verdict import Finding

__all__ = ["KINDS", "Tally", "tally"]

KINDS = ("number", "quantity", "date", "name", "quotation", "citation", "arithmetic", "consistency")
_LABELS = {"quotations": "quotation", "citations": "citation", "dates": "date", "names": "name"}
_ONE = frozenset({"number", "quantity"})


@dataclass
class Tally:
    """Counts by kind of finding, and of whole cases by the kind that they try."""

    hit: Counter[str] = field(default_factory=Counter)
    """Marked places that a finding of their kind overlaps."""
    missed: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    """Findings that overlap no marked place."""
    caught: Counter[str] = field(default_factory=Counter)
    """Wrong answers with a finding of any kind at a marked place."""
    wrong: Counter[str] = field(default_factory=Counter)
    alarmed: Counter[str] = field(default_factory=Counter)
    """Right answers with a finding of any kind."""
    right: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    """False alarms and misses, for people."""

    def precision(self, kind: str) -> float:
        """The share (0..1) of findings of a kind that are right; 1 where there are none."""
        found = self.hit[kind] + self.false[kind]
        return self.hit[kind] / found if found else 1.0

    def recall(self, kind: str) -> float:
        """The share (0..1) of marked places of a kind that are found; 1 where there are none."""
        marked = self.hit[kind] + self.missed[kind]
        return self.hit[kind] / marked if marked else 1.0


def tally(cases: Iterable[Labelled]) -> Tally:
    """What all checks find in ``cases``, each asked by itself."""
    counts = Tally()
    for case in cases:
        found = list(_found(case))
        _count_places(counts, case, found)
        _count_case(counts, case, [finding for _, finding in found])
    return counts


def _found(labelled: Labelled) -> Iterator[tuple[str, Finding]]:
    case = Case(labelled.answer, labelled.evidence, labelled.conversation)
    for name, check in CHECKS.items():
        for finding in check(case):
            yield finding.kind.value if name == "numbers" else _LABELS.get(name, name), finding


def _count_places(counts: Tally, case: Labelled, found: list[tuple[str, Finding]]) -> None:
    for kind, finding in found:
        if not any(mark.overlaps(finding.start, finding.end) for mark in case.bad):
            counts.false[kind] += 1
            counts.notes.append(f"false alarm  {kind:11}  {case.id:16} {finding.text!r} in {case.answer!r}")
    for mark in case.bad:
        hit = any(_alike(kind, mark) and mark.overlaps(finding.start, finding.end) for kind, finding in found)
        (counts.hit if hit else counts.missed)[mark.kind] += 1
        if not hit:
            text = case.answer[mark.start : mark.end]
            counts.notes.append(f"missed       {mark.kind:11}  {case.id:16} {text!r} in {case.answer!r}")


def _alike(kind: str, mark: Mark) -> bool:
    return kind == mark.kind or {kind, mark.kind} <= _ONE


def _count_case(counts: Tally, case: Labelled, found: list[Finding]) -> None:
    if case.bad:
        counts.wrong[case.kind] += 1
        counts.caught[case.kind] += any(mark.overlaps(f.start, f.end) for mark in case.bad for f in found)
    else:
        counts.right[case.kind] += 1
        counts.alarmed[case.kind] += bool(found)


def table(counts: Tally) -> str:
    """The counts as a table for people."""
    lines = [f"{'kind':12} precision   recall       wrong answers caught   false alarms on right answers"]
    for kind in KINDS:
        hit, false, marked = counts.hit[kind], counts.false[kind], counts.hit[kind] + counts.missed[kind]
        lines.append(
            f"{kind:12} {counts.precision(kind):.2f} {f'{hit}/{hit + false}':>6} {counts.recall(kind):.2f} "
            f"{f'{hit}/{marked}':>6}   {f'{counts.caught[kind]}/{counts.wrong[kind]}':>12} "
            f"{f'{counts.alarmed[kind]}/{counts.right[kind]}':>22}"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, and with ``--show`` every false alarm and miss."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--half", choices=("A", "B"), help="only half of the cases")
    parser.add_argument("--show", action="store_true", help="print every false alarm and miss")
    asked = parser.parse_args()
    counts = tally(case for case in read(asked.file) if asked.half in (None, half(case)))
    print(table(counts))
    if asked.show:
        print("", *counts.notes, sep="\n")


if __name__ == "__main__":
    main()
