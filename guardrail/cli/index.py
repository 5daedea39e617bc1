"""``guardrail index``: a folder of documents becomes evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
from rich.text import Text

from guardrail.cli.errors import BAD_INPUT, visible
from guardrail.cli.jsonout import dump
from guardrail.cli.render import terminal_console
from guardrail.conversation import Evidence
from guardrail.knowledge import FileSeen, Index, Indexed, index_folder
from guardrail.knowledge.indexing import What

__all__ = ["index"]

_HELP = """Index the documents in FOLDER, for verifiers of kind `knowledge`.

Read are Markdown (.md, .markdown), plain text (.txt, .text), HTML (.html, .htm) and PDF (.pdf), in folders below too.
Hidden files and symbolic links are passed over. Run it again after changes: files that are as they were are not read
again, those that are gone are dropped. Who searches meanwhile searches the old index. Nothing is sent anywhere.

\b
Exit codes:
  0  every document is in the index
  2  some could not be read, the others are in; or the folder, the index or an option is bad

\b
Examples:
  guardrail index handbook
  guardrail index handbook --into handbook.index --json
  guardrail index handbook --find "how long can I ask for a refund"
"""


@click.command(help=_HELP)
@click.argument("folder", metavar="FOLDER")
@click.option("--into", metavar="FILE", help="The index. Default: FOLDER.index beside the folder.")
@click.option("--find", metavar="WORDS", help="Then show the passages that are found for WORDS.")
@click.option("--top", type=click.IntRange(1, 20), default=5, show_default=True, help="How many, with --find.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for machines.")
@click.pass_context
def index(ctx: click.Context, folder: str, into: str | None, find: str | None, top: int, as_json: bool) -> None:
    """Bring the index up to date and tell what was done; see `_HELP`."""
    target = Path(into) if into else Path(f"{Path(folder).resolve()}.index")
    done = index_folder(folder, target, tell=None if as_json else _skipped)
    found = Index(target).search(find, top=top) if find else []
    if as_json:
        click.echo(dump(_object(target, done, found if find else None), ascii_only=True))
    else:
        _tell(target, done)
        for number, piece in enumerate(found, 1):
            place = " ".join(part for part in (piece.url, piece.title) if part)
            click.echo(f"\n{number}. {visible(place)}\n{visible(piece.text)}")
    ctx.exit(BAD_INPUT if done.of("skipped") else 0)


def _skipped(seen: FileSeen) -> None:
    if seen.what == "skipped":
        click.echo(visible(f"{seen.path}: skipped: {seen.problem}"), err=True)


def _tell(target: Path, done: Indexed) -> None:
    counts = [f"{len(found)} {what}" for what in get_args(What) if (found := done.of(what))]
    console = terminal_console()
    console.print(Text(f"{target}: ").append(", ".join(counts) or "no documents", style="bold"), soft_wrap=True)
    console.print(Text(f"{done.passages} passages"))


def _object(target: Path, done: Indexed, found: Sequence[Evidence] | None) -> dict[str, object]:
    files = [{"path": seen.path, "what": seen.what, "problem": seen.problem or None} for seen in done.files]
    whole: dict[str, object] = {"index": str(target), "passages": done.passages, "files": files}
    if found is None:
        return whole
    return {**whole, "found": [{"text": one.text, "title": one.title, "url": one.url} for one in found]}
