"""``guardrail policy test``: does a policy do what its tests say?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click
from rich.console import Console
from rich.text import Text

from guardrail.cli.errors import visible
from guardrail.cli.jsonout import dump
from guardrail.cli.output import OutputFile
from guardrail.cli.render import terminal_console
from guardrail.errors import ConfigError
from guardrail.grounding import missing_note
from guardrail.policy.cases import Case
from guardrail.policy.documents import Place
from guardrail.policy.loading import load_with_places
from guardrail.policy.model import Policy

if TYPE_CHECKING:
    from guardrail.rehearsal.rehearse import Rehearsed

__all__ = ["test"]

_Placed: TypeAlias = "tuple[Rehearsed, Place]"


@click.command()
@click.argument("file", metavar="FILE")
@click.option("-k", "name", metavar="NAME", help="Only tests with NAME in their name, in upper or lower case.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--junit", metavar="OUT.xml", help="Write the results as JUnit XML too, for CI.")
@click.pass_context
def test(ctx: click.Context, file: str, name: str | None, as_json: bool, junit: str | None) -> None:
    """Try the tests that stand in the policy FILE, offline: recorded answers and verdicts, and what must come of them.

    No LLM and no remote verifier is asked, and nothing waits: times are the recorded ones. Exit code 0: all passed; 1:
    some failed; 2: the policy cannot be used, or there are no tests.

    \b
    Examples:
      guardrail policy test guardrail.yaml
      guardrail policy test guardrail.yaml -k refund
      guardrail policy test guardrail.yaml --junit results.xml
    """
    policy, places = load_with_places(file)
    chosen = _chosen(file, list(zip(policy.tests, places, strict=True)), name)
    results = _played(policy, chosen)
    if junit is not None:
        _write_junit(file, Path(junit), results)
    if as_json:
        click.echo(dump(_object(file, policy, results)))
    else:
        _show(terminal_console(), results)
    ctx.exit(0 if all(result.passed for result, _ in results) else 1)


def _chosen(file: str, tests: Sequence[tuple[Case, Place]], name: str | None) -> list[tuple[Case, Place]]:
    if not tests:
        raise ConfigError(f"{file}: has no tests: write some under 'tests'")
    chosen = [(case, place) for case, place in tests if (name or "").casefold() in case.name.casefold()]
    if not chosen:
        names = ", ".join(repr(case.name) for case, _ in tests)
        raise ConfigError(f"{file}: no test has {name!r} in its name; there are {names}")
    return chosen


def _played(policy: Policy, chosen: Sequence[tuple[Case, Place]]) -> list[_Placed]:
    from guardrail.rehearsal.rehearse import Rehearsal

    with Rehearsal(policy) as rehearsal:
        return [(rehearsal.play(case), place) for case, place in chosen]


def _write_junit(file: str, target: Path, results: Sequence[_Placed]) -> None:
    from guardrail.rehearsal.junit import junit

    with OutputFile(target, sources=(Path(file),)) as out:
        out.write(junit(file, results))


def _show(console: Console, results: Sequence[_Placed]) -> None:
    for result, place in results:
        name = visible(result.case.name)
        if result.passed:
            console.print(Text("passed  ", style="green").append(name, style="default"))
            continue
        where = visible(f"{place.file}:{place.line}")
        console.print(Text("FAILED  ", style="bold red").append(f"{name}  ({where})", style="default"))
        for line in _reasons(result):
            console.print(Text(f"        {visible(line)}"))
    failed = sum(not result.passed for result, _ in results)
    summary = f"{len(results) - failed} passed" + (f", {failed} failed" if failed else "")
    console.print(Text(summary, style="bold red" if failed else "bold green"))


def _reasons(result: Rehearsed) -> list[str]:
    if result.outcome is None:
        return [result.problem or ""]
    # What the loop noted often says why; that evidence is missing is of no account where verdicts are recorded.
    notes = [note for note in result.outcome.notes if result.case.live or note != missing_note()]
    return [*(str(unmet) for unmet in result.mismatches), *(f"note: {note}" for note in notes)]


def _object(file: str, policy: Policy, results: Sequence[_Placed]) -> dict[str, object]:
    failed = sum(not result.passed for result, _ in results)
    counts = {"passed": len(results) - failed, "failed": failed}
    return {"file": file, "digest": policy.digest, **counts, "tests": [_entry(*result) for result in results]}


def _entry(result: Rehearsed, place: Place) -> dict[str, object]:
    from guardrail.rehearsal.expectations import actual

    return {
        "name": result.case.name,
        "file": place.file,
        "line": place.line,
        "passed": result.passed,
        "problem": result.problem,
        "mismatches": [{"key": m.key, "expected": m.expected, "actual": m.actual} for m in result.mismatches],
        "actual": None if result.outcome is None else actual(result.outcome),
    }
