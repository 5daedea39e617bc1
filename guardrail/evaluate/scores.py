"""From judgements to the scores of each source. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.metrics import auroc, average_precision, balanced_accuracy, f1, percentile
from guardrail.evaluate.reliability import Bin, bins, expected_calibration_error
from guardrail.verdict import Cause, Status

__all__ = ["NO_RISK", "Quality", "Scores", "by_source", "mean_quality", "scores"]

NO_RISK = 0.5
"""The risk that a row counts with where it got none: neither side, since dropping it would flatter."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How well answers were told apart; each 0..1, None where it is not defined.

    See `guardrail.evaluate.metrics` for the definitions. A row is *called* unreliable when its verdict is; one
    with the verdict unknown or error is not called.
    """

    auroc: float | None
    average_precision: float | None
    balanced_accuracy: float | None
    f1: float | None
    ece: float | None
    """Expected calibration error, over the rows that got a risk; see `guardrail.evaluate.reliability`."""
    coverage: float | None
    """Share of the rows that got a risk; the others rank at `NO_RISK`."""
    length: float | None
    """AUROC of the number of characters; or of its reverse where that is better, so never below 0.5."""
    word_novelty: float | None
    """AUROC of the share of words that the evidence lacks."""
    bigram_novelty: float | None
    """AUROC of the share of word pairs that the evidence lacks."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one source."""

    source: str
    rows: int
    unreliable: int
    """Rows with that label."""
    quality: Quality
    reliability: tuple[Bin, ...]
    """The reliability diagram."""
    undefined: str | None
    """Why some of ``quality`` is None; ``ece`` is None where no row got a risk."""
    confusion: Mapping[bool, Mapping[Status, int]]
    """Rows by label (True: unreliable), then by the verdict's status."""
    causes: Mapping[Cause, int]
    """Rows by the reason for which there was no verdict."""
    p50: float
    """Median milliseconds until a verdict or an error was in."""
    p95: float


def by_source(judgements: Iterable[Judgement]) -> list[Scores]:
    """The scores of each source, in the order in which sources first appear."""
    groups: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        groups.setdefault(judgement.source, []).append(judgement)
    return [scores(source, rows) for source, rows in groups.items()]


def scores(source: str, rows: Sequence[Judgement]) -> Scores:
    """The scores of ``rows``, of which there is at least one."""
    unreliable = sum(row.unreliable for row in rows)
    reliability = bins([row.unreliable for row in rows], [row.risk for row in rows])
    milliseconds = [1000 * row.seconds for row in rows]
    return Scores(
        source=source,
        rows=len(rows),
        unreliable=unreliable,
        quality=_quality(rows, expected_calibration_error(reliability)),
        reliability=reliability,
        undefined=_undefined(len(rows), unreliable),
        confusion={label: _statuses(rows, label) for label in (False, True)},
        causes=Counter(row.cause for row in rows if row.cause is not None),
        p50=percentile(milliseconds, 0.5) or 0.0,
        p95=percentile(milliseconds, 0.95) or 0.0,
    )


def mean_quality(found: Sequence[Scores]) -> Quality:
    """Each score's mean over the sources where it is defined, each source counting the same."""
    return Quality(
        **{field.name: _mean(getattr(one.quality, field.name) for one in found) for field in fields(Quality)}
    )


def _quality(rows: Sequence[Judgement], ece: float | None) -> Quality:
    labels = [row.unreliable for row in rows]
    risks = [NO_RISK if row.risk is None else row.risk for row in rows]
    called = [row.status is Status.UNRELIABLE for row in rows]
    return Quality(
        auroc=auroc(labels, risks),
        average_precision=average_precision(labels, risks),
        balanced_accuracy=balanced_accuracy(labels, called),
        f1=f1(labels, called),
        ece=ece,
        coverage=sum(row.risk is not None for row in rows) / len(rows),
        length=_either_way(auroc(labels, [row.baselines.length for row in rows])),
        word_novelty=auroc(labels, [row.baselines.word_novelty for row in rows]),
        bigram_novelty=auroc(labels, [row.baselines.bigram_novelty for row in rows]),
    )


def _undefined(rows: int, unreliable: int) -> str | None:
    if 0 < unreliable < rows:
        return None
    return f"every row is labelled {'unreliable' if unreliable else 'reliable'}; telling apart takes both labels"


def _statuses(rows: Sequence[Judgement], label: bool) -> dict[Status, int]:
    found = Counter(row.status for row in rows if row.unreliable is label)
    return {status: found[status] for status in Status}


def _either_way(area: float | None) -> float | None:
    return None if area is None else max(area, 1 - area)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
