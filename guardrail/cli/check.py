"""``guardrail check``: judge answers, and say so in the exit code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from guardrail.cli.given import evidence_of, text_of
from guardrail.cli.output import OutputFile
from guardrail.cli.rows import BadRow, Row, qa_check
from guardrail.cli.screen import Bar, FileSink, HumanSink, JsonSink, ProblemSink, Sink
from guardrail.cli.source import Place, opened, read_rows
from guardrail.cli.tally import FAIL_ON, Judged, Result, Tally
from guardrail.conversation import Evidence
from guardrail.guard import Guard
from guardrail.ordered import in_order
from guardrail.policy.routing import RequestInfo
from guardrail.verifiers.protocol import Verifier

__all__ = ["check"]

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read."""

    file: str | None
    question: str | None
    answer: str | None
    context: tuple[Evidence, ...]
    policy: str | None
    json: bool
    output: Path | None
    jobs: int | None
    fail_on: tuple[str, ...]


def _once(ctx: click.Context, param: click.Parameter, values: Sequence[Any]) -> Any:
    """The value of an option that may be given once; the parser alone would let the last one win."""
    if len(values) > 1:
        raise click.UsageError(f"{param.opts[0]} is given {len(values)} times; give it once", ctx)
    return values[0] if values else None


def _single(*names: str, **attributes: Any) -> Callable[[_F], _F]:
    return click.option(*names, multiple=True, callback=_once, **attributes)


_HELP = """Judge answers: those in FILE, on stdin (-), or the one in --answer.

FILE is JSON, one conversation whose last assistant message is judged, or JSONL with one row a line.

\b
Rows:
  {"messages": [...]}                            OpenAI chat messages
  {"context": ..., "question": ..., "answer": ...}
  "id" is kept; without it a row is called by its line number.

\b
Exit codes, of which the highest applies:
  0  every answer passed or was flagged
  1  some answer would be regenerated, repaired, sent to another model or blocked
  2  some row, an option or the policy is bad
  3  some row got no verdict, only an error

\b
Examples:
  guardrail check conversation.json
  guardrail check rows.jsonl --json > verdicts.jsonl
  cat rows.jsonl | guardrail check - --policy strict --fail-on unknown
  guardrail check --question "When was it built?" --context @notes.txt --answer "In 1889."
"""


@click.command(help=_HELP)
@click.argument("file", required=False, metavar="[FILE|-]")
@_single("--question", metavar="TEXT", help="The question that --answer answers; @FILE reads it from a file.")
@_single("--answer", metavar="TEXT", help="The answer to judge, in place of FILE; @FILE reads it from a file.")
@click.option(
    "--context",
    multiple=True,
    metavar="TEXT",
    help="What to hold answers against; repeatable. @FILE reads it from a file. It is for every row.",
)
@_single("--policy", metavar="POLICY", help="A policy file, or observe, balanced or strict. Default: balanced.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row on stdout, for machines.")
@_single("--output", "-o", metavar="FILE", help="Write the JSON objects to FILE, which appears when all is done.")
@_single("--jobs", "-j", type=click.IntRange(1, 256), help="Rows at a time. Default: one a core.")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(FAIL_ON),
    help="Let rows with this status or action give exit code 1 too; repeatable.",
)
@click.pass_context
def check(
    ctx: click.Context,
    file: str | None,
    question: str | None,
    answer: str | None,
    context: tuple[str, ...],
    policy: str | None,
    as_json: bool,
    output: str | None,
    jobs: int | None,
    fail_on: tuple[str, ...],
) -> None:
    """Read the command line and judge; see `_HELP`."""
    _refuse_contradictions(ctx, file, question, answer)
    texts = {"--question": question, "--answer": answer}
    asked, answered = (None if v is None else text_of(v, option=k) for k, v in texts.items())
    given = evidence_of(context, option="--context")
    where = None if output is None else Path(output)
    options = Options(file, asked, answered, given, policy, as_json, where, jobs, fail_on)
    ctx.exit(_run(options, verifiers=ctx.obj))


def _refuse_contradictions(ctx: click.Context, file: str | None, question: str | None, answer: str | None) -> None:
    if file is not None and (answer is not None or question is not None):
        extra = "--answer" if answer is not None else "--question"
        raise click.UsageError(f"FILE and {extra} exclude each other; give one of them", ctx)
    if question is not None and answer is None:
        raise click.UsageError("--question needs --answer: the answer to judge", ctx)
    if file is None and answer is None:
        raise click.UsageError("nothing to judge: give FILE, - for stdin, or --answer", ctx)


def _run(options: Options, *, verifiers: Mapping[str, Verifier] | None = None) -> int:
    """Judge all rows; the exit code. ``verifiers`` take the place of the policy's, by name."""
    tally = Tally(fail_on=options.fail_on)
    with ExitStack() as stack:
        guard = stack.enter_context(Guard(options.policy, verifiers=verifiers))
        rows, place = _rows(options, stack)
        bar = stack.enter_context(Bar(place, wanted=not (options.json and _stdout_is_terminal())))
        sinks = _sinks(options, bar, stack)
        results = stack.enter_context(closing(_judged(guard, rows, jobs=options.jobs)))
        try:
            for result in results:
                tally.add(result)
                for sink in sinks:
                    sink.show(result)
                bar.advance(tally)
        finally:
            # After Ctrl-C too: what is done is kept, and counted.
            for sink in sinks:
                sink.finish(tally)
    return tally.code


def _rows(options: Options, stack: ExitStack) -> tuple[Iterable[Row | BadRow], Place]:
    if options.file is None:
        made = qa_check(answer=options.answer or "", question=options.question or "", evidence=options.context)
        return [Row(1, 1, made)], Place()
    stream, place = stack.enter_context(opened(options.file))
    return read_rows(stream, name=options.file, place=place, given=options.context), place


def _sinks(options: Options, bar: Bar, stack: ExitStack) -> list[Sink]:
    sinks: list[Sink] = [ProblemSink(options.file or "--answer", bar)]
    if options.output is not None:
        sources = [Path(options.file)] if options.file not in (None, "-") else []
        sinks.append(FileSink(stack.enter_context(OutputFile(options.output, sources=sources))))
    sinks.append(JsonSink() if options.json else HumanSink(bar, brief=options.output is not None))
    return sinks


def _judged(guard: Guard, rows: Iterable[Row | BadRow], *, jobs: int | None) -> Generator[Result, None, None]:
    """Each row judged, several at a time, in their order; bad rows are passed through in their place."""
    yield from in_order(functools.partial(_judge, guard), rows, concurrency=jobs or guard.concurrency)


def _judge(guard: Guard, row: Row | BadRow) -> Result:
    if isinstance(row, BadRow):
        return row
    return Judged(row, guard.check(row.check, info=RequestInfo(model=row.model)))


def _stdout_is_terminal() -> bool:
    return sys.stdout.isatty()
