"""``guardrail policy diff``: what one policy says otherwise than another."""

from __future__ import annotations

import json
import re
from typing import Any

import click
from rich.text import Text

from guardrail.cli.errors import visible
from guardrail.cli.jsonout import dump
from guardrail.cli.render import terminal_console
from guardrail.policy.compare import ABSENT, Difference, differences
from guardrail.policy.loading import load
from guardrail.policy.model import Policy

__all__ = ["diff"]

SAME, DIFFERENT = 0, 1
"""Exit codes, as diff(1) gives them; 2 when a policy cannot be used."""


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def diff(ctx: click.Context, old: str, new: str, as_json: bool) -> None:
    """Show the settings in which NEW differs from OLD. Both are files or presets.

    Compared is what is in force: after extends, presets and defaults. A line begins with + where only NEW has the
    setting, and with - where only OLD has it. Secrets stay references; tests are no settings, and not compared. Exit
    code 0: the same; 1: different; 2: one of them cannot be used.

    \b
    Examples:
      guardrail policy diff balanced strict
      guardrail policy diff guardrail.yaml candidate.yaml --json
    """
    before, after = load(old), load(new)
    found = differences(before, after)
    if as_json:
        click.echo(dump(_object((old, before), (new, after), found)))
    else:
        _show((old, before), (new, after), found)
    ctx.exit(DIFFERENT if found else SAME)


def _show(old: tuple[str, Policy], new: tuple[str, Policy], found: tuple[Difference, ...]) -> None:
    if not found:
        return
    console = terminal_console()
    for sign, (name, policy), style in (("---", old, "red"), ("+++", new, "green")):
        console.print(Text(f"{sign} {visible(name)}, digest {policy.digest}", style=style))
    for difference in found:
        console.print(_line(difference))


def _line(difference: Difference) -> Text:
    old, new = difference.old, difference.new
    if old is ABSENT:
        return Text(f"+ {visible(difference.path)}: {_word(new)}", style="green")
    if new is ABSENT:
        return Text(f"- {visible(difference.path)}: {_word(old)}", style="red")
    line = Text(f"  {visible(difference.path)}: ").append(_word(old), style="red")
    return line.append(" -> ").append(_word(new), style="green")


def _word(value: Any) -> str:
    """``value`` on one line; text that could be taken for something else in quotes."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_./:${}@*+-]+", value):
        return value
    return visible(json.dumps(value, ensure_ascii=False))


def _object(old: tuple[str, Policy], new: tuple[str, Policy], found: tuple[Difference, ...]) -> dict[str, object]:
    sides = {key: {"source": name, "digest": policy.digest} for key, (name, policy) in (("old", old), ("new", new))}
    return {**sides, "same": not found, "differences": [_entry(difference) for difference in found]}


def _entry(difference: Difference) -> dict[str, object]:
    """``old`` or ``new`` is left out where there is nothing."""
    sides = {"old": difference.old, "new": difference.new}
    return {"path": difference.path, **{key: value for key, value in sides.items() if value is not ABSENT}}
