"""How well a model does on rows that nothing was chosen by, beside its base and beside baselines. Pure.

Intervals are percentile intervals of a bootstrap over contexts (B. Efron and R. Tibshirani, "An introduction to the
bootstrap", 1993, chapter 13; whole clusters are drawn: A. Davison and D. Hinkley, "Bootstrap methods and their
application", 1997, section 3.8): answers to one context are no independent rows. Differences are paired: both are of
the same draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.resampling import areas
from guardrail.evaluate.scores import NO_RISK, Quality, scores
from guardrail.verdict import Status

__all__ = ["BASELINES", "CONFIDENCE", "RESAMPLES", "Interval", "Measured", "Rival", "measured"]

RESAMPLES = 2000
CONFIDENCE = 0.95
BASELINES = ("word novelty", "bigram novelty", "answer length")
_SEED = 2017
_AT_ONCE = 4_000_000
"""Numbers held at a time."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with its interval of `CONFIDENCE`."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rival:
    """What the model is compared with."""

    name: str
    auroc: Interval
    ahead: Interval
    """The model's AUROC less this one's; where 0 lies inside, chance may be all there is."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Scores on one set of rows, which has both labels; each 0..1."""

    source: str
    """The name of the set; empty for all rows together."""
    rows: int
    unreliable: int
    contexts: int
    auroc: Interval
    balanced_accuracy: Interval
    """At the model's own threshold."""
    quality: Quality
    """The other scores of the model."""
    rivals: tuple[Rival, ...]
    """Other models first, then the baselines."""


def measured(
    source: str, rows: Sequence[Judgement], contexts: Sequence[int], others: Mapping[str, Sequence[Judgement]]
) -> Measured:
    """The scores of ``rows``, which stand in the ``contexts`` of those numbers.

    ``others``: what other models made of the same rows, by name. The same rows give the same intervals.
    """
    import numpy as np

    labels = np.array([row.unreliable for row in rows])
    called = np.array([row.status is Status.UNRELIABLE for row in rows])
    risks = [_risks(rows), *(_risks(judged) for judged in others.values()), *_baselines(labels, rows).values()]
    whole = _statistics(labels, called, risks, np.ones((1, len(rows)), dtype=int))[:, 0]
    drawn = np.hstack([_statistics(labels, called, risks, counts) for counts in _draws(np.array(contexts))])
    names = [*others, *BASELINES]
    return Measured(
        source=source,
        rows=len(rows),
        unreliable=int(labels.sum()),
        contexts=len(set(contexts)),
        auroc=_interval(whole[1], drawn[1]),
        balanced_accuracy=_interval(whole[0], drawn[0]),
        quality=scores(source, rows).quality,
        rivals=tuple(
            Rival(name, _interval(whole[at], drawn[at]), _interval(whole[1] - whole[at], drawn[1] - drawn[at]))
            for at, name in enumerate(names, start=2)
        ),
    )


def _risks(rows: Sequence[Judgement]) -> Any:
    import numpy as np

    return np.array([NO_RISK if row.risk is None else row.risk for row in rows])


def _baselines(labels: Any, rows: Sequence[Judgement]) -> dict[str, Any]:
    """What understands nothing; length whichever way suits these rows better."""
    import numpy as np

    length = np.array([float(row.baselines.length) for row in rows])
    if areas(labels, length, np.ones((1, len(rows)), dtype=int))[0] < 0.5:
        length = -length
    words = np.array([row.baselines.word_novelty for row in rows])
    pairs = np.array([row.baselines.bigram_novelty for row in rows])
    return dict(zip(BASELINES, (words, pairs, length), strict=True))


def _draws(contexts: Any) -> Iterator[Any]:
    """How often each row stands in each resample, shape (some resamples, rows), until there are `RESAMPLES`."""
    import numpy as np

    names, places = np.unique(contexts, return_inverse=True)
    random = np.random.default_rng(_SEED)
    step = max(1, _AT_ONCE // len(contexts))
    for begin in range(0, RESAMPLES, step):
        size = min(step, RESAMPLES - begin)
        yield random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=size)[:, places]


def _statistics(labels: Any, called: Any, risks: Sequence[Any], counts: Any) -> Any:
    """Of each resample the balanced accuracy, then the AUROC by each of ``risks``; shape (1 + risks, resamples)."""
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        found = (counts * (labels & called)).sum(axis=1) / (counts * labels).sum(axis=1)
        passed = (counts * (~labels & ~called)).sum(axis=1) / (counts * ~labels).sum(axis=1)
    return np.vstack([(found + passed) / 2, *(areas(labels, one, counts) for one in risks)])


def _interval(value: float, drawn: Any) -> Interval:
    import numpy as np

    outside = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(drawn, [outside, 1 - outside])
    return Interval(float(value), float(low), float(high))
