"""Whether a risk is a probability: of the answers with a risk of 0.8, are 80 % unreliable? Pure.

The reliability diagram and the expected calibration error (ECE) as in C. Guo et al., "On calibration of modern neural
networks" (ICML 2017), with 15 bins of the same width; here of the class *unreliable*, so that both ends count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

__all__ = ["BINS", "Bin", "bins", "expected_calibration_error"]

BINS = 15
"""How many bins there are between the risks 0 and 1."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The rows whose risk lies from ``low`` on and below ``high``; a risk of 1 belongs to the last bin."""

    low: float
    high: float
    rows: int
    """At least one."""
    risk: float
    """Their mean risk, 0..1."""
    unreliable: float
    """The share of them that is labelled unreliable, 0..1."""


def bins(labels: Sequence[bool], risks: Sequence[float | None]) -> tuple[Bin, ...]:
    """The bins in which there are rows, by risk; rows without a risk are in none."""
    groups: dict[int, list[tuple[bool, float]]] = {}
    for label, risk in zip(labels, risks, strict=True):
        if risk is not None:
            groups.setdefault(min(int(risk * BINS), BINS - 1), []).append((label, risk))
    return tuple(_bin(place, groups[place]) for place in sorted(groups))


def expected_calibration_error(found: Sequence[Bin]) -> float | None:
    """The mean distance of a row's bin from the diagonal, 0..1; None of no bins.

    It says nothing of how well answers are told apart: the share of unreliable rows as the risk of all scores 0.
    """
    rows = sum(one.rows for one in found)
    return sum(one.rows * abs(one.unreliable - one.risk) for one in found) / rows if rows else None


def _bin(place: int, rows: Sequence[tuple[bool, float]]) -> Bin:
    share = fmean(label for label, _ in rows)
    return Bin(place / BINS, (place + 1) / BINS, len(rows), fmean(risk for _, risk in rows), share)
