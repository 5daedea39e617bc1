"""``guardrail demo``: see it work, without a key or a network."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from guardrail.cli.errors import visible
from guardrail.cli.given import evidence_of, text_of
from guardrail.cli.jsonout import dump, row_object
from guardrail.cli.render import has_colour, marked, terminal_console
from guardrail.demo.play import Played, play
from guardrail.demo.scenes import SCENES, Scene, own_scene
from guardrail.errors import InputError
from guardrail.outcome import Attempt, Outcome

__all__ = ["demo"]

_INTRO = (
    "A scripted LLM answers over HTTP on this machine; a real OpenAI client talks to it through guardrail.wrap(). "
    "Only the LLM's drafts are scripted: every verdict below is the embedded model's, made as you watch."
)


@click.command()
@click.option("--text", help="An answer of your own to judge (text, or @file).")
@click.option("--context", multiple=True, help="What to hold it against (text, or @file); may be given more than once.")
@click.option("--policy", help="A policy file or preset to play the scenes under, in the place of their own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a scene.")
def demo(text: str | None, context: tuple[str, ...], policy: str | None, as_json: bool) -> None:
    """See guardrail at work: no key, no network.

    \b
    Examples:
      guardrail demo
      guardrail demo --text "The tower is 330 metres tall." --context "The tower is 300 metres tall."
    """
    scenes = _scenes(text, context)
    if as_json:
        for played in play(scenes, policy):
            click.echo(dump(row_object(played.scene.name, played.outcome)))
        return
    console = terminal_console()
    console.print(Text(_INTRO, style="dim"), "")
    for number, played in enumerate(play(scenes, policy), start=1):
        console.print(_shown(played, number, console))
    if text is None:
        console.print(Text("Now your own:  ").append('guardrail demo --text "..." --context "..."', style="bold"))


def _scenes(text: str | None, context: tuple[str, ...]) -> tuple[Scene, ...]:
    if text is None:
        if context:
            raise InputError("--context needs --text: the answer to hold against it")
        return SCENES
    evidence = tuple(piece.text for piece in evidence_of(context, option="--context"))
    return (own_scene(text_of(text, option="--text"), evidence),)


def _shown(played: Played, number: int, console: Console) -> Group:
    scene, outcome = played.scene, played.outcome
    lines = [Text("user asks   ", style="dim").append(scene.question, style="default")]
    lines += list(_attempts(outcome, colour=has_colour(console)))
    lines += [Text(), *_received(played), Text(f"report      {_report(outcome)}", style="dim")]
    lines += [Text(f"            note: {visible(note)}", style="dim") for note in outcome.notes]
    title = Text(f" {number}. {scene.title} ", style="bold")
    return Group(Panel(Group(*lines), title=title, title_align="left"), Text(f"  {scene.point}\n", style="italic"))


def _attempts(outcome: Outcome, *, colour: bool) -> Iterator[Text]:
    for number, attempt in enumerate(outcome.attempts, start=1):
        findings = attempt.verdict.findings
        yield Text(f"LLM draft {number} ", style="dim").append_text(marked(attempt.turn.text, findings, colour=colour))
        yield Text(f"  verdict   {_verdict(attempt)}", style="dim")
        for place, finding in enumerate(findings, start=1):
            held = f': the document says "{visible(finding.evidence[0].text)}"' if finding.evidence else ""
            yield Text(f"  [{place}] {finding.kind.value}, risk {finding.risk or 0:.2f}{held}", style="yellow")


def _verdict(attempt: Attempt) -> str:
    verdict = attempt.verdict
    risk = "" if verdict.risk is None else f", risk {verdict.risk:.2f}"
    cause = f" ({verdict.cause.value})" if verdict.cause else ""
    return f"{verdict.status.value}{cause}{risk} in {attempt.verified * 1000:.0f} ms -> {attempt.action.value}"


def _received(played: Played) -> Iterator[Text]:
    how = f" ({played.pieces} pieces, each sentence after its verdict)" if played.scene.stream else ""
    yield (
        Text("app gets    ", style="dim").append(visible(played.received), style="bold green").append(how, style="dim")
    )
    yield Text(f"            finish_reason: {played.finish_reason}", style="dim")


def _report(outcome: Outcome) -> str:
    status = outcome.verdict.status.value if outcome.verdict else outcome.mode
    return (
        f"action={outcome.action.value} status={status} attempts={len(outcome.attempts)} "
        f"added={outcome.added:.0f} ms policy={outcome.policy}@{outcome.digest}"
    )
