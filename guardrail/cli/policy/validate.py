"""``guardrail policy validate``: can this file be used?"""

from __future__ import annotations

import click

from guardrail.building import build, stale
from guardrail.policy.kinds import described
from guardrail.policy.loading import load
from guardrail.policy.model import EmbeddedSpec, Policy

__all__ = ["validate"]


@click.command()
@click.argument("file", metavar="FILE")
def validate(file: str) -> None:
    """Say whether FILE is a policy that can be used, and if not, where and why. Exit code 0 or 2.

    \b
    Examples:
      guardrail policy validate guardrail.yaml
      guardrail policy validate pyproject.toml
    """
    found = load(file)
    verifiers = ", ".join(f"{name} ({described(spec)})" for name, spec in found.verifiers.items())
    click.echo(f"{file}: valid, digest {found.digest}")
    click.echo(f"  policies:  {', '.join(found.policies)}")
    click.echo(f"  verifiers: {verifiers}")
    click.echo(f"  routes:    {len(found.routes) or 'none'}")
    click.echo(f"  tests:     {len(found.tests) or 'none'}")
    for name, note in _stale(found):
        click.echo(f"  note:      policies.{name}.verify.threshold: {note}")


def _stale(policy: Policy) -> list[tuple[str, str]]:
    """Thresholds that were calibrated for another embedded model; other verifiers may need keys to say who they are."""
    specs = {
        name: spec
        for name, spec in policy.verifiers.items()
        if isinstance(spec, EmbeddedSpec) and spec.fallback is None
    }
    return list(stale(policy, build(policy.model_copy(update={"verifiers": specs}))))
