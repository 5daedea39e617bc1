"""``guardrail policy``: start, check, read, test and compare policy files; a file for each subcommand."""

from __future__ import annotations

import click

from guardrail.cli.policy.diff import diff
from guardrail.cli.policy.init import init
from guardrail.cli.policy.schema import schema
from guardrail.cli.policy.show import show
from guardrail.cli.policy.test import test
from guardrail.cli.policy.validate import validate

__all__ = ["policy"]


@click.group()
def policy() -> None:
    """Start, check, read, test and compare policy files.

    \b
    Examples:
      guardrail policy init
      guardrail policy validate guardrail.yaml
      guardrail policy show strict
      guardrail policy test guardrail.yaml
      guardrail policy diff balanced guardrail.yaml
    """


for _command in (init, validate, show, test, diff, schema):
    policy.add_command(_command)
