"""Verifiers made of other verifiers, by name: a cascade and a panel. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator

from guardrail.policy.judges import Name
from guardrail.policy.part import Maybe, Part, Share
from guardrail.policy.problems import Problem, refuse, refuse_all

__all__ = ["CascadeSpec", "PanelSpec"]


def _two_numbers(value: object) -> object:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refuse("must be two risks, such as [0.3, 0.7], or none")
    return value


class CascadeSpec(Part):
    """A cheap verifier first; a strong one where the first is not sure."""

    kind: Literal["cascade"] = "cascade"
    first: Name
    """The name of the verifier that is asked about every answer."""
    then: Name
    """The name of the verifier that is asked where the first is not sure."""
    between: Maybe[Annotated[tuple[Share, Share], BeforeValidator(_two_numbers)]]
    """The risks, both included, between which the first is not sure. The policy's threshold lies in there. none: it is
    sure of every risk."""
    fallback: Maybe[Name] = None
    """The name of the verifier that is asked when this one gives no verdict."""

    @model_validator(mode="after")
    def _makes_sense(self) -> CascadeSpec:
        low, high = self.between or (0.0, 0.0)
        if low > high:
            raise refuse(f"must be the lower risk and then the higher one: [{high:g}, {low:g}]", "between")
        if self.first == self.then:
            raise refuse(f"asks {self.then!r} twice: name another verifier", "then")
        return self


class PanelSpec(Part):
    """Several verifiers, asked at the same time."""

    kind: Literal["panel"] = "panel"
    members: tuple[Name, ...]
    """The names of the verifiers; two or more."""
    combine: Literal["any", "all", "mean"]
    """Unreliable when any member says so, when all do, or when the mean of their risks reaches the threshold."""
    fallback: Maybe[Name] = None
    """The name of the verifier that is asked when this one gives no verdict."""

    @model_validator(mode="after")
    def _makes_sense(self) -> PanelSpec:
        problems = [
            Problem(("members", place), f"is a member already: {name!r} has one voice")
            for place, name in enumerate(self.members)
            if name in self.members[:place]
        ]
        if len(self.members) < 2:
            problems.append(Problem(("members",), "needs at least two verifiers"))
        if problems:
            raise refuse_all(problems)
        return self
