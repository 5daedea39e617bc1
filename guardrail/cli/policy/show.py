"""``guardrail policy show``: every setting of a policy."""

from __future__ import annotations

import json

import click

from guardrail.policy.loading import load
from guardrail.policy.model import Policy

__all__ = ["show"]


@click.command()
@click.argument("source", required=False, metavar="[FILE|PRESET]")
@click.option("--json", "as_json", is_flag=True, help="As JSON instead of YAML.")
def show(source: str | None, as_json: bool) -> None:
    """Show a policy with all its settings, defaults included; by default the one in force without a file.

    Thresholds stand with the set that they were chosen on. Secrets stay references; tests are left out.

    \b
    Examples:
      guardrail policy show
      guardrail policy show strict
      guardrail policy show guardrail.yaml --json
    """
    found = load(source)
    if as_json:
        click.echo(json.dumps(found.dump(), indent=2, ensure_ascii=True))
    else:
        click.echo(_as_yaml(found, source), nl=False)


def _as_yaml(found: Policy, source: str | None) -> str:
    import yaml

    head = f"# {source or 'the default policy'}, resolved; digest {found.digest}\n"
    return head + yaml.safe_dump(found.dump(), sort_keys=False, allow_unicode=True, width=100)
