"""When to try again, in tenacity's words: each name stands for the object of that name there. Pure.

``after_attempt`` counts as tenacity does, the first try included: one retry is ``after_attempt: 2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, SerializerFunctionWrapHandler, model_serializer, model_validator

from guardrail.policy.durations import Seconds
from guardrail.policy.part import Base, Count, Maybe, Part, Positive
from guardrail.policy.problems import refuse

if TYPE_CHECKING:
    from tenacity.stop import stop_base
    from tenacity.wait import wait_base

__all__ = ["Exponential", "ExponentialJitter", "Incrementing", "NoWait", "Random", "Retry", "Stop", "Wait"]


class Stop(Part):
    """When to stop trying. Several keys in one mapping: whichever comes first, as in ``any``.

    Source: tenacity's ``stop_after_attempt`` and so on. Its ``stop_never`` is not offered: a loop must end.
    """

    after_attempt: Count | None = None
    """After so many tries, the first included."""
    after_delay: Seconds | None = None
    """Once so much time has passed since the first try."""
    before_delay: Seconds | None = None
    """When the next try would begin after so much time."""
    any: tuple[Stop, ...] = ()
    """When one of these says so."""
    all: tuple[Stop, ...] = ()
    """When all of these say so."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in ("any", "all"):
                if key in data and not data[key]:
                    raise refuse("needs at least one stop in it", key)
        return data

    @model_validator(mode="after")
    def _ends(self) -> Stop:
        if not self._keys():
            raise refuse("a loop must end: write a stop such as {after_attempt: 3}")
        return self

    @model_serializer(mode="wrap")
    def _dump(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in inner(self).items() if key in self._keys()}

    def _keys(self) -> set[str]:
        return {name for name in type(self).model_fields if getattr(self, name) not in (None, ())}

    @property
    def limits_attempts(self) -> bool:
        """Whether the number of tries has a bound, whatever the clock says."""
        return (
            self.after_attempt is not None
            or any(stop.limits_attempts for stop in self.any)
            or bool(self.all and all(stop.limits_attempts for stop in self.all))
        )

    def build(self) -> stop_base:
        """The tenacity object."""
        import tenacity

        simple = ("after_attempt", "after_delay", "before_delay")
        stops: list[Any] = [
            getattr(tenacity, f"stop_{name}")(getattr(self, name)) for name in simple if getattr(self, name) is not None
        ]
        if self.any:
            stops.append(tenacity.stop_any(*(stop.build() for stop in self.any)))
        if self.all:
            stops.append(tenacity.stop_all(*(stop.build() for stop in self.all)))
        return stops[0] if len(stops) == 1 else tenacity.stop_any(*stops)


class _Options(Part):
    """The options of one kind of waiting, with tenacity's names and defaults."""

    @model_serializer(mode="wrap")
    def _dump(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in inner(self).items() if value != "none"}

    @model_validator(mode="after")
    def _ordered(self) -> _Options:
        low, high = getattr(self, "min", None), getattr(self, "max", None)
        if low is not None and high is not None and low > high:
            raise refuse("must not be more than 'max'", "min")
        return self

    def given(self) -> dict[str, float]:
        """The options for tenacity; what is None is left to it."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in named.items() if value is not None}


class NoWait(_Options):
    """No options."""


class Random(_Options):
    """Evenly spread between ``min`` and ``max``."""

    min: Seconds = 0.0
    """The shortest wait."""
    max: Seconds = 1.0
    """The longest wait."""


class Incrementing(_Options):
    """``start``, and ``increment`` more each time."""

    start: Seconds = 0.0
    """The first wait."""
    increment: Seconds = 100.0
    """How much longer each wait is than the one before."""
    max: Maybe[Seconds] = None
    """The longest wait; none: without bound."""


class Exponential(_Options):
    """``multiplier * exp_base ** n`` seconds, between ``min`` and ``max``."""

    multiplier: Positive = 1.0
    """Seconds of the first wait: a plain number, as in tenacity."""
    max: Maybe[Seconds] = None
    """The longest wait; none: without bound."""
    exp_base: Base = 2.0
    """By how much the waits grow: a plain number."""
    min: Seconds = 0.0
    """The shortest wait."""


class ExponentialJitter(Exponential):
    """The same, with up to ``jitter`` added at random."""

    jitter: Seconds = 1.0
    """The most that is added at random."""


def _read_fixed(value: object) -> object:
    if isinstance(value, Mapping) and set(value) == {"wait"}:
        return value["wait"]
    return value


class Wait(Part):
    """How long to wait before the next try: exactly one key. ``Wait()`` does not wait.

    Source: tenacity's ``wait_fixed`` and so on. Python gives numbers of seconds.
    """

    none: NoWait | None = None
    fixed: Annotated[Seconds | None, BeforeValidator(_read_fixed)] = None
    """Always the same."""
    random: Random | None = None
    incrementing: Incrementing | None = None
    exponential: Exponential | None = None
    random_exponential: Exponential | None = None
    exponential_jitter: ExponentialJitter | None = None
    chain: tuple[Wait, ...] = ()
    """One after the other; the last one from then on."""
    combine: tuple[Wait, ...] = ()
    """The sum of these."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        if data == "none" or (isinstance(data, Mapping) and not data):
            return {"none": {}}
        if isinstance(data, Mapping):
            for key in ("chain", "combine"):
                if key in data and not data[key]:
                    raise refuse("needs at least one wait in it", key)
        return data

    @model_validator(mode="after")
    def _one(self) -> Wait:
        if len(self._keys()) != 1:
            raise refuse(f"must have exactly one of {', '.join(type(self).model_fields)}")
        return self

    @model_serializer(mode="wrap")
    def _dump(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in inner(self).items() if key in self._keys()}

    def _keys(self) -> set[str]:
        return {name for name in type(self).model_fields if getattr(self, name) not in (None, ())}

    @property
    def waits(self) -> bool:
        """Whether there is any waiting at all."""
        return not (self.none is not None or self.fixed == 0)

    def build(self) -> wait_base:
        """The tenacity object."""
        import tenacity

        (name,) = self._keys()
        options = getattr(self, name)
        make: Any = getattr(tenacity, f"wait_{name}")
        if isinstance(options, tuple):
            built: wait_base = make(*(wait.build() for wait in options))
        elif isinstance(options, _Options):
            built = make(**options.given())
        else:
            built = make(options)
        return built


class Retry(Part):
    """How often a verifier is asked again when the transport fails. Another thing than regenerating."""

    stop: Stop = Stop(after_attempt=3, after_delay=20.0)
    wait: Wait = Wait(exponential_jitter=ExponentialJitter(multiplier=0.25, max=2.0, jitter=0.25))
    retry_after_max: Seconds = 10.0
    """A ``Retry-After`` of the service is honoured up to this long."""

    @model_validator(mode="after")
    def _finite(self) -> Retry:
        if not self.stop.limits_attempts and not self.wait.waits:
            raise refuse("without a wait this asks as fast as it can: add after_attempt, or a wait", "stop")
        return self
