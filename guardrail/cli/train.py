"""``guardrail train``: the embedded model fine-tuned on one's own labelled answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from guardrail.cli.errors import INTERRUPTED, visible
from guardrail.cli.interrupt import put_off
from guardrail.cli.jsonout import dump
from guardrail.cli.labelled import Bad, labelled_rows, size
from guardrail.cli.source import Place
from guardrail.cli.steps import Steps, in_words
from guardrail.cli.tuned import told
from guardrail.errors import ConfigError, InputError
from guardrail.train.arguments import Arguments
from guardrail.train.base import base_of
from guardrail.train.example import Example, Usable, usable
from guardrail.train.extent import DataFile, labels
from guardrail.train.parts import Parts, parts
from guardrail.train.record import Record, read, refuse_other, software, under_way
from guardrail.train.run import Stopped, Task, check_extra
from guardrail.train.run import train as run
from guardrail.train.trained import doubts

__all__ = ["train"]

_HELP = """Fine-tune the embedded model on your own labelled rows.

Each FILE (gzip is unpacked) holds labelled rows, as `guardrail eval` reads them. Some are held out, with all that share
their context: half of these to choose the threshold by, half to score. What comes of it is a model folder for a policy,
with a model card, CARD.md: scores beside those of its base and of baselines that understand nothing.

It takes `pip install 'guardrail-llm[train]'`. Ctrl-C stops it after the step at hand; the same command goes on from
there. Nothing is sent anywhere; --base may name a model to fetch.

\b
Exit codes:
  0    the model is in the folder
  2    some row, a file or an option is bad, or there are too few rows; nothing was trained
  130  Ctrl-C: the same command goes on

\b
Examples:
  guardrail train labelled.jsonl --out my-model
  guardrail train qa.jsonl chats.jsonl.gz --out my-model --licence qa.jsonl="CC BY 4.0" --licence chats.jsonl.gz=ours
  guardrail train labelled.jsonl --out my-model --base sentence-transformers/all-MiniLM-L6-v2 --epochs 5 --rate 1e-4
"""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read."""

    files: tuple[str, ...]
    out: Path
    base: str | None
    epochs: int
    rate: float
    batch: int
    hold_out: float
    seed: int
    licences: tuple[str, ...]
    json: bool


@click.command(help=_HELP)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", "-o", required=True, metavar="FOLDER", help="Where the model goes: a new folder.")
@click.option(
    "--base", metavar="NAME", help="A model folder, a Hugging Face folder or a name on its hub. Default: shipped."
)
@click.option("--epochs", type=click.IntRange(1, 100), default=3, show_default=True, help="How often to see each row.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 0.1, min_open=True),
    default=5e-5,
    show_default=True,
    help="The highest learning rate.",
)
@click.option("--batch", type=click.IntRange(1, 1024), default=16, show_default=True, help="Rows a step.")
@click.option(
    "--hold-out",
    type=click.FloatRange(0.02, 0.8),
    default=0.3,
    show_default=True,
    help="The share of rows not to train on.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Decides parts and order.")
@click.option(
    "--licence",
    "licences",
    multiple=True,
    metavar="[FILE=]TEXT",
    help="Of the data, for the card. May be given more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for machines.")
@click.pass_context
def train(
    ctx: click.Context,
    files: tuple[str, ...],
    out: str,
    base: str | None,
    epochs: int,
    rate: float,
    batch: int,
    hold_out: float,
    seed: int,
    licences: tuple[str, ...],
    as_json: bool,
) -> None:
    """Read the command line and train; see `_HELP`."""
    options = Options(files, Path(out), base, epochs, rate, batch, hold_out, seed, licences, as_json)
    ctx.exit(_run(options))


