"""A threshold with a guarantee, out of labelled answers. Pure.

Two rates hang on the threshold ``t``, from which risk on an answer counts as unreliable:

- ``false_block``: the chance that a reliable answer is called unreliable. It falls as ``t`` rises.
- ``missed``: the chance that an unreliable answer is not called unreliable. It rises with ``t``.

What is guaranteed: with a chance of at least ``confidence`` over the choice of the calibration rows, the true rate at
the chosen threshold is at most ``target``. It takes rows that were drawn independently from the same source as those to
come (exchangeable rows), whatever that source and the verifier are like, and no more.

Why it holds. Among ``n`` rows of the class, ``k = allowed(n, target, confidence)`` errors are the most at which the
upper bound of Clopper and Pearson is within the target; a threshold is admitted when no more than ``k`` rows are wrong
there. Let ``s`` be the edge between the thresholds whose true rate is beyond the target and the others. A chosen
threshold can only be bad if it lies beyond that edge; then, as counts are as monotone as rates, at the edge itself no
more than ``k`` rows are wrong; there the true rate is at least the target, and the chance of so few is at most
``1 - confidence``. One event covers all thresholds, so none is paid for twice, and the choice may look at the data.
Ties and a few distinct risks only make the count smaller than ``k``: the guarantee stays, on the safe side.

It is the argument about order statistics of S. S. Wilks ("Determination of sample sizes for setting tolerance limits",
Annals of Mathematical Statistics 12, 1941); for any monotone risk, theorem 1 of S. Bates et al. ("Distribution-free,
risk-controlling prediction sets", Journal of the ACM 68, 2021); and what testing thresholds one after the other from
the safe end gives, in A. N. Angelopoulos et al. ("Learn then test", arXiv:2110.01052, 2021). It bounds the rate itself
with a confidence; conformal risk control (arXiv:2208.02814) would bound its mean over calibrations only.

A row without a risk (no claim, unknown) is called unreliable at no threshold: a miss if it is unreliable, and counted
in ``n`` like any other. One that its verifier calls unreliable without a risk is called so at every threshold. What a
row with an error would have got nobody knows: it is wrong at every threshold, whichever the rate, so that the guarantee
does not rest on the verifier's failing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from guardrail.errors import InputError
from guardrail.evaluate.bounds import allowed, rows_needed, upper_bound
from guardrail.evaluate.judgement import Judgement
from guardrail.verdict import Status

__all__ = ["ALWAYS", "NEVER", "Calibration", "Rate", "between", "choose", "score", "span"]

Rate: TypeAlias = Literal["false_block", "missed"]
NEVER, ALWAYS = -math.inf, math.inf
"""The scores of rows that are called unreliable at no threshold, and at every one."""
_CLASSES = {False: "reliable", True: "unreliable"}


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold, and what is known of it."""

    rate: Rate
    target: float
    confidence: float
    threshold: float
    errors: int
    """Calibration rows that count against ``rate`` at the threshold."""
    n: int
    """Rows of the class that ``rate`` is about."""
    bound: float
    """`upper_bound` of the errors, which is within the target. What is guaranteed is the target."""
    other_errors: int
    """Rows that count against the other rate at the threshold; it has no guarantee."""
    other_n: int
    """Rows of the other class."""
    without_risk: int
    """Rows of both classes that are called unreliable at no threshold."""

    @property
    def observed(self) -> float:
        """``errors`` as a share of ``n``."""
        return self.errors / self.n


