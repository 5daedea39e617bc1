"""From which risk on an answer counts as unreliable, and how that number was found. Pure."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from guardrail.policy.part import Count, Part, Share
from guardrail.policy.problems import refuse

__all__ = ["EMBEDDED_THRESHOLD", "Calibrated", "Target", "Threshold", "read_threshold"]


def _inside(share: float) -> float:
    if not 0 < share < 1:
        raise refuse("must lie between 0 and 1, and be neither")
    return share


Chance = Annotated[Share, AfterValidator(_inside)]
"""A number between 0 and 1, and neither."""


class Target(Part):
    """What a threshold was to keep to: one of the two."""

    false_block: Chance | None = None
    """The share of reliable answers that are called unreliable, at most."""
    missed: Chance | None = None
    """The share of unreliable answers that are not called unreliable, at most."""

    @model_validator(mode="after")
    def _one(self) -> Target:
        if (self.false_block is None) is (self.missed is None):
            raise refuse("needs one of false_block and missed")
        return self

    @model_serializer(mode="wrap")
    def _dump(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_none(inner(self))


class Calibrated(Part):
    """What ``guardrail calibrate`` found: a bound that holds for the verifier that was calibrated, on such data."""

    target: Target
    """The rate that was asked for."""
    confidence: Chance
    """The chance, over the choice of the calibration rows, that the true rate is within the target."""
    observed: Share
    """The rate on the calibration rows."""
    bound: Share
    """The upper end of the interval of Clopper and Pearson about that, which begins at 0; not above the target."""
    n: Count
    """Calibration rows of the class that the rate is about."""
    data: Annotated[str, Field(min_length=1)]
    """The beginning of the SHA-256 of the calibration rows."""
    verifier: str
    """The id of the verifier that was calibrated."""
    version: str
    """Its version. Another one may give other risks."""

    def changed(self, verifier: str, version: str) -> str | None:
        """What to tell where ``verifier`` in ``version`` is asked; None where it is the one that was calibrated."""
        if (verifier, version) == (self.verifier, self.version):
            return None
        now, then = f"{verifier} {version}".strip(), f"{self.verifier} {self.version}".strip()
        return (
            f"the threshold was calibrated for the verifier {then!r}, but {now!r} is asked: what was guaranteed"
            " does not hold; run guardrail calibrate again"
        )


class Threshold(Part):
    """From which risk on an answer counts as unreliable, and how that number was found."""

    risk: Share
    """0 reliable .. 1 unreliable; at or above it the answer is unreliable."""
    chosen_on: str = "set by hand"
    """The data that the number was chosen on."""
    calibrated: Calibrated | None = None
    """What ``guardrail calibrate`` found out about it."""

    @model_serializer(mode="wrap")
    def _dump(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_none(inner(self))


EMBEDDED_THRESHOLD = Threshold(
    risk=0.42, chosen_on="985 held-out answers of the embedded model's training mix, by balanced accuracy"
)
"""The presets' threshold. The one place where it stands."""


def _read_threshold(value: object) -> object:
    if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "none":
        return {"risk": value}
    return value


read_threshold = BeforeValidator(_read_threshold)
"""Lets files write just the number."""


def _without_none(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value is not None}
