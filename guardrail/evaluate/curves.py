"""The curves of a report, as points. Pure; all coordinates are shares, 0..1.

A row without a risk stands at `NO_RISK`, as it does in the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.metrics import sklearn_metrics
from guardrail.evaluate.scores import NO_RISK

__all__ = ["Curve", "by_length", "precision_recall", "risk_coverage", "roc"]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points to be joined in their order."""

    x: tuple[float, ...]
    y: tuple[float, ...]


def roc(rows: Sequence[Judgement]) -> Curve | None:
    """Unreliable rows called so over reliable rows called so, as the threshold falls; None without both labels."""
    if not _both(rows):
        return None
    x, y, _ = sklearn_metrics().roc_curve(_labels(rows), _risks(rows))
    return Curve(tuple(x.tolist()), tuple(y.tolist()))


def precision_recall(rows: Sequence[Judgement]) -> Curve | None:
    """Precision over recall of the class unreliable, to be drawn in steps; None without both labels."""
    if not _both(rows):
        return None
    precision, recall, _ = sklearn_metrics().precision_recall_curve(_labels(rows), _risks(rows))
    return Curve(tuple(recall[::-1].tolist()), tuple(precision[::-1].tolist()))


def risk_coverage(rows: Sequence[Judgement]) -> Curve | None:
    """The share of unreliable answers among those that are let through, over the share that is; None of no rows.

    Answers are let through from the least risky on, those of the same risk together. (R. El-Yaniv and Y. Wiener, "On
    the foundations of noise-free selective classification", Journal of Machine Learning Research 11, 2010.)
    """
    ranked = sorted(zip(_risks(rows), _labels(rows), strict=True))
    x, y, bad = [], [], 0
    for place, (risk, unreliable) in enumerate(ranked, 1):
        bad += unreliable
        if place == len(ranked) or ranked[place][0] > risk:
            x.append(place / len(ranked))
            y.append(bad / place)
    return Curve(tuple(x), tuple(y)) if x else None


def by_length(rows: Sequence[Judgement]) -> list[tuple[str, list[Judgement]]]:
    """``rows`` by the length of the answer in three parts of about the same size, each with its name.

    Answers of the same length are in the same part; there are fewer parts where few lengths are there.
    """
    lengths = sorted(row.baselines.length for row in rows)
    if not lengths:
        return []
    edges = sorted({lengths[len(lengths) * part // 3] for part in (1, 2)})
    bounds = list(zip([lengths[0], *edges], [*edges, lengths[-1] + 1], strict=True))
    parts = [(low, high, [row for row in rows if low <= row.baselines.length < high]) for low, high in bounds]
    return [(f"{_span(low, high - 1)} characters", part) for low, high, part in parts if part]


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _both(rows: Sequence[Judgement]) -> bool:
    return len({row.unreliable for row in rows}) == 2


def _labels(rows: Sequence[Judgement]) -> list[bool]:
    return [row.unreliable for row in rows]


def _risks(rows: Sequence[Judgement]) -> list[float]:
    return [NO_RISK if row.risk is None else row.risk for row in rows]
