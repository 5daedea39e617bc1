"""From judgements to the page. All text of rows is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from guardrail.evaluate.curves import by_length
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.report.errors import Mistake, Worst
from guardrail.evaluate.report.kinds import by_kind
from guardrail.evaluate.report.plots import plots
from guardrail.evaluate.scores import Scores, scores
from guardrail.evaluate.versus import CONFIDENCE, Difference

__all__ = ["page"]

_LONGEST = 1500
"""Characters of a text that are shown."""
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .7rem; border-bottom: 1px solid #ddd; }
.numbers td, th + th { text-align: right; } th { text-align: left; font-weight: 600; }
svg { width: 100%; height: auto; }
article { border: 1px solid #ddd; border-radius: 6px; padding: .6rem 1rem; margin: 1rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .1rem 0 .6rem; }
.what { color: #666; font-size: .85rem; } .evidence { max-height: 12rem; overflow: auto; background: #f6f6f6; }
"""


def page(
    judgements: Sequence[Judgement],
    worst: Worst,
    *,
    facts: Mapping[str, str],
    versus: str = "",
    differences: Sequence[Difference] = (),
) -> str:
    """An HTML page, whole in itself and without scripts.

    ``facts`` stand at its top: names and what to say of each. ``versus`` is the verifier of which ``differences`` tell.

    Raises:
        MissingExtra: matplotlib or scikit-learn is not installed.
    """
    sources: dict[str, list[Judgement]] = {}
    for one in judgements:
        sources.setdefault(one.source, []).append(one)
    body = "".join(
        [
            "<h1>Evaluation of a verifier</h1>",
            _facts(facts),
            _section("By source", {**sources, **({"all rows": list(judgements)} if len(sources) > 1 else {})}),
            _section("By length of the answer", dict(by_length(judgements))),
            _kinds(judgements),
            _versus(versus, differences),
            _errors("Worst false alarms", "reliable answers called unreliable, from the highest risk", worst.of(False)),
            _errors("Worst misses", "unreliable answers not called so, from the lowest risk", worst.of(True)),
        ]
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Evaluation of a verifier</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts.items())
    return f"<table>{rows}</table>"


def _section(title: str, groups: Mapping[str, Sequence[Judgement]]) -> str:
    if not groups:
        return ""
    rows = [(name, _cells(scores(name, group))) for name, group in groups.items()]
    heads = ("rows", "unreliable", "AUROC", "avg. prec.", "bal. acc.", "ECE")
    return f"<h2>{title}</h2>{_numbers(heads, rows)}{plots(groups)}"


def _cells(found: Scores) -> list[str]:
    quality = found.quality
    values = (quality.auroc, quality.average_precision, quality.balanced_accuracy, quality.ece)
    return [str(found.rows), str(found.unreliable), *("-" if one is None else f"{one:.3f}" for one in values)]


def _kinds(judgements: Sequence[Judgement]) -> str:
    rows = [(kind.value, [str(marked), f"{bad / marked:.3f}"]) for kind, marked, bad in by_kind(judgements)]
    if not rows:
        return ""
    what = "rows with a finding of the kind, and the share of them that is labelled unreliable"
    return f'<h2>By kind of finding</h2><p class="what">{what}</p>{_numbers(("rows", "unreliable"), rows)}'


def _versus(name: str, differences: Sequence[Difference]) -> str:
    rows = [
        (one.source or "mean of sources", [f"{n:.3f}" for n in (one.first, one.second, one.value, one.low, one.high)])
        for one in differences
    ]
    if not rows:
        return ""
    what = f"{CONFIDENCE:.0%} intervals by paired bootstrap; with 0 inside, chance may be all there is"
    table = _numbers(("AUROC", "the other", "difference", "from", "to"), rows)
    return f'<h2>AUROC against {escape(name)}</h2><p class="what">{what}</p>{table}'


def _numbers(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A table with a name before each of its rows."""
    head = "".join(f"<th>{name}</th>" for name in ("", *heads))
    lines = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for name, cells in rows
    )
    return f'<table class="numbers"><tr>{head}</tr>{lines}</table>'


def _errors(title: str, what: str, mistakes: Sequence[Mistake]) -> str:
    shown = "".join(map(_mistake, mistakes)) or "<p>None.</p>"
    return f'<h2>{title}</h2><p class="what">{what}</p>{shown}'


def _mistake(mistake: Mistake) -> str:
    row = mistake.judgement
    label = "unreliable" if row.unreliable else "reliable"
    texts = [("question", mistake.question), ("answer", mistake.answer), ("marked", " … ".join(mistake.findings))]
    parts = "".join(f'<div class="what">{name}</div><pre>{_text(text)}</pre>' for name, text in texts if text)
    evidence = f'<div class="what">evidence</div><pre class="evidence">{_text(mistake.evidence) or "none"}</pre>'
    risk = "no risk" if row.risk is None else f"risk {row.risk:.3f}"
    cause = f" ({row.cause.value})" if row.cause else ""
    head = f"{risk}, labelled {label}, verdict {row.status.value}{cause}"
    place = f'<p class="what">{escape(mistake.place)}, {escape(row.source)}</p>'
    return f"<article><h3>{head}</h3>{place}{parts}{evidence}</article>"


def _text(text: str) -> str:
    rest = len(text) - _LONGEST
    return escape(text[:_LONGEST]) + (f" … ({rest} more characters)" if rest > 0 else "")
