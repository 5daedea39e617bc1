"""Exact bounds on a rate of which only counts are known. Pure.

A rate is the chance of an event in each of ``n`` independent trials, of which ``errors`` showed it. All bounds are
one-sided, from 0 up; ``confidence`` is 0..1, without the ends.

The bound is that of C. J. Clopper and E. S. Pearson ("The use of confidence or fiducial limits illustrated in the case
of the binomial", Biometrika 26, 1934), by way of the beta distribution; scipy's, which scikit-learn brings.
"""

from __future__ import annotations

import functools
import math

from guardrail.errors import MissingExtra

__all__ = ["allowed", "rows_needed", "upper_bound"]


@functools.lru_cache(4096)
def upper_bound(errors: int, n: int, confidence: float) -> float:
    """The largest rate at which so few ``errors`` in ``n`` trials still have a chance of ``1 - confidence``, 0..1.

    Raises:
        MissingExtra: scipy is not installed.
    """
    try:
        from scipy.stats import beta
    except ModuleNotFoundError as error:  # any other failure is no missing package
        raise MissingExtra("calibrating needs scipy: pip install 'guardrail-llm[eval]'") from error
    return 1.0 if errors >= n else float(beta.ppf(confidence, errors + 1, n - errors))


def allowed(n: int, target: float, confidence: float) -> int:
    """The most errors in ``n`` trials at which `upper_bound` is within ``target``; -1 where none is too many."""
    low, high = -1, n  # the bound grows with the errors: within the target at low, beyond it at high
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(middle, n, confidence) <= target:
            low = middle
        else:
            high = middle
    return low


def rows_needed(target: float, confidence: float) -> int:
    """The least ``n`` at which no error keeps within ``target``: ``log(1 - confidence) / log(1 - target)``, up."""
    return math.ceil(math.log1p(-confidence) / math.log1p(-target))
