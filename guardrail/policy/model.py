"""The policy: how to check, what to do, and where. Pure, and the same whichever file it came from.

Policy
├── verifiers   how to check    {main: EmbeddedSpec | ChatSpec | ...}
├── policies    what to do      {default: Rules}
├── routes      where           (Route(match, policy), ...)
└── tests       what must come  (Case(name, answers, verdicts, expect, ...), ...)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from guardrail.policy.caching import CacheSpec
from guardrail.policy.cases import Case
from guardrail.policy.composed import CascadeSpec, PanelSpec
from guardrail.policy.consistency import ConsistencySpec
from guardrail.policy.custom import CustomSpec
from guardrail.policy.dedicated import DedicatedSpec
from guardrail.policy.judges import BOX, ChatSpec, EmbeddedSpec
from guardrail.policy.kinds import VerifierSpec, circular, described, others
from guardrail.policy.knowledge import KnowledgeSpec
from guardrail.policy.part import Part
from guardrail.policy.problems import Path, Problem, did_you_mean, refuse, refuse_all
from guardrail.policy.retries import (
    Exponential,
    ExponentialJitter,
    Incrementing,
    NoWait,
    Random,
    Retry,
    Stop,
    Wait,
)
from guardrail.policy.routing import Match, RequestInfo, Route
from guardrail.policy.rules import (
    Budget,
    History,
    Hold,
    Messages,
    Rules,
    Step,
    Stream,
    Verify,
    steps,
)
from guardrail.policy.secrets import SecretRef, keeps_references
from guardrail.policy.thresholds import EMBEDDED_THRESHOLD, Calibrated, Target, Threshold

__all__ = [
    "EMBEDDED_THRESHOLD",
    "Budget",
    "CacheSpec",
    "Calibrated",
    "CascadeSpec",
    "Case",
    "ChatSpec",
    "ConsistencySpec",
    "CustomSpec",
    "DedicatedSpec",
    "EmbeddedSpec",
    "Exponential",
    "ExponentialJitter",
    "History",
    "Hold",
    "Incrementing",
    "KnowledgeSpec",
    "Match",
    "Messages",
    "NoWait",
    "PanelSpec",
    "Policy",
    "Random",
    "Retry",
    "Route",
    "Rules",
    "SecretRef",
    "Step",
    "Stop",
    "Stream",
    "Target",
    "Threshold",
    "VerifierSpec",
    "Verify",
    "Wait",
    "steps",
]


def _version(value: object) -> object:
    if value != 1 or isinstance(value, bool | float):
        raise refuse("this guardrail reads version 1 only: write 1, or use the guardrail that the file was made for")
    return value


class Policy(Part):
    """Frozen rules for a whole application. `guardrail.policy.load` reads them out of a file.

    ``Policy()`` is the default: the embedded verifier and the preset ``balanced``. A verifier called
    ``main`` and a policy called ``default`` are always there. Raises `PolicyError`.
    """

    version: Annotated[Literal[1], BeforeValidator(_version)] = 1
    """The version of the file format."""
    verifiers: dict[str, VerifierSpec] = Field(default_factory=dict)
    """How to check, by name."""
    policies: dict[str, Rules] = Field(default_factory=dict)
    """What to do, by name."""
    routes: tuple[Route, ...] = ()
    """Where; the first that fits counts. What fits none goes by ``default``."""
    tests: tuple[Case, ...] = ()
    """What must come of recorded answers; tried by ``guardrail policy test``. No settings: not part of the digest."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        filled = dict(data)
        for key, name, missing in (("verifiers", "main", EmbeddedSpec()), ("policies", "default", Rules())):
            given = filled.get(key, {})
            if isinstance(given, Mapping):
                filled[key] = {name: missing, **given}
        return filled

    @model_validator(mode="after")
    def _hangs_together(self) -> Policy:
        problems = [*self._dangling(), *circular(self.verifiers), *self._unsure_elsewhere(), *self._unreachable()]
        if not problems:
            problems = [*self._untestable()]
        if problems:
            raise refuse_all(problems)
        return self

    def _dangling(self) -> Iterator[Problem]:
        if "none" in self.verifiers:
            yield Problem(("verifiers", "none"), "is no name for a verifier: none means that there is none")
        for name, rules in self.policies.items():
            yield from self._missing(("policies", name, "verify", "with"), rules.verify.with_, self.verifiers)
        for name, spec in self.verifiers.items():
            for path, other in others(spec):
                if not (other == BOX and path == ("verifier",)):  # which is in the box
                    yield from self._missing(("verifiers", name, *path), other, self.verifiers)
        for place, route in enumerate(self.routes):
            yield from self._missing(("routes", place, "policy"), route.policy, self.policies)

    @staticmethod
    def _missing(path: Path, name: str, there: Mapping[str, object]) -> Iterator[Problem]:
        if name not in there:
            kind = "policy" if path[-1] == "policy" else "verifier"
            near = did_you_mean(name, there) or f"; there are {', '.join(there)}"
            yield Problem(path, f"there is no {kind} {name!r}{near}")

    def _unsure_elsewhere(self) -> Iterator[Problem]:
        """Cascades that would not ask again about answers whose risk is about the threshold."""
        for name, rules in self.policies.items():
            spec, threshold = self.verifiers.get(rules.verify.with_), rules.verify.threshold
            if not isinstance(spec, CascadeSpec) or spec.between is None or threshold is None:
                continue
            low, high = spec.between
            if not low <= threshold.risk <= high:
                message = (
                    f"leaves out the threshold of policies.{name}, {threshold.risk:g}: the first is least sure there"
                )
                yield Problem(("verifiers", rules.verify.with_, "between"), message)

    def _unreachable(self) -> Iterator[Problem]:
        for place, route in enumerate(self.routes[:-1]):
            if route.match.everything:
                yield Problem(("routes", place + 1), "is never reached: the route before it fits everything")
                return

    def _untestable(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for place, case in enumerate(self.tests):
            if case.name in seen:
                yield Problem(
                    ("tests", place, "name"), f"there is a test {case.name!r} already: call it something else"
                )
            seen.add(case.name)
            if case.expect.policy is not None:
                yield from self._missing(("tests", place, "expect", "policy"), case.expect.policy, self.policies)
            verifier = self.rules_for(case.request.value())[1].verify.with_
            if case.live and not isinstance(self.verifiers[verifier], EmbeddedSpec):
                kind = described(self.verifiers[verifier])
                message = f"but the verifier {verifier!r} is another one ({kind}): record its verdicts, as a list"
                yield Problem(("tests", place, "verdicts"), f"asks for the embedded verifier, {message}")

    def rules_for(self, info: RequestInfo) -> tuple[str, Rules]:
        """The name and the rules of the policy for a request: the first route that fits, or ``default``."""
        name = next((route.policy for route in self.routes if route.match.fits(info)), "default")
        return name, self.policies[name]

    def dump(self) -> dict[str, Any]:
        """All settings as a file would say them, defaults included; secrets as references.

        ``load(policy.dump())`` is the same policy again, without its tests.
        """
        dumped: dict[str, Any] = _escaped(self.model_dump(mode="json", by_alias=True, exclude={"tests"}), ())
        return dumped

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that change with any setting, and with nothing else (SHA-256)."""
        text = json.dumps(self.dump(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _escaped(value: Any, path: Path) -> Any:
    """``value`` with ``${`` written as ``$${``, except where it stays a reference."""
    if isinstance(value, dict):
        return {key: _escaped(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item, (*path, place)) for place, item in enumerate(value)]
    if isinstance(value, str) and not keeps_references(path):
        return value.replace("${", "$${")
    return value
