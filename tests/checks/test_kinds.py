"""The cases by which the checks were mended: each kind stays exact on all of them together."""

from __future__ import annotations

from pathlib import Path

from benchmarks.checks import KINDS, tally
from benchmarks.labelled import read

DATA = Path(__file__).parents[1] / "data"
FILES = ("check_kinds.jsonl", "check_kinds_unseen.jsonl", "check_kinds_mended.jsonl")


def test_every_kind_keeps_its_precision_and_recall() -> None:
    cases = [case for name in FILES for case in read(DATA / name)]
    counts = tally(cases)
    assert {kind for kind in KINDS if counts.precision(kind) < 0.95} == set(), counts.notes
    assert {kind for kind in KINDS if counts.recall(kind) < 0.80} == set(), counts.notes
    assert sum(not case.bad for case in cases) >= 0.4 * len(cases)
