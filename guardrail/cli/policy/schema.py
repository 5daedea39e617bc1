"""``guardrail policy schema``: the JSON Schema of policy files."""

from __future__ import annotations

import importlib.resources

import click

__all__ = ["schema"]


@click.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors and CI.

    \b
    Example:
      guardrail policy schema > guardrail.schema.json
    """
    published = importlib.resources.files("guardrail.policy").joinpath("schema.json")
    click.echo(published.read_text(encoding="utf-8"), nl=False)
