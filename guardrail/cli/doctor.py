"""``guardrail doctor``: what is installed, and does a guarded client guard with it?"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from guardrail.cli.jsonout import dump
from guardrail.cli.render import terminal_console
from guardrail.doctor.examine import Seen, Tried, examine
from guardrail.doctor.installed import (
    IndexSeen,
    JudgeSeen,
    Key,
    ModelSeen,
    embedded_model,
    indexes,
    judges,
    keys,
    versions,
)
from guardrail.policy.kinds import described
from guardrail.policy.loading import load
from guardrail.policy.model import Policy

__all__ = ["doctor"]

_STYLE: Mapping[Seen, str] = {
    "guarded": "green",
    "passes": "dim",
    "loud": "yellow",
    "absent": "dim",
    "leaks": "bold red",
    "fails": "bold red",
}
_LEGEND = (
    "guarded: a bad answer does not come through. passes: no generated text, handed on as it is. "
    "loud: not guarded, and says so by an error or a warning. absent: this SDK has no such surface."
)


@click.command()
@click.option("--policy", metavar="FILE|PRESET", help="The policy whose verifiers and keys are looked at.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def doctor(ctx: click.Context, policy: str | None, as_json: bool) -> None:
    """Look at this installation, and try a guarded OpenAI client on a server of its own.

    Every surface of the installed SDK that gives text is called, with an answer that the guard must hold back. Nothing
    leaves this machine, no key is used, and no verifier of the policy is asked. Exit code 0: all is as it should be; 1:
    something is not; 2: the policy cannot be used.

    \b
    Examples:
      guardrail doctor
      guardrail doctor --policy guardrail.yaml --json
    """
    found = load(policy)
    asked, own, documents, model = keys(found, os.environ), judges(found), indexes(found), embedded_model()
    if as_json:
        tried = list(examine())
        click.echo(dump(_object(found, asked, own, documents, model, tried)))
    else:
        tried = _told(terminal_console(), found, policy, asked, own, documents, model)
    there = all(key.present or not key.needed for key in asked) and all(judge.present for judge in own)
    there = there and not any(one.problem for one in documents)
    well = model.works and there and all(one.kept for one in tried)
    ctx.exit(0 if well else 1)


def _told(
    console: Console,
    policy: Policy,
    source: str | None,
    asked: Sequence[Key],
    own: Sequence[JudgeSeen],
    documents: Sequence[IndexSeen],
    model: ModelSeen,
) -> list[Tried]:
    known = [f"{name} {number or 'not installed'}" for name, number in versions().items()]
    console.print(Text("installed  ", style="bold").append(", ".join(known), style="default"))
    verifiers = ", ".join(f"{name} ({described(spec)})" for name, spec in policy.verifiers.items())
    console.print(
        Text("policy     ", style="bold").append(
            f"{source or 'default'}, digest {policy.digest}: {verifiers}", "default"
        )
    )
    for key in asked:
        console.print(_key_line(key))
    for judge in own:
        console.print(_judge_line(judge))
    for one in documents:
        console.print(_index_line(one))
    console.print(_model_line(model))
    tried = list(examine())
    console.print(_table(tried), Text(_LEGEND, style="dim"))
    for surface in tried:
        if not surface.kept:
            for detail in dict.fromkeys(surface.details):
                console.print(Text(f"! {detail}", style="red"))
    return tried


def _key_line(key: Key) -> Text:
    state = "is set" if key.present else "is not set" + ("" if key.needed else ", and need not be")
    style = "red" if key.needed and not key.present else "default"
    where = f"verifiers.{key.verifier}.{key.setting}"
    return Text("key        ", style="bold").append(f"{key.variable} {state} ({where})", style=style)


def _judge_line(judge: JudgeSeen) -> Text:
    state = "is installed" if judge.present else "is not installed: no package has an entry point of this name"
    style = "default" if judge.present else "red"
    where = f"verifiers.{judge.verifier}.name"
    return Text("judge      ", style="bold").append(f"{judge.name} {state} ({where})", style=style)


def _index_line(one: IndexSeen) -> Text:
    told = one.problem or f"{one.path}: {one.files} documents, {one.passages} passages (verifiers.{one.verifier}.index)"
    return Text("documents  ", style="bold").append(told, style="red" if one.problem else "default")


def _model_line(model: ModelSeen) -> Text:
    told = f"version {model.version}, first verdict after {model.seconds:.2f} s" if model.works else model.problem
    return Text("embedded   ", style="bold").append(told, style="default" if model.works else "red")


def _table(tried: Sequence[Tried]) -> Table:
    table = Table("surface", "sync", "async", title="A guarded OpenAI client", title_justify="left")
    for one in tried:
        mark = "" if one.kept else f"  (should be {one.surface.expected})"
        cells = [Text(seen, style=_STYLE[seen]) for seen in (one.sync, one.async_)]
        table.add_row(one.surface.name, cells[0], cells[1].append(mark, style="red"))
    return table


def _object(
    policy: Policy,
    asked: Sequence[Key],
    own: Sequence[JudgeSeen],
    documents: Sequence[IndexSeen],
    model: ModelSeen,
    tried: Sequence[Tried],
) -> dict[str, object]:
    return {
        "versions": versions(),
        "policy": {
            "digest": policy.digest,
            "verifiers": {name: spec.kind for name, spec in policy.verifiers.items()},
            "keys": [
                {"verifier": k.verifier, "setting": k.setting, "variable": k.variable, "present": k.present}
                for k in asked
            ],
            "judges": [{"verifier": j.verifier, "name": j.name, "present": j.present} for j in own],
            "indexes": [
                {
                    "verifier": i.verifier,
                    "path": i.path,
                    "documents": i.files,
                    "passages": i.passages,
                    "works": not i.problem,
                }
                for i in documents
            ],
        },
        "embedded": {"version": model.version, "works": model.works, "seconds": round(model.seconds, 3)},
        "surfaces": [
            {"name": t.surface.name, "expected": t.surface.expected, "sync": t.sync, "async": t.async_, "kept": t.kept}
            for t in tried
        ],
    }
