"""How far a training is, on stderr: a bar on a terminal, and a line now and then in a log file."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

import click
from rich.progress import BarColumn, Progress, TextColumn

from guardrail.cli.errors import visible
from guardrail.cli.render import terminal_console
from guardrail.train.fit import Progress as Step

__all__ = ["Steps", "in_words", "shown"]

_EVERY = 20.0
"""Seconds between two lines in a log."""


class Steps:
    """Shows phases, and the steps of a fine-tuning. ``clock``: seconds, from anywhere on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = terminal_console(stderr=True)
        self._clock = clock
        self._last: float | None = None
        self._bar: Progress | None = None

    def __call__(self, what: str | Step) -> None:
        """Show a phase in words, or a step."""
        if isinstance(what, str):
            self.say(what)
        elif self._console.is_terminal:
            self._move(what)
        elif self._last is None or self._clock() - self._last >= _EVERY or what.seen == what.of:
            self._last = self._clock()
            self.say(shown(what))

    def say(self, words: str) -> None:
        """One line; above the bar, where there is one and the words are no new phase."""
        if self._bar is not None:
            self._bar.console.print(visible(words), soft_wrap=True)
        else:
            click.echo(visible(words), err=True)

    def __enter__(self) -> Steps:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _move(self, step: Step) -> None:
        if self._bar is None:
            columns = (BarColumn(), TextColumn("{task.fields[words]}"))
            self._bar = Progress(*columns, console=self._console, transient=True, redirect_stdout=False)
            self._bar.add_task("rows", total=step.of, words="")
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=step.seen, words=shown(step))
        if step.seen == step.of:
            self._end()
            self.say(shown(step))

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = None


def shown(step: Step) -> str:
    """One step in words."""
    left = f", {in_words(step.left)} left" if step.seen < step.of else ""
    return f"{step.seen:,} of {step.of:,} rows seen, loss {step.loss:.3f}, {step.speed:.1f} rows/s{left}"


def in_words(seconds: float) -> str:
    """A time as people say it: ``50 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
