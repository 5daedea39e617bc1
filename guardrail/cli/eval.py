"""``guardrail eval``: how well a policy's verifier tells labelled answers apart."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import click

from guardrail.building import stale
from guardrail.cli.errors import BAD_INPUT, visible
from guardrail.cli.jsonout import bad_row_object, dump, row_object
from guardrail.cli.judging import Judged, Result, guard_with, judged
from guardrail.cli.labelled import Bad, first_of_each, labelled_rows, refuse_twice, size
from guardrail.cli.output import OutputFile
from guardrail.cli.render import terminal_console
from guardrail.cli.scoring import Report, report_object, report_shown
from guardrail.cli.screen import Bar
from guardrail.cli.source import Place
from guardrail.cli.tally import CLEAN, NO_VERDICT
from guardrail.errors import ConfigError
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.judging import for_all
from guardrail.evaluate.metrics import sklearn_metrics
from guardrail.evaluate.report import Mistake, Worst, page
from guardrail.evaluate.report.plots import check_matplotlib
from guardrail.guard import Guard
from guardrail.policy.loading import load
from guardrail.policy.model import Policy
from guardrail.verdict import Status
from guardrail.verifiers.protocol import Verifier

__all__ = ["eval"]


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read."""

    files: tuple[str, ...]
    policy: str | None
    verifier: str | None
    versus: str | None
    json: bool
    output: Path | None
    report: Path | None
    limit: int | None
    jobs: int | None


_HELP = """Measure a policy's verifier on labelled answers.

Each FILE (- is stdin; gzip is unpacked) holds rows as `guardrail check` reads them, with a "label" each: 0, false or
"reliable"; 1, true or "unreliable". Rows count for their "source", or else for the file that they stand in.

Scores go from 0 to 1. A row without a risk ranks at 0.5; none is left out. Beside them stand the scores of baselines
that understand nothing: the answer's length, and the shares of its words and word pairs that the evidence lacks.

\b
Exit codes, of which the highest applies:
  0  every row got a verdict
  2  some row, a file, an option or the policy is bad; the other rows are scored
  3  some row got no verdict, only an error

\b
Examples:
  guardrail eval labelled.jsonl
  guardrail eval qa.jsonl.gz summaries.jsonl.gz --json > scores.json
  guardrail eval labelled.jsonl --policy guardrail.yaml --verifier main --versus local
  guardrail eval labelled.jsonl --policy guardrail.yaml --limit 200 --output verdicts.jsonl --report report.html
"""


@click.command(help=_HELP)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--policy", metavar="POLICY", help="A policy file, or observe, balanced or strict. Default: balanced.")
@click.option("--verifier", metavar="NAME", help="The policy's verifier to ask. Default: the one that its rules name.")
@click.option("--versus", metavar="NAME", help="Another of the policy's verifiers, to compare with on the same rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for machines.")
@click.option(
    "--output", "-o", metavar="FILE", help="Write each row's verdict to FILE, which appears when all is done."
)
@click.option("--report", metavar="OUT.html", help="Write plots and the worst errors, with text, to one HTML file.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many rows of each source.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Rows at a time. Default: one a core, or 16 if remote.")
@click.pass_context
def eval(
    ctx: click.Context,
    files: tuple[str, ...],
    policy: str | None,
    verifier: str | None,
    versus: str | None,
    as_json: bool,
    output: str | None,
    report: str | None,
    limit: int | None,
    jobs: int | None,
) -> None:
    """Read the command line and measure; see `_HELP`."""
    written, shown = (None if name is None else Path(name) for name in (output, report))
    ctx.exit(_run(Options(files, policy, verifier, versus, as_json, written, shown, limit, jobs), verifiers=ctx.obj))


