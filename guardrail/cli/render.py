"""Rows as people read them: the answer with its bad places marked, the verdict, and what it rests on.

All text of answers and evidence is shown as it is: never read as markup, never able to steer the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from guardrail.action import Action
from guardrail.cli.errors import visible
from guardrail.cli.tally import Judged, Tally
from guardrail.conversation import Evidence
from guardrail.grounding import missing_note
from guardrail.outcome import Outcome
from guardrail.verdict import Finding, Status, Verdict

__all__ = ["has_colour", "marked", "shown_outcome", "shown_row", "summary", "terminal_console"]

_STATUS_STYLE = {
    Status.RELIABLE: "bold green",
    Status.UNRELIABLE: "bold red",
    Status.UNKNOWN: "bold yellow",
    Status.ERROR: "bold magenta",
}
_BAD = "red underline"
_ACTION_WORDS = {
    Action.PASS: "passes",
    Action.FLAG: "is flagged",
    Action.REGENERATE: "would be regenerated",
    Action.REPAIR: "would be repaired",
    Action.FALLBACK: "would go to another model",
    Action.BLOCK: "would be blocked",
}
_MOST_EVIDENCE = 3
"""Pieces of evidence shown for one finding; the JSON output holds them all."""
_LONGEST_EVIDENCE = 400
"""Characters shown of one piece."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Called for a reader that went away: rich would exit with 1, which says something about the answers."""
        raise BrokenPipeError


def terminal_console(*, stderr: bool = False) -> Console:
    """A console on stdout (or stderr) that shows text as it is; lines are wrapped on a terminal only."""
    console = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console


def has_colour(console: Console) -> bool:
    """Whether styles can be seen; bad places are marked with signs where not."""
    return console.is_terminal and not console.no_color and console.color_system is not None


def shown_outcome(outcome: Outcome, answer: str, *, colour: bool) -> Group:
    """One judged answer in full.

    Args:
        outcome: What came of it.
        answer: Its text, which the findings' characters count in.
        colour: Whether styles can be seen.
    """
    parts: list[RenderableType] = [marked(answer, outcome.findings, colour=colour), Text()]
    parts.append(_verdict_line(outcome))
    parts.extend(_shown_finding(finding, number) for number, finding in enumerate(outcome.findings, start=1))
    parts.extend(Text(f"note: {visible(note)}", style="yellow") for note in _notes(outcome))
    parts.append(_small_print(outcome))
    return Group(*parts)


def shown_row(result: Judged, *, colour: bool) -> Group:
    """One of many rows, under its number and id."""
    row = result.row
    name = f"row {row.line}" if row.id == row.line else f"row {row.line}, id {visible(str(row.id))}"
    heading = Text(f"── {name} ", style="bold")
    return Group(heading, shown_outcome(result.outcome, row.check.turn.text, colour=colour), Text())


def marked(answer: str, findings: Sequence[Finding], *, colour: bool) -> Text:
    """``answer`` with the places of ``findings`` marked and numbered.

    With colour they are red and underlined; without it they stand in ``>>`` and ``<<``. Places that overlap
    are marked as one.
    """
    text, last = Text(), 0
    for start, end, numbers in _regions(len(answer), findings):
        text.append(visible(answer[last:start]))
        place, label = visible(answer[start:end]), f"[{','.join(map(str, numbers))}]"
        text.append(place if colour else f">>{place}<<", style=_BAD)
        text.append(label, style="dim")
        last = end
    return text.append(visible(answer[last:]))


def summary(tally: Tally) -> Table:
    """How many rows there were of each status and action."""
    table = Table(title=f"{tally.rows} rows", title_justify="left", title_style="bold")
    table.add_column("status")
    table.add_column("action")
    table.add_column("rows", justify="right")
    for (status, action), count in sorted(tally.counts.items(), key=_severity):
        style = _STATUS_STYLE.get(Status(status), "") if status in set(Status) else ""
        table.add_row(Text(status, style=style), action, str(count))
    if tally.bad:
        table.add_row(Text("bad row", style="bold red"), "not judged", str(tally.bad))
    return table


def _severity(item: tuple[tuple[str, str], int]) -> tuple[int, str]:
    (status, action), _ = item
    return Action(action).severity, status


def _regions(length: int, findings: Sequence[Finding]) -> Iterator[tuple[int, int, list[int]]]:
    """(start, end, numbers of the findings), in order and apart from each other."""
    places = [
        (max(0, finding.start), min(length, finding.end), number) for number, finding in enumerate(findings, start=1)
    ]
    merged: list[tuple[int, int, list[int]]] = []
    for start, end, number in sorted(place for place in places if place[0] < place[1]):
        if merged and start < merged[-1][1]:
            before = merged.pop()
            merged.append((before[0], max(before[1], end), [*before[2], number]))
        else:
            merged.append((start, end, [number]))
    yield from merged


def _verdict_line(outcome: Outcome) -> Text:
    verdict = outcome.verdict
    if verdict is None:
        return Text("not verified: the policy's sampling left this conversation out", style="bold")
    line = Text().append(verdict.status.value, style=_STATUS_STYLE[verdict.status])
    details = [f"risk {verdict.risk:.2f}"] if verdict.risk is not None else []
    details += [f"cause: {verdict.cause.value}"] if verdict.cause else []
    if details:
        line.append(f" ({', '.join(details)})")
    line.append(f": the answer {_ACTION_WORDS[outcome.action]}")
    explanation = _explanation(verdict)
    return line.append(f"\n{visible(explanation)}") if explanation else line


def _explanation(verdict: Verdict) -> str:
    if verdict.explanation == "no_claim":
        return "The answer states nothing that could be checked."
    return verdict.explanation.strip()


def _shown_finding(finding: Finding, number: int) -> Text:
    risk = f", risk {finding.risk:.2f}" if finding.risk is not None else ""
    text = Text(f"  {number}. ").append(finding.kind.value, style="bold").append(risk)
    text.append(": ").append(visible(finding.text.strip()), style="red")
    if finding.explanation.strip():
        text.append(f"\n     {visible(finding.explanation.strip())}")
    for piece in finding.evidence[:_MOST_EVIDENCE]:
        text.append(f"\n     held against {_source(piece)}: ", style="dim").append(_shortened(piece.text))
    if (more := len(finding.evidence) - _MOST_EVIDENCE) > 0:
        text.append(f"\n     and {more} more", style="dim")
    return text


def _source(piece: Evidence) -> str:
    details = [piece.origin, *(visible(part) for part in (piece.title, piece.url) if part)]
    return f"({', '.join(details)})"


def _shortened(text: str) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= _LONGEST_EVIDENCE else f"{line[:_LONGEST_EVIDENCE]} ..."


def _notes(outcome: Outcome) -> Iterator[str]:
    for note in outcome.notes:
        if note == missing_note():
            yield 'no evidence to hold the answer against; give it with --context, or as "context" in the row'
        else:
            yield note


def _small_print(outcome: Outcome) -> Text:
    verdict = outcome.verdict
    by = f"{verdict.verifier} {verdict.version}".strip() if verdict else ""
    parts = [by, f"{outcome.added:.0f} ms", f"policy {outcome.policy}@{outcome.digest}"]
    return Text(visible(" · ".join(part for part in parts if part)), style="dim")
