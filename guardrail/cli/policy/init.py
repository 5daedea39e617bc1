"""``guardrail policy init``: a commented policy file to start from."""

from __future__ import annotations

from pathlib import Path

import click

from guardrail.cli.starter import starter
from guardrail.errors import ConfigError
from guardrail.policy.presets import PRESETS

__all__ = ["init"]

_DEFAULT_FILE = "guardrail.yaml"


@click.command()
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