def _run(options: Options) -> int:
    """Read, divide, train and tell; the exit code."""
    check_extra()
    before = read(options.out)
    with Steps() as steps:
        task = _task(options, steps)
        if before is not None and (before.result is not None or under_way(options.out)):
            refuse_other(options.out, before.arguments, task.arguments)
            if before.result is not None:
                return _already(options, before)
            _tell_changes(before, steps)
        steps.say(_divided(task.rows, task.parts))
        try:
            with put_off(lambda: steps.say("stopping after this step; Ctrl-C again to leave at once")) as stop:
                made = run(task, tell=steps, stop=stop)
        except Stopped:
            steps.say(f"stopped; what is done is in {options.out}. The same command goes on from there")
            return INTERRUPTED
        steps.say(f"done in {in_words(made.seconds)}")
    if options.json:
        click.echo(dump({"folder": str(options.out), **asdict(made), "doubts": doubts(made)}, ascii_only=True))
    else:
        click.echo(visible(told(made, options.out)))
    return 0


def _task(options: Options, steps: Steps) -> Task:
    """All rows, divided. Raises `InputError` where some are bad or there are too few."""
    licences = _licences(options)
    base = base_of(options.base)
    examples = _examples(options.files, steps)
    rows = usable(examples)
    divided = parts(rows.examples, hold_out=options.hold_out, seed=options.seed)
    arguments = Arguments(
        data=rows.data,
        base=base.digest,
        hold_out=options.hold_out,
        epochs=options.epochs,
        rate=options.rate,
        batch=options.batch,
        seed=options.seed,
    )
    return Task(options.out, arguments, base, tuple(_files(examples, licences)), rows, divided)


def _examples(files: Sequence[str], steps: Steps) -> list[Example]:
    size(files)
    found, bad = list[Example](), 0
    for item in labelled_rows(files, Place()):
        if isinstance(item, Bad):
            steps.say(item.problem)
            bad += 1
        else:
            found.append(Example(item.file, item.case.source, item.case.unreliable, item.case.check))
    if bad:
        raise InputError(f"bad rows or files: {bad}, see above; mend or remove them, nothing was trained")
    return found


def _licences(options: Options) -> dict[str, str]:
    """The licence of each file that has one."""
    names = {Path(name).name: name for name in options.files} | {name: name for name in options.files}
    found: dict[str, str] = {}
    for given in options.licences:
        file, _is, text = given.partition("=")
        if _is and file in names:
            found[names[file]] = text
        elif _is and "." in file and " " not in file:
            raise ConfigError(
                f"--licence: {given!r}: {file} is none of the files; there are {', '.join(options.files)}"
            )
        else:
            found = dict.fromkeys(options.files, given) | found
    return found


def _files(examples: Iterable[Example], licences: Mapping[str, str]) -> Iterable[DataFile]:
    by_file: dict[str, list[Example]] = {}
    for example in examples:
        by_file.setdefault(example.file, []).append(example)
    for name, rows in by_file.items():
        yield DataFile(name, _sha256(name), labels(rows), licences.get(name))


def _sha256(name: str) -> str | None:
    if not Path(name).is_file():  # stdin or a pipe: it can be read once only
        return None
    with Path(name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _divided(rows: Usable, divided: Parts) -> str:
    out = ", ".join(f"{count:,} {why}" for why, count in rows.left_out.items())
    return (
        f"{len(rows.examples):,} rows with {divided.contexts:,} contexts: {len(divided.trained):,} to train on,"
        f" {len(divided.choosing):,} to choose by, {len(divided.scoring):,} to score; data {rows.data}"
        + (f"\nleft out: {out}" if out else "")
    )


def _tell_changes(before: Record, steps: Steps) -> None:
    now = software()
    changed = [f"{name} {was} is {now.get(name)} now" for name, was in before.software.items() if now.get(name) != was]
    steps.say("going on with what was begun")
    if changed:
        steps.say(f"note: {', '.join(changed)}: the model may come out otherwise than in one go")


def _already(options: Options, before: Record) -> int:
    """Tell that there is nothing to do."""
    if options.json:
        click.echo(dump({"folder": str(options.out), **(before.result or {})}, ascii_only=True))
    else:
        click.echo(visible(f"{options.out} is finished: its scores are in {options.out / 'CARD.md'}"))
    return 0
