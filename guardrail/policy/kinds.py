"""The kinds of verifiers, and how they refer to one another. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from guardrail.policy.composed import CascadeSpec, PanelSpec
from guardrail.policy.consistency import ConsistencySpec
from guardrail.policy.custom import CustomSpec
from guardrail.policy.dedicated import DedicatedSpec
from guardrail.policy.judges import ChatSpec, EmbeddedSpec
from guardrail.policy.knowledge import KnowledgeSpec
from guardrail.policy.part import Part
from guardrail.policy.problems import Path, Problem, refuse_all

__all__ = ["BUILT", "VerifierSpec", "circular", "described", "draws_samples", "looks_elsewhere", "others"]

BUILT = ("embedded", "chat", "dedicated", "cascade", "panel", "consistency", "knowledge", "custom")
"""The kinds of verifiers that there are."""


def _mapping(value: object) -> object:
    if not isinstance(value, Mapping | Part):
        raise refuse_all([Problem((), "must be a mapping such as {kind: embedded}", True)])
    return value


VerifierSpec = Annotated[
    EmbeddedSpec | ChatSpec | DedicatedSpec | CascadeSpec | PanelSpec | ConsistencySpec | KnowledgeSpec | CustomSpec,
    Field(discriminator="kind"),
    BeforeValidator(_mapping),
]
"""One verifier, told apart by ``kind``."""


def others(spec: VerifierSpec) -> Iterator[tuple[Path, str]]:
    """The names of other verifiers in ``spec``, each with the place in it where it stands."""
    if isinstance(spec, CascadeSpec):
        yield ("first",), spec.first
        yield ("then",), spec.then
    if isinstance(spec, PanelSpec):
        yield from ((("members", place), name) for place, name in enumerate(spec.members))
    if isinstance(spec, ConsistencySpec | KnowledgeSpec):
        yield ("verifier",), spec.verifier
    if spec.fallback is not None:
        yield ("fallback",), spec.fallback


def described(spec: VerifierSpec) -> str:
    """The kind of ``spec`` and what it is made of, in words: ``panel of local, judge``."""
    match spec:
        case CascadeSpec():
            words = f"cascade of {spec.first}, then {spec.then}"
        case PanelSpec():
            words = f"panel of {', '.join(spec.members)}"
        case ConsistencySpec():
            words = f"consistency by {spec.verifier}"
        case KnowledgeSpec():
            words = f"knowledge in {spec.index} by {spec.verifier}"
        case CustomSpec():
            words = f"custom {spec.name}"
        case _:
            words = spec.kind
    return words if spec.fallback is None else f"{words}, else {spec.fallback}"


def draws_samples(verifiers: Mapping[str, VerifierSpec], name: str, *, evidence: bool) -> bool:
    """Whether the verifier ``name`` may draw samples of the LLM.

    ``evidence``: whether there is some, so that no verifier is asked for the want of it.
    """
    spec = verifiers.get(name)
    if spec is None or isinstance(spec, ConsistencySpec):
        return spec is not None
    asked = [other for path, other in others(spec) if path[0] not in ("then", "fallback") or not evidence]
    if isinstance(spec, CascadeSpec) and spec.between is not None:
        asked.append(spec.then)
    return any(draws_samples(verifiers, other, evidence=evidence) for other in asked)


def looks_elsewhere(verifiers: Mapping[str, VerifierSpec], name: str) -> bool:
    """Whether the verifier ``name`` may do without evidence in the conversation: by documents, or by samples."""
    spec = verifiers.get(name)
    if spec is None or isinstance(spec, ConsistencySpec | KnowledgeSpec):
        return spec is not None
    return any(looks_elsewhere(verifiers, other) for _, other in others(spec))


def circular(verifiers: Mapping[str, VerifierSpec]) -> Iterator[Problem]:
    """A problem for each place whose name leads back to the verifier that it stands in."""
    for name, spec in verifiers.items():
        for path, other in others(spec):
            if way := _way(other, name, verifiers):
                circle = " -> ".join([name, *way])
                yield Problem(("verifiers", name, *path), f"goes round in a circle: {circle}")


def _way(start: str, goal: str, verifiers: Mapping[str, VerifierSpec]) -> list[str]:
    """The names on the shortest way from ``start`` to ``goal``, both included; empty where there is none."""
    ways, seen = [[start]], {start}
    for way in ways:
        if way[-1] == goal:
            return way
        for _, name in others(verifiers[way[-1]]) if way[-1] in verifiers else ():
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []
