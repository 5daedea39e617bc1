"""The model card, as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from guardrail.train.extent import DataFile, Labels
from guardrail.train.measured import CONFIDENCE, RESAMPLES, Interval, Measured
from guardrail.train.trained import Trained, doubts

__all__ = ["card"]

_NOT_STATED = "not stated"


def card(made: Trained) -> str:
    """The text of ``CARD.md``."""
    parts = [_head(made), _doubted(made), _scores(made), _data(made), _configuration(made)]
    return "\n\n".join([*parts, _limits(made)]) + "\n"


def _head(made: Trained) -> str:
    return (
        "# An embedded reliability model, fine-tuned\n\n"
        f"`guardrail train` made it from {made.base}. It reads one claim of an answer together with the best sentences"
        " of the evidence, and says how likely it is that the evidence does not bear the claim out.\n\n"
        f"Threshold: {made.threshold:g}, the best balanced accuracy on the {made.choosing.rows} rows to choose by."
    )


def _doubted(made: Trained) -> str:
    found = doubts(made) or ["Nothing that can be seen in these numbers. They are about rows like these only."]
    return "## What to doubt\n\n" + "\n".join(f"- {doubt}" for doubt in found)


def _scores(made: Trained) -> str:
    said = (
        f"On {made.scoring.rows} rows that it was neither trained on nor chosen by, and whose contexts are in no such"
        f" row. In parentheses: {CONFIDENCE:.0%} intervals, by {RESAMPLES} bootstrap resamples of contexts. AUROC: the"
        " chance that an unreliable answer has a higher risk than a reliable one; 0.5 is guessing. The last three of a"
        " table understand nothing: the shares of an answer's words and word pairs that the evidence lacks, and its"
        " characters (more or fewer, whichever suits these rows better)."
    )
    tables = [_table(measured, made) for measured in (made.scores, *made.by_source)]
    return "\n\n".join(["## Scores", said, *tables])


def _table(measured: Measured, made: Trained) -> str:
    quality = measured.quality
    name = f"Source {_cell(measured.source)}" if measured.source else "All rows"
    lines = [
        f"**{name}**: {measured.rows} rows, {measured.unreliable} unreliable, {measured.contexts} contexts",
        "",
        "| | AUROC | this model is ahead by |",
        "|---|---|---|",
        f"| **this model** | {_shown(measured.auroc)} | |",
        *(f"| {_cell(one.name)} | {_shown(one.auroc)} | {_shown(one.ahead, '+.3f')} |" for one in measured.rivals),
        "",
        f"At the threshold {made.threshold:g}: balanced accuracy {_shown(measured.balanced_accuracy)},"
        f" F1 {_number(quality.f1)}. Expected calibration error {_number(quality.ece)};"
        f" {_number(quality.coverage)} of the rows got a risk, the others rank at 0.5.",
    ]
    return "\n".join(lines)


def _data(made: Trained) -> str:
    left = [f"{count} {why}" for why, count in made.left_out.items()]
    parts = {"trained on": made.training, "to choose by": made.choosing, "to score": made.scoring}
    return "\n".join(
        [
            "## Data",
            "",
            "| file | rows | unreliable | licence | SHA-256 |",
            "|---|---|---|---|---|",
            *map(_file, made.files),
            "",
            f"Left out: {', '.join(left) or 'none'}. Digest of the rows that were used: `{made.arguments.data}`.",
            "",
            "| part | rows | reliable | unreliable |",
            "|---|---|---|---|",
            *(f"| {name} | {of.rows} | {of.reliable} | {of.unreliable} ({_share(of)}) |" for name, of in parts.items()),
            "",
            f"They have {made.contexts} different contexts; rows of one context are in one part.",
        ]
    )


def _file(file: DataFile) -> str:
    cells = (_cell(file.name), f"{file.labels.rows}", f"{file.labels.unreliable} ({_share(file.labels)})")
    return (
        f"| {' | '.join(cells)} | {_cell(file.licence or _NOT_STATED)} | {f'`{file.sha256}`' if file.sha256 else '-'} |"
    )


def _configuration(made: Trained) -> str:
    asked = made.arguments
    rows = {
        "base": f"{_cell(made.base)}, digest `{_cell(asked.base)}`",
        "fine-tuned as": "cross-encoder, one logit; binary cross-entropy; no dropout; AdamW",
        "frozen": "embeddings and the lowest two layers, but no more than a quarter of the layers",
        "epochs, batch, rate": f"{asked.epochs}, {asked.batch}, {asked.rate:g} (warmed up, then falling to 0)",
        "seed": f"{asked.seed}",
        "longest pair": f"{asked.max_tokens} tokens",
        "held out": f"{asked.hold_out:g} of the rows, half to choose by and half to score",
        "weights": f"rounded; logits change by {made.rounding:.3f} (root of the mean square)",
        "software": ", ".join(f"{name} {version}" for name, version in made.software.items()),
    }
    lines = [f"| {name} | {said} |" for name, said in rows.items()]
    return "\n".join(["## Configuration", "", "| | |", "|---|---|", *lines, "", *_again()])


def _again() -> Iterator[str]:
    yield (
        "The same rows, base, numbers and versions on the same kind of processor give the same model. `training.json`"
        " holds them for machines."
    )


def _limits(made: Trained) -> str:
    extent = made.extent
    sources = ", ".join(f"{_cell(name)} ({rows})" for name, rows in extent.sources.items())
    return "\n".join(
        [
            "## Limits",
            "",
            "What was not in the rows was not measured.",
            "",
            f"- Domains: the rows come from {sources}.",
            "- Language: that of the rows, which was not looked at. The verifier gives no verdict on what is not in the"
            " Latin script.",
            f"- Length: half of the answers have {extent.answer[0]} words or fewer, and 95 % have {extent.answer[1]} or"
            f" fewer; their evidence {extent.evidence[0]} and {extent.evidence[1]}. Of long evidence the best sentences"
            " for a claim are read, about 85 words.",
            f"- Claims: {extent.several_claims:.0%} of the answers have several, and one label for all. In training an"
            " answer is read whole, in use claim by claim.",
            "- It may have forgotten what its base knew of other answers: score it on some of those too, with"
            " `guardrail eval`.",
            "- The threshold is no promise: `guardrail calibrate` makes one.",
        ]
    )


def _share(of: Labels) -> str:
    return f"{of.unreliable / of.rows:.0%}" if of.rows else "-"


def _shown(interval: Interval, form: str = ".3f") -> str:
    return f"{interval.value:{form}} ({interval.low:{form}} to {interval.high:{form}})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _cell(text: str) -> str:
    """``text`` inside a table: one line, and no sign that would end a cell."""
    return " ".join(text.split()).replace("|", "\\|")