def choose(rows: Sequence[Judgement], rate: Rate, target: float, confidence: float) -> Calibration:
    """The threshold that is best for the other rate among those that are admitted; see above.

    ``target`` and ``confidence`` lie between 0 and 1. The order of ``rows`` does not matter.

    Raises:
        InputError: All rows have one label, there are too few of the class, or no threshold is admitted.
        MissingExtra: scipy is not installed.
    """
    scores = {label: [score(row, rate) for row in rows if row.unreliable is label] for label in (False, True)}
    about = rate == "missed"
    _refuse_few(scores, about, target, confidence)
    mine, others = scores[about], scores[not about]
    among = allowed(len(mine), target, confidence)
    found = span(mine, rate, among, others)
    if found is None:
        raise InputError(_out_of_reach(mine, rate, target, confidence))
    threshold = between(*found)
    errors, other_errors = _wrong(mine, about, threshold), _wrong(others, not about, threshold)
    return Calibration(
        rate=rate,
        target=target,
        confidence=confidence,
        threshold=threshold,
        errors=errors,
        n=len(mine),
        bound=upper_bound(errors, len(mine), confidence),
        other_errors=other_errors,
        other_n=len(others),
        without_risk=sum(one == NEVER for one in (*mine, *others)),
    )


def score(row: Judgement, rate: Rate) -> float:
    """What a threshold is held against: the risk, or `NEVER` or `ALWAYS` where none is."""
    if row.status is Status.ERROR and rate == "false_block" and not row.unreliable:
        return ALWAYS
    if row.status not in (Status.RELIABLE, Status.UNRELIABLE):
        return NEVER
    if row.risk is None:
        return ALWAYS if row.status is Status.UNRELIABLE else NEVER
    return row.risk


def span(mine: Sequence[float], rate: Rate, among: int, others: Sequence[float] = ()) -> tuple[float, float] | None:
    """The admitted thresholds that are best for the other rate: above the first number, up to the second.

    ``mine`` are the scores of the class that ``rate`` is about, of which at most ``among`` (fewer than there are) may
    be wrong. All thresholds of the span call the same of these rows unreliable, and the same of ``others``. None where
    no threshold from 0 to 1 is admitted.
    """
    edges = [NEVER, *(one for one in (*mine, *others) if 0 <= one <= 1), 1.0]
    if rate == "false_block":
        low = sorted(mine, reverse=True)[among]  # one wrong row too many would be called from here down
        return None if low >= 1 else (low, min(edge for edge in edges if edge > low))
    high = min(sorted(mine)[among], 1.0)  # and here, missed from above this on
    return None if high < 0 else (max(edge for edge in edges if edge < high), high)


def between(low: float, high: float) -> float:
    """A number above ``low`` (or from 0 on) and up to ``high``, about the middle, with few digits."""
    if high <= 0:
        return 0.0
    middle = (max(low, 0.0) + high) / 2
    rounded = (round(middle, digits) for digits in range(1, 17))
    return next((one for one in rounded if max(low, 0.0) < one <= high), high)


def _wrong(scores: Sequence[float], unreliable: bool, threshold: float) -> int:
    called = sum(one >= threshold for one in scores)
    return len(scores) - called if unreliable else called


def _refuse_few(scores: dict[bool, list[float]], about: bool, target: float, confidence: float) -> None:
    for label, name in _CLASSES.items():
        if not scores[label]:
            raise InputError(f"no row is labelled {name}: a threshold takes rows of both labels")
    n, needed = len(scores[about]), rows_needed(target, confidence)
    if allowed(n, target, confidence) < 0:
        raise InputError(
            f"{n} rows are labelled {_CLASSES[about]}, too few for a rate of {target:g} with confidence {confidence:g}:"
            f" it takes {needed} even if the verifier is right about all of them; label more, or ask for less"
        )


def _out_of_reach(mine: Sequence[float], rate: Rate, target: float, confidence: float) -> str:
    safest = 1.0 if rate == "false_block" else 0.0
    errors = _wrong(mine, rate == "missed", safest)
    best = upper_bound(errors, len(mine), confidence)
    called = "reliable rows have a risk of 1, an error, or an unreliable verdict without a risk"
    wrong = called if rate == "false_block" else "unreliable rows have no risk"
    return (
        f"no threshold keeps {rate} within {target:g}: {errors} of {len(mine)} {wrong};"
        f" the best that can be reached with confidence {confidence:g} is {best:.4g}"
    )