def _run(options: Options, *, verifiers: Mapping[str, Verifier] | None = None) -> int:
    """Judge all rows and print the scores; the exit code. ``verifiers`` take the place of the policy's, by name."""
    refuse_twice(options.files)
    _check_outputs(options)
    policy, progress, gathered = load(options.policy), Place(size(options.files)), _Gathered()
    sklearn_metrics()
    if options.report is not None:
        check_matplotlib()
    with ExitStack() as stack:
        guard = stack.enter_context(guard_with(for_all(policy, options.verifier), verifiers))
        gathered.stale = tuple(stale(guard.policy, guard.verifiers))
        second = _second(policy, options, verifiers, stack)
        output, html = (_output(path, options, stack) for path in (options.output, options.report))
        bar = stack.enter_context(Bar(progress, wanted=not (options.json and sys.stdout.isatty())))
        items = first_of_each(labelled_rows(options.files, progress), options.limit)
        for result in stack.enter_context(closing(judged(guard, items, jobs=options.jobs, versus=second))):
            gathered.add(result)
            if isinstance(result, Bad):
                bar.say(visible(result.problem))
            if output is not None:
                output.write(dump(_row_object(result)))
            bar.tell(f"{len(gathered.judgements)} rows")
        report = gathered.report(policy, options)
        if html is not None:
            html.write(_page(gathered, report).removesuffix("\n"))
    _show(report, as_json=options.json)
    return gathered.code


@dataclass(slots=True)
class _Gathered:
    """What is kept until all rows are done."""

    judgements: list[Judgement] = field(default_factory=list)
    others: list[Judgement] = field(default_factory=list)
    """Of the verifier that is compared with."""
    worst: Worst = field(default_factory=Worst)
    bad: int = 0
    code: int = CLEAN
    """The highest exit code so far."""
    stale: tuple[tuple[str, str], ...] = ()
    """Rules whose threshold was calibrated for another verifier, with what to tell."""

    def add(self, result: Result) -> None:
        """Count one row."""
        if isinstance(result, Bad):
            self.bad += 1
            self.code = max(self.code, BAD_INPUT)
            return
        self.judgements.append(result.judgement)
        if (result.judgement.status is Status.UNRELIABLE) is not result.judgement.unreliable:
            self.worst.add(_mistake(result))
        if result.versus is not None:
            self.others.append(result.versus)
        if Status.ERROR in (result.judgement.status, result.versus and result.versus.status):
            self.code = NO_VERDICT

    def report(self, policy: Policy, options: Options) -> Report:
        """The scores of all rows."""
        return Report.of(
            policy,
            self.judgements,
            bad=self.bad,
            limit=options.limit,
            versus=options.versus,
            others=self.others,
            stale=self.stale,
        )


def _second(
    policy: Policy, options: Options, verifiers: Mapping[str, Verifier] | None, stack: ExitStack
) -> Guard | None:
    """A guard that asks the verifier that is compared with."""
    if options.versus is None:
        return None
    return stack.enter_context(guard_with(for_all(policy, options.versus), verifiers))


def _page(gathered: _Gathered, report: Report) -> str:
    return page(
        gathered.judgements,
        gathered.worst,
        facts=report.facts,
        versus=report.versus or "",
        differences=report.differences,
    )


def _mistake(result: Judged) -> Mistake:
    row, turn = result.labelled.row, result.labelled.row.check.turn
    asked = [message.text for message in row.check.conversation if message.role == "user"]
    return Mistake(
        result.judgement,
        place=f"{result.labelled.file}:{row.line}",
        question=asked[-1] if asked else "",
        answer=turn.text,
        evidence="\n\n".join(piece.text for piece in result.outcome.evidence),
        findings=tuple(finding.text for finding in result.outcome.findings),
    )


def _check_outputs(options: Options) -> None:
    files = [os.path.realpath(path) for path in (options.output, options.report) if path is not None]
    if len(files) > len(set(files)):
        raise ConfigError(f"--output and --report: both name {options.report}; give each a file of its own")


def _output(path: Path | None, options: Options, stack: ExitStack) -> OutputFile | None:
    if path is None:
        return None
    sources = [Path(name) for name in (*options.files, *filter(None, [options.policy])) if name != "-"]
    return stack.enter_context(OutputFile(path, sources=sources))


def _row_object(result: Result) -> dict[str, object]:
    """`row_object` or `bad_row_object` with the row's ``file``, and its ``source`` and ``label`` (0 or 1)."""
    if isinstance(result, Bad):
        found = {"error": result.problem} if result.row is None else bad_row_object(result.row)
        return {"file": result.file, **found}
    labelled = result.labelled
    label = {"file": labelled.file, "source": labelled.case.source, "label": int(labelled.case.unreliable)}
    return {**label, **row_object(labelled.row.id, result.outcome)}


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        ascii_only = (sys.stdout.encoding or "ascii").lower().replace("-", "") != "utf8"
        click.echo(dump(report_object(report), ascii_only=ascii_only))
        return
    console = terminal_console()
    console.print(report_shown(report))
