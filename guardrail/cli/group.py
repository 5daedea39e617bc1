"""The ``guardrail`` command and its subcommands, each imported when it is asked for."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import click

from guardrail.cli.errors import explained

__all__ = ["LazyGroup", "cli", "versions"]

COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": ("guardrail.cli.check:check", "Judge answers in a file, on stdin or on the command line."),
    "eval": ("guardrail.cli.eval:eval", "Measure a policy's verifier on labelled answers."),
    "calibrate": ("guardrail.cli.calibrate:calibrate", "Choose a threshold with a guarantee, from labelled answers."),
    "train": ("guardrail.cli.train:train", "Fine-tune the embedded model on labelled answers."),
    "index": ("guardrail.cli.index:index", "Make a folder of documents searchable, as evidence."),
    "demo": ("guardrail.cli.demo:demo", "See guardrail at work, without a key or a network."),
    "policy": ("guardrail.cli.policy:policy", "Start, check, read, test and compare policy files."),
    "doctor": ("guardrail.cli.doctor:doctor", "Look at this installation, and try a guarded client."),
}
"""Where each subcommand lives, and its one line in the help."""


class LazyGroup(click.Group):
    """A group that knows its subcommands by name and imports them when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, as the help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand; None when there is no such one."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand; its errors become messages."""
        with explained():
            return super().invoke(ctx)


def versions() -> str:
    """One line: guardrail, Python, and the OpenAI SDK where it is installed."""
    from guardrail import __version__

    found = [f"guardrail {__version__}", f"Python {platform.python_version()}"]
    try:
        found.append(f"openai {version('openai')}")
    except PackageNotFoundError:
        found.append("openai not installed")
    return ", ".join(found)


def _show_versions(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(versions())
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_versions,
    help="Show the versions of guardrail, Python and the OpenAI SDK.",
)
def cli() -> None:
    """A reliability layer between an LLM and its user.

    \b
    Examples:
      guardrail demo
      guardrail check conversation.json
      guardrail check rows.jsonl --json --output verdicts.jsonl
      guardrail check --question "Capital of France?" --context @notes.txt --answer "Lyon."
      guardrail eval labelled.jsonl
      guardrail calibrate labelled.jsonl --target false_block=0.02 --policy guardrail.yaml
      guardrail train labelled.jsonl --out my-model
      guardrail index handbook
      guardrail policy init
      guardrail doctor
    """
