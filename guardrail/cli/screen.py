"""Where results go: rows on stdout for people or machines, problems and progress on stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from guardrail.action import Action
from guardrail.cli.errors import visible
from guardrail.cli.jsonout import bad_row_object, dump, row_object
from guardrail.cli.output import OutputFile
from guardrail.cli.render import has_colour, shown_outcome, shown_row, summary, terminal_console
from guardrail.cli.rows import BadRow
from guardrail.cli.source import Place
from guardrail.cli.tally import Judged, Result, Tally

__all__ = ["Bar", "FileSink", "HumanSink", "JsonSink", "ProblemSink", "Sink"]


class Sink(Protocol):
    """Somewhere that results go to, one by one and in order."""

    def show(self, result: Result) -> None:
        """Take one result."""
        ...

    def finish(self, tally: Tally) -> None:
        """There will be no more."""
        ...


class Bar:
    """A progress bar on stderr for many rows; nothing where stderr is no terminal, or ``wanted`` is false."""

    def __init__(self, place: Place, *, wanted: bool) -> None:
        self._place = place
        self._console = terminal_console(stderr=True)
        self._wanted = wanted and self._console.is_terminal
        self._progress: Progress | None = None

    def advance(self, tally: Tally) -> None:
        """Show how far the work has got."""
        unfit = tally.rows - sum(n for (_, action), n in tally.counts.items() if action == Action.PASS.value)
        self.tell(f"{tally.rows} rows, {unfit} not passed")

    def tell(self, words: str) -> None:
        """Show how far the work has got, with ``words`` of one's own."""
        if not self._wanted or self._place.rows < 2:
            return
        progress = self._progress or self._start()
        progress.update(progress.task_ids[0], completed=self._place.read, rows=words)

    def console(self, console: Console) -> Console:
        """What to print on instead of ``console`` while the bar stands on the same terminal."""
        return self._progress.console if self._progress is not None and console.is_terminal else console

    def say(self, message: str) -> None:
        """One line on stderr, above the bar."""
        if self._progress is not None:
            self._progress.console.print(message, soft_wrap=True)
        else:
            click.echo(message, err=True)

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
        self._progress, self._wanted = None, False

    def _start(self) -> Progress:
        self._progress = Progress(
            TextColumn("{task.fields[rows]}"),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._progress.add_task("rows", total=self._place.size, rows="")
        self._progress.start()
        return self._progress


class ProblemSink:
    """Bad rows, with their place, on stderr."""

    def __init__(self, name: str, bar: Bar) -> None:
        self._name = "stdin" if name == "-" else name
        self._bar = bar

    def show(self, result: Result) -> None:
        """Report a bad row; nothing for others."""
        if isinstance(result, BadRow):
            name = "" if result.id == result.line else f"id {result.id!r}: "
            self._bar.say(visible(f"{self._name}:{result.line}: {name}{result.problem}"))

    def finish(self, tally: Tally) -> None:
        """Nothing is left to say."""


class JsonSink:
    """One JSON object a row on stdout."""

    def __init__(self) -> None:
        self._ascii = (sys.stdout.encoding or "ascii").lower().replace("-", "") != "utf8"

    def show(self, result: Result) -> None:
        """Print the object of one row at once."""
        click.echo(_json_line(result, ascii_only=self._ascii))

    def finish(self, tally: Tally) -> None:
        """Machines count for themselves."""


class FileSink:
    """The same objects in a file, always in UTF-8."""

    def __init__(self, file: OutputFile) -> None:
        self._file = file

    def show(self, result: Result) -> None:
        """Write the object of one row."""
        self._file.write(_json_line(result, ascii_only=False))

    def finish(self, tally: Tally) -> None:
        """The file is closed by whoever opened it."""


class HumanSink:
    """Rows as people read them: a single one in full; of many those that did not pass, then a table.

    ``brief``: of many rows only the table, since the rows themselves go to a file.
    """

    def __init__(self, bar: Bar, *, brief: bool = False) -> None:
        self._bar = bar
        self._brief = brief
        self._console = terminal_console()
        self._colour = has_colour(self._console)
        self._first: Result | None = None
        self._many = False

    def show(self, result: Result) -> None:
        """Show a row; the first one is held until it is known whether it is the only one."""
        if not self._many and self._first is None:
            self._first = result
            return
        if self._first is not None:
            self._print_row(self._first)
            self._first, self._many = None, True
        self._print_row(result)

    def finish(self, tally: Tally) -> None:
        """The only row in full, or the table."""
        self._bar.stop()
        if self._many:
            self._print(summary(tally))
        elif isinstance(self._first, Judged):
            answer = self._first.row.check.turn.text
            self._print(shown_outcome(self._first.outcome, answer, colour=self._colour))
        self._first = None

    def _print_row(self, result: Result) -> None:
        if isinstance(result, BadRow) or self._brief or result.outcome.action is Action.PASS:
            return
        self._print(shown_row(result, colour=self._colour))

    def _print(self, block: object) -> None:
        self._bar.console(self._console).print(block)
        self._console.file.flush()


def _json_line(result: Result, *, ascii_only: bool) -> str:
    if isinstance(result, BadRow):
        return dump(bad_row_object(result), ascii_only=ascii_only)
    return dump(row_object(result.row.id, result.outcome), ascii_only=ascii_only)
