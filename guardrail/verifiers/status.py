"""What an HTTP answer without a verdict means: by its status and headers, never by its body. Pure.

Bodies are not looked at: services send a 500 and a 429 both as ``invalid_request_error``, or as plain text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from guardrail.verdict import Cause

__all__ = ["cause_of", "retry_after"]

_CAUSES: Mapping[int, Cause] = {
    401: Cause.AUTH,
    402: Cause.AUTH,  # nothing paid for: like a bad key, only the account's owner can mend it
    403: Cause.AUTH,
    404: Cause.GONE,
    408: Cause.TIMEOUT,
    410: Cause.GONE,
    413: Cause.OVER_LENGTH,
    429: Cause.RATE_LIMITED,
}


def cause_of(status: int) -> Cause:
    """The cause that an HTTP status other than 200 stands for.

    A redirect counts as ``gone``: what was checked is not sent on to wherever it points. Other statuses
    below 500 say that the two sides do not understand each other, which no other try mends: ``unparsable``.
    """
    if 300 <= status < 400:
        return Cause.GONE
    return _CAUSES.get(status, Cause.SERVER if status >= 500 else Cause.UNPARSABLE)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a service asks to wait, 0 or more; None where it does not, or not intelligibly.

    Read from ``retry-after-ms``, then from ``retry-after`` in seconds or as a date, which is held against
    the service's own ``date`` where it sent one, else against ``now`` (seconds since 1970).
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return max(0.0, seconds * unit)
    until, since = _moment(headers.get("retry-after")), _moment(headers.get("date"))
    return None if until is None else max(0.0, until - (now if since is None else since))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _moment(text: str | None) -> float | None:
    try:
        date = parsedate_to_datetime(text or "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
