"""``guardrail policy``: start, check and read policy files."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path

import click

from guardrail.cli.starter import starter
from guardrail.errors import ConfigError
from guardrail.policy.kinds import described
from guardrail.policy.loading import load
from guardrail.policy.model import Policy
from guardrail.policy.presets import PRESETS

__all__ = ["policy"]

_DEFAULT_FILE = "guardrail.yaml"


@click.group()
def policy() -> None:
    """Start, check and read policy files.

    \b
    Examples:
      guardrail policy init
      guardrail policy validate guardrail.yaml
      guardrail policy show strict
    """


@policy.command()
@click.argument("path", default=_DEFAULT_FILE, metavar="[PATH]")
@click.option(
    "--preset",
    type=click.Choice(PRESETS),
    default="balanced",
    show_default=True,
    help="What the new policy builds on.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(path: str, preset: str, force: bool) -> None:
    """Write a commented policy file to start from, by default guardrail.yaml.

    \b
    Examples:
      guardrail policy init
      guardrail policy init policies/support.yaml --preset strict
    """
    target = Path(path)
    if target.suffix not in (".yaml", ".yml"):
        raise ConfigError(f"{path}: the starter file is YAML; let its name end in .yaml")
    _write_new(target, starter(preset), force=force)
    click.echo(f"wrote {path}; check it with: guardrail policy validate {path}")


@policy.command()
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


@policy.command()
@click.argument("source", required=False, metavar="[FILE|PRESET]")
@click.option("--json", "as_json", is_flag=True, help="As JSON instead of YAML.")
def show(source: str | None, as_json: bool) -> None:
    """Show a policy with all its settings, defaults included; by default the one in force without a file.

    Thresholds stand with the set that they were chosen on. Secrets stay references.

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


@policy.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors and CI.

    \b
    Example:
      guardrail policy schema > guardrail.schema.json
    """
    published = importlib.resources.files("guardrail.policy").joinpath("schema.json")
    click.echo(published.read_text(encoding="utf-8"), nl=False)


def _as_yaml(found: Policy, source: str | None) -> str:
    import yaml

    head = f"# {source or 'the default policy'}, resolved; digest {found.digest}\n"
    return head + yaml.safe_dump(found.dump(), sort_keys=False, allow_unicode=True, width=100)


def _write_new(target: Path, text: str, *, force: bool) -> None:
    """Write ``text``; a file that is there stays as it is, unless ``force``."""
    try:
        with target.open("w" if force else "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{target}: is there already; name another file, or write over it with --force") from error
    except FileNotFoundError as error:
        raise ConfigError(f"{target}: the directory {target.parent} does not exist; make it first") from error
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror or error}") from error
