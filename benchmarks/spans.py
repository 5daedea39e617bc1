"""How exactly the embedded verifier marks bad places: span F1 on answers marked by hand.

``python -m benchmarks.spans FILE [--half A] [--show]``; a row of FILE is described in `benchmarks.labelled`.

By character: of all characters of all answers, those that were marked and those that were found. By finding: a
finding is right where it overlaps a marked place, and a marked place is found where a finding overlaps it; and the
same where their intersection has to be at least half of their union. Intervals: 1,000 resamples of the contexts, 95 %.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from benchmarks.labelled import Labelled, half, read
from guardrail.checks import CHECKS
from guardrail.conversation import Turn
from guardrail.verdict import Status
from guardrail.verifiers.embedded import EmbeddedVerifier
from guardrail.verifiers.protocol import Check

__all__ = ["Counts", "counted", "f1", "interval"]

Place = tuple[int, int]
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Counts:
    """What was marked, what was found, and what of each is in the other."""

    both: int = 0
    """Characters."""
    found: int = 0
    marked: int = 0
    right: int = 0
    """Findings that overlap a marked place."""
    findings: int = 0
    hit: int = 0
    """Marked places that a finding overlaps."""
    marks: int = 0
    close: int = 0
    """Findings that share half of the union with one marked place."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


def counted(found: Sequence[Place], marked: Sequence[Place]) -> Counts:
    """The counts of one answer, from places (start, end) that do not overlap among themselves."""
    one, two = (frozenset(at for start, end in places for at in range(start, end)) for places in (found, marked))
    return Counts(
        both=len(one & two),
        found=len(one),
        marked=len(two),
        right=sum(any(_shared(place, mark) for mark in marked) for place in found),
        findings=len(found),
        hit=sum(any(_shared(place, mark) for place in found) for mark in marked),
        marks=len(marked),
        close=sum(any(2 * _shared(place, mark) >= _union(place, mark) for place in found) for mark in marked),
    )


def _shared(one: Place, two: Place) -> int:
    return max(0, min(one[1], two[1]) - max(one[0], two[0]))


def _union(one: Place, two: Place) -> int:
    return (one[1] - one[0]) + (two[1] - two[0]) - _shared(one, two)


def f1(precision: tuple[int, int], recall: tuple[int, int]) -> float:
    """The harmonic mean (0..1) of two shares, each given as part and whole."""
    one, two = (part / whole if whole else 0.0 for part, whole in (precision, recall))
    return 2 * one * two / (one + two) if one + two else 0.0


def by_character(counts: Counts) -> float:
    """F1 (0..1) over characters."""
    return f1((counts.both, counts.found), (counts.both, counts.marked))


def by_finding(counts: Counts) -> float:
    """F1 (0..1) over findings that overlap marked places."""
    return f1((counts.right, counts.findings), (counts.hit, counts.marks))


def by_close_finding(counts: Counts) -> float:
    """F1 (0..1) over findings that share half of the union with a marked place."""
    return f1((counts.close, counts.findings), (counts.close, counts.marks))


def interval(groups: Sequence[Counts]) -> tuple[float, float]:
    """The middle 95 % of F1 by character over resamples of ``groups``."""
    rng = random.Random(0)
    totals = sorted(by_character(_sum(rng.choices(groups, k=len(groups)))) for _ in range(_RESAMPLES))
    return totals[int(0.025 * _RESAMPLES)], totals[int(0.975 * _RESAMPLES) - 1]


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


def judged(verifier: EmbeddedVerifier, case: Labelled) -> tuple[list[Place], bool]:
    """The places that the verifier finds, and whether it calls the answer unreliable."""
    verdict = verifier.verify(Check(case.conversation, Turn(case.answer), case.evidence))
    return [(finding.start, finding.end) for finding in verdict.findings], verdict.status is Status.UNRELIABLE


def report(name: str, verifier: EmbeddedVerifier, cases: Sequence[Labelled], show: bool) -> None:
    """One line of figures for one setting."""
    groups: dict[str, Counts] = defaultdict(Counts)
    caught = alarmed = 0
    for case in cases:
        found, unreliable = judged(verifier, case)
        marked = [(mark.start, mark.end) for mark in case.bad]
        groups[case.context] += counted(found, marked)
        caught += unreliable and bool(marked)
        alarmed += unreliable and not marked
        if show:
            texts = [[case.answer[start:end] for start, end in places] for places in (found, marked)]
            print(f"  {case.id} found {texts[0]} marked {texts[1]} in {case.answer!r}")
    total, wrong = _sum(groups.values()), sum(bool(case.bad) for case in cases)
    low, high = interval(list(groups.values()))
    print(f"{name:10} {by_character(total):.3f} [{low:.3f}, {high:.3f}]  {by_finding(total):.3f}  "
          f"{by_close_finding(total):.3f}   {caught}/{wrong} wrong answers caught, "
          f"{alarmed}/{len(cases) - wrong} right ones alarmed")  # fmt: skip


def main() -> None:
    """Print the figures with and without the checks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spans", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--half", choices=("A", "B"), help="only half of the answers")
    parser.add_argument("--show", action="store_true", help="print what was found and marked in every answer")
    asked = parser.parse_args()
    cases = [case for case in read(asked.file) if asked.half in (None, half(case))]
    print(f"{'checks':10} by character [95 %]  overlap  half")
    for name, checks in (("off", ()), ("all", tuple(CHECKS))):
        report(name, EmbeddedVerifier(checks=checks), cases, asked.show)


if __name__ == "__main__":
    main()
