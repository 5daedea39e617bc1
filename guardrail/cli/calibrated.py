"""A calibration as policies, machines and people read it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from guardrail.evaluate.calibration import Calibration
from guardrail.policy.model import Calibrated, Target, Threshold

__all__ = ["Found", "found_object", "found_shown", "setting"]

_OTHER = {"false_block": "missed", "missed": "false_block"}
_ROWS = {"false_block": "reliable rows are called unreliable", "missed": "unreliable rows are not called unreliable"}
_USELESS = {
    "false_block": "no unreliable row is called unreliable at this threshold: it guards against nothing",
    "missed": "every reliable row is called unreliable at this threshold: it lets nothing through",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A calibration, and what it was made of."""

    calibration: Calibration
    data: str
    """The digest of the rows."""
    verifier: str
    version: str
    repeated: int = 0
    """Rows that had been there before."""
    errors: int = 0
    """Rows that got no verdict, only an error."""
    stopped: int = 0
    """Reliable rows of which nothing is known, and that the policy does not let through."""
    judges: tuple[tuple[str, int], ...] = ()
    """Who judged, and how many rows, where it was not the verifier alone."""

    @property
    def threshold(self) -> Threshold:
        """The threshold as a policy has it."""
        got = self.calibration
        reliable, unreliable = (got.n, got.other_n) if got.rate == "false_block" else (got.other_n, got.n)
        return Threshold(
            risk=got.threshold,
            chosen_on=f"{reliable} reliable and {unreliable} unreliable labelled answers, by guardrail calibrate",
            calibrated=Calibrated(
                target=Target(**{got.rate: got.target}),
                confidence=got.confidence,
                observed=_up(got.observed),
                bound=min(_up(got.bound), got.target),
                n=got.n,
                data=self.data,
                verifier=self.verifier,
                version=self.version,
            ),
        )


def setting(found: Found) -> dict[str, Any]:
    """What stands in a policy file."""
    written: dict[str, Any] = found.threshold.model_dump(mode="json", by_alias=True)
    for key in ("verifier", "version"):
        written["calibrated"][key] = written["calibrated"][key].replace("${", "$${")
    return written


def found_object(found: Found, *, rules: str, written: str | None) -> dict[str, object]:
    """The JSON object of a calibration.

    ``{"threshold", "rate", "target", "confidence", "observed", "errors", "n", "bound", "other": {"rate", "observed",
    "errors", "n"}, "without_risk", "repeated", "verifier_errors", "data", "verifier", "version", "rules", "written",
    "notes"}``; rates are 0..1, ``written`` is the file or null.
    """
    got = found.calibration
    return {
        "threshold": got.threshold,
        "rate": got.rate,
        "target": got.target,
        "confidence": got.confidence,
        "observed": round(got.observed, 6),
        "errors": got.errors,
        "n": got.n,
        "bound": round(got.bound, 6),
        "other": {
            "rate": _OTHER[got.rate],
            "observed": round(got.other_errors / got.other_n, 6),
            "errors": got.other_errors,
            "n": got.other_n,
        },
        "without_risk": got.without_risk,
        "repeated": found.repeated,
        "verifier_errors": found.errors,
        "data": found.data,
        "verifier": found.verifier,
        "version": found.version,
        "rules": rules,
        "written": written,
        "notes": list(_notes(found)),
    }


def found_shown(found: Found) -> str:
    """A calibration as people read it."""
    got, other = found.calibration, _OTHER[found.calibration.rate]
    lines = [
        f"threshold {got.threshold}: an answer with this risk or more is unreliable",
        f"  {got.rate}: {got.errors} of {got.n} {_ROWS[got.rate]} ({got.observed:.2%})",
        f"  with confidence {got.confidence:g} the rate is at most {got.target:g} on answers like these",
        f"  {other}: {got.other_errors} of {got.other_n} {_ROWS[other]} ({got.other_errors / got.other_n:.2%});"
        " nothing is guaranteed of it",
        f"  verifier {f'{found.verifier} {found.version}'.strip()}, data {found.data}",
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in _notes(found))])


def _notes(found: Found) -> Iterator[str]:
    got = found.calibration
    if got.without_risk:
        yield f"{got.without_risk} rows have no risk, and are called unreliable at no threshold; they are counted"
    if found.errors:
        yield f"{found.errors} rows got no verdict, only an error: they count against the rate"
    if found.stopped and got.rate == "false_block":
        yield (
            f"{found.stopped} reliable rows have the verdict unknown, and this policy does not let such answers"
            " through: they are stopped all the same, and not in this rate"
        )
    if found.judges:
        who = ", ".join(f"{judge} ({rows} rows)" for judge, rows in found.judges)
        yield f"judged by {who}: what holds of them holds while new answers are judged so too"
    if found.repeated:
        yield f"{found.repeated} rows are there more than once: the guarantee takes rows that are independent"
    if got.other_errors == got.other_n:
        yield _USELESS[got.rate]


def _up(rate: float) -> float:
    """Six digits after the point, on the safe side."""
    return min(1.0, math.ceil(rate * 1e6 - 1e-6) / 1e6)
