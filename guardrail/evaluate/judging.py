"""Judging labelled answers: the policy's verifier is asked about every one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from guardrail.errors import ConfigError
from guardrail.evaluate.baselines import baselines
from guardrail.evaluate.judgement import Judgement
from guardrail.guard import Guard
from guardrail.outcome import Outcome
from guardrail.policy.kinds import others
from guardrail.policy.model import Policy
from guardrail.policy.problems import did_you_mean
from guardrail.policy.routing import RequestInfo
from guardrail.verifiers.protocol import Check

__all__ = ["Case", "for_all", "judge"]


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled answer."""

    source: str
    """The set that it counts for."""
    unreliable: bool
    """Its label."""
    check: Check
    info: RequestInfo = field(default_factory=RequestInfo)
    """What routes of the policy match on."""


def for_all(policy: Policy, verifier: str | None = None) -> Policy:
    """``policy`` without sampling, so that it verifies every row, and without verifiers that no row needs.

    ``verifier``: the name of the one that is to judge, in the place of those that the rules name.

    Raises:
        ConfigError: The policy has no verifier of that name.
    """
    if verifier is not None and verifier not in policy.verifiers:
        near = did_you_mean(verifier, policy.verifiers) or f"; there are {', '.join(policy.verifiers)}"
        raise ConfigError(f"the policy has no verifier {verifier!r}{near}")
    changed = {}
    for name, rules in policy.policies.items():
        verify = rules.verify if verifier is None else rules.verify.model_copy(update={"with_": verifier})
        changed[name] = rules.model_copy(update={"sample": 1.0, "verify": verify})
    asked = _needed(policy, {rules.verify.with_ for rules in changed.values()})
    specs = {name: spec for name, spec in policy.verifiers.items() if name in asked}
    return policy.model_copy(update={"policies": changed, "verifiers": specs})


def _needed(policy: Policy, asked: Collection[str]) -> set[str]:
    """The verifiers ``asked``, and those that they ask in turn."""
    found, left = set[str](), list(asked)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(other for _, other in others(policy.verifiers[name]) if other in policy.verifiers)
    return found


def judge(guard: Guard, case: Case) -> tuple[Outcome, Judgement]:
    """The outcome of ``case`` under a policy from `for_all`, and what scores need of it."""
    outcome = guard.check(case.check, info=case.info)
    attempt = outcome.attempts[-1]
    verdict = attempt.verdict
    found = Judgement(
        source=case.source,
        unreliable=case.unreliable,
        status=verdict.status,
        risk=verdict.risk,
        cause=verdict.cause,
        seconds=attempt.verified,
        verifier=f"{verdict.verifier} {verdict.version}".strip(),
        policy=outcome.policy,
        baselines=baselines(case.check.turn.text, outcome.evidence),
        kinds=frozenset(finding.kind for finding in verdict.findings),
    )
    return outcome, found
