"""Scores as machines and as people read them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from guardrail.cli.errors import visible
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.reliability import Bin, bins
from guardrail.evaluate.scores import Quality, Scores, by_source, mean_quality
from guardrail.evaluate.versus import CONFIDENCE, FEW, RESAMPLES, Difference, differences
from guardrail.policy.model import Policy, Rules
from guardrail.verdict import Status

__all__ = ["Report", "report_object", "report_shown"]

_NAMES = {False: "reliable", True: "unreliable"}
_BASELINES = ("length", "word_novelty", "bigram_novelty")
_LEGEND = (
    "AUROC and avg. prec. (average precision) rank by risk; a row without one ranks at 0.5. Bal. acc. (balanced"
    " accuracy) and F1 (of unreliable) are those of the verdicts; unknown and error are not called unreliable. ECE:"
    " expected calibration error of the risks, in 15 bins of the same width. Length,"
    " words, pairs: AUROC of baselines, namely characters of the answer (more or fewer, whichever suits these rows"
    " better) and the shares of its words and word pairs that the evidence lacks."
)


@dataclass(frozen=True, slots=True)
class Report:
    """All that one evaluation found."""

    digest: str
    """Of the policy."""
    rules: dict[str, Rules]
    """The rules by which rows were judged, by name."""
    verifiers: tuple[str, ...]
    """Who judged, with versions."""
    scores: tuple[Scores, ...]
    """One a source."""
    bad: int = 0
    """Rows and files that could not be used."""
    limit: int | None = None
    """The most rows of a source that were judged; None: all."""
    reliability: tuple[Bin, ...] = ()
    """The reliability diagram of all rows together."""
    versus: str | None = None
    """The name of a second verifier that judged the same rows."""
    differences: tuple[Difference, ...] = ()
    """How the first compares with it: by source, then the mean."""
    stale: tuple[str, ...] = ()
    """What to tell of thresholds that were calibrated for another verifier."""

    @classmethod
    def of(
        cls,
        policy: Policy,
        judgements: Sequence[Judgement],
        *,
        bad: int = 0,
        limit: int | None = None,
        versus: str | None = None,
        others: Sequence[Judgement] = (),
        stale: Iterable[tuple[str, str]] = (),
    ) -> Report:
        """The report on ``judgements``; ``others`` are those of the verifier ``versus`` on the same rows.

        ``stale``: the names of rules, and what to tell of their threshold.
        """
        used = dict.fromkeys(one.policy for one in judgements) or {"default": None}
        verifiers = dict.fromkeys(one.verifier for one in judgements if one.verifier and one.status is not Status.ERROR)
        rules = {name: policy.policies[name] for name in used}
        return cls(
            digest=policy.digest,
            rules=rules,
            verifiers=tuple(verifiers),
            scores=tuple(by_source(judgements)),
            bad=bad,
            limit=limit,
            reliability=bins([one.unreliable for one in judgements], [one.risk for one in judgements]),
            versus=versus,
            differences=tuple(differences(list(zip(judgements, others, strict=True)))) if versus else (),
            stale=tuple(f"policies.{name}: {note}" for name, note in stale if name in rules),
        )

    @property
    def rows(self) -> int:
        """Rows that were judged."""
        return sum(one.rows for one in self.scores)

    @property
    def facts(self) -> dict[str, str]:
        """What a reader has to know before the scores."""
        thresholds = ", ".join(_threshold_words(name, rules) for name, rules in self.rules.items())
        found = {
            "verifier": ", ".join(self.verifiers) or "none gave a verdict",
            "policy": self.digest,
            "verdicts at": thresholds,
            "rows": str(self.rows),
        }
        return {**found, "notes": "; ".join(_notes(self))} if any(_notes(self)) else found


def report_object(report: Report) -> dict[str, object]:
    """The JSON object of a report.

    ``{"digest", "verifiers": [...], "thresholds": {rules: risk or null}, "rows", "bad", "limit", "sources": [{"source",
    "rows", "unreliable", scores, "undefined", "confusion": {label: {status: rows}}, "causes": {cause: rows},
    "latency_ms": {"p50", "p95"}, "reliability": [{"low", "high", "rows", "risk", "unreliable"}]}], "mean": scores,
    "versus": null or {"verifier", "resamples", "confidence", "sources": [{"source", "auroc", "difference", "low",
    "high"}], "mean": {"auroc", "difference", "low", "high"} or null}, "notes": [...]}``, where scores are ``"auroc",
    "average_precision", "balanced_accuracy", "f1", "ece", "coverage"`` and ``"baselines": {"length", "word_novelty",
    "bigram_novelty"}``, each 0..1 or null, which ``undefined`` explains; ``ece`` is null where no row got a risk. Notes
    are words for a reader.
    """
    return {
        "digest": report.digest,
        "verifiers": list(report.verifiers),
        "thresholds": {name: _threshold(rules) for name, rules in report.rules.items()},
        "rows": report.rows,
        "bad": report.bad,
        "limit": report.limit,
        "sources": [_scores_object(one) for one in report.scores],
        "mean": _quality_object(mean_quality(report.scores)),
        "versus": _versus_object(report),
        "notes": list(_notes(report)),
    }


def _threshold(rules: Rules) -> float | None:
    return None if rules.verify.threshold is None else rules.verify.threshold.risk


def _scores_object(scores: Scores) -> dict[str, object]:
    return {
        "source": scores.source,
        "rows": scores.rows,
        "unreliable": scores.unreliable,
        **_quality_object(scores.quality),
        "undefined": scores.undefined,
        "confusion": {
            _NAMES[label]: {status.value: count for status, count in counts.items()}
            for label, counts in scores.confusion.items()
        },
        "causes": {cause.value: count for cause, count in scores.causes.items()},
        "latency_ms": {"p50": round(scores.p50, 1), "p95": round(scores.p95, 1)},
        "reliability": [
            {name: value if name == "rows" else round(value, 4) for name, value in asdict(one).items()}
            for one in scores.reliability
        ],
    }


def _versus_object(report: Report) -> dict[str, object] | None:
    if report.versus is None:
        return None
    found = [(one.source, _difference_object(one)) for one in report.differences]
    return {
        "verifier": report.versus,
        "resamples": RESAMPLES,
        "confidence": CONFIDENCE,
        "sources": [{"source": source, **values} for source, values in found[:-1]],
        "mean": found[-1][1] if found else None,
    }


def _difference_object(one: Difference) -> dict[str, float]:
    values = {"auroc": one.second, "difference": one.value, "low": one.low, "high": one.high}
    return {name: round(value, 4) for name, value in values.items()}


def _quality_object(quality: Quality) -> dict[str, object]:
    rounded = {name: None if value is None else round(value, 4) for name, value in asdict(quality).items()}
    return {
        **{name: value for name, value in rounded.items() if name not in _BASELINES},
        "baselines": {name: rounded[name] for name in _BASELINES},
    }


def report_shown(report: Report) -> RenderableType:
    """A report as people read it."""
    if not report.scores:
        return Text("no row was judged", style="bold")
    parts: list[RenderableType] = [_ranking(report), _at_threshold(report), _confusion(report.scores)]
    parts += [table for table in (_reliability(report), _differences(report)) if table.row_count]
    parts += [Text(visible(note), style="yellow") for note in _notes(report)]
    return Group(*parts, Text(_LEGEND, style="dim"))


def _ranking(report: Report) -> Table:
    table = _table("Ranking", "source", "rows", "unreliable", "AUROC", "avg. prec.", "length", "words", "pairs")
    for one in report.scores:
        table.add_row(visible(one.source), str(one.rows), str(one.unreliable), *_ranked(one.quality))
    if len(report.scores) > 1:
        unreliable = sum(one.unreliable for one in report.scores)
        table.add_section()
        table.add_row("mean of sources", str(report.rows), str(unreliable), *_ranked(mean_quality(report.scores)))
    return table


def _ranked(quality: Quality) -> list[str]:
    values = (quality.auroc, quality.average_precision, quality.length, quality.word_novelty, quality.bigram_novelty)
    return [_number(value) for value in values]


def _at_threshold(report: Report) -> Table:
    title = "Verdicts at " + ", ".join(_threshold_words(name, rules) for name, rules in report.rules.items())
    table = _table(title, "source", "bal. acc.", "F1", "ECE", "coverage", "ms p50", "ms p95")
    for one in report.scores:
        table.add_row(visible(one.source), *_called(one.quality), f"{one.p50:.0f}", f"{one.p95:.0f}")
    if len(report.scores) > 1:
        table.add_section()
        table.add_row("mean of sources", *_called(mean_quality(report.scores)), "", "")
    return table


def _threshold_words(name: str, rules: Rules) -> str:
    threshold = _threshold(rules)
    words = "the verifier's own threshold" if threshold is None else f"threshold {threshold:g}"
    return words if name == "default" else f"{words} ({visible(name)})"


def _called(quality: Quality) -> list[str]:
    return [_number(value) for value in (quality.balanced_accuracy, quality.f1, quality.ece, quality.coverage)]


def _confusion(scores: Sequence[Scores]) -> Table:
    table = _table("All rows: label and verdict", "label", *(status.value for status in Status))
    for label, name in _NAMES.items():
        counts = [sum(one.confusion[label][status] for one in scores) for status in Status]
        table.add_row(name, *map(str, counts))
    return table


def _reliability(report: Report) -> Table:
    table = _table("All rows: is the risk a probability?", "risk", "rows", "mean risk", "unreliable")
    for one in report.reliability:
        table.add_row(f"{one.low:.2f} to {one.high:.2f}", str(one.rows), _number(one.risk), _number(one.unreliable))
    return table


def _differences(report: Report) -> Table:
    title = f"AUROC against {visible(report.versus or '')}, {CONFIDENCE:.0%} intervals by paired bootstrap"
    table = _table(title, "source", "AUROC", "the other", "difference", "from", "to")
    for one in report.differences:
        values = (one.first, one.second, one.value, one.low, one.high)
        table.add_row(visible(one.source) or "mean of sources", *map(_number, values))
    return table


def _notes(report: Report) -> Iterable[str]:
    for one in report.scores:
        if one.undefined:
            yield f"{one.source}: {one.undefined}"
        if one.causes:
            counts = ", ".join(f"{count} {cause.value}" for cause, count in one.causes.items())
            yield f"{one.source}: without a verdict: {counts}"
    for other in report.differences:
        if other.source and other.fewest < FEW:
            yield f"{other.source}: {other.fewest} rows of one label: the interval is too narrow with fewer than {FEW}"
    yield from report.stale
    if report.bad:
        yield f"{report.bad} bad rows or files were left out; see above"
    if report.limit is not None:
        yield f"only the first {report.limit} rows of each source"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
