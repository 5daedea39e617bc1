"""What the documentation and the help texts show can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from guardrail.cli.group import COMMANDS, cli

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def commands() -> list[tuple[click.Command, str]]:
    """All commands that can be imported here, with the words that call them."""
    found: list[tuple[click.Command, str]] = [(cli, "guardrail")]
    for command, name in found:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for sub in command.list_commands(context):
                inner = command.get_command(context, sub)
                assert inner is not None
                found.append((inner, f"{name} {sub}"))
    return found


def typed() -> list[str]:
    shown = re.findall(r"^\$ (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    helps = "\n".join(command.help or "" for command, _ in commands())
    return list(dict.fromkeys([*shown, *re.findall(r"^ +((?:cat \S+ \| )?guardrail .*)$", helps, re.MULTILINE)]))


@pytest.mark.parametrize("line", typed())
def test_every_command_that_is_shown_can_be_parsed(line: str) -> None:
    words = shlex.split(line.rpartition("| ")[2].partition(" > ")[0])
    assert words.pop(0) == "guardrail"
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words.pop(0))
        assert inner is not None, line
        command, context = inner, click.Context(inner)
    options, _, _ = command.make_parser(context).parse_args(words)
    assert isinstance(options, dict)


def test_every_command_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for _, name in commands() if f"$ {name}" not in text and name != "guardrail policy"] == []


@pytest.mark.parametrize("name", ["check", "eval", "calibrate", "train"])
def test_every_option_that_takes_rows_is_on_the_page(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    names = [option.opts[0] for option in command.params if isinstance(option, click.Option)]
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in names if name not in text] == []


def test_the_help_lists_every_command_in_its_own_words() -> None:
    for name, (home, line) in COMMANDS.items():
        assert home == f"guardrail.cli.{name}:{name}"
        assert line.endswith(".")
