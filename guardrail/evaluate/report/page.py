"""From judgements to the page. All text of rows is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from guardrail.evaluate.curves import by_length
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.report.errors import Mistake, Worst
from guardrail.evaluate.report.plots import plots
from guardrail.evaluate.scores import Scores, scores

__all__ = ["page"]

_LONGEST = 1500
"""Characters of a text that are shown."""
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .7rem; border-bottom: 1px solid #ddd; }
td + td, th + th { text-align: right; } th { text-align: left; font-weight: 600; } svg { width: 100%; height: auto; }
article { border: 1px solid #ddd; border-radius: 6px; padding: .6rem 1rem; margin: 1rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .1rem 0 .6rem; }
.what { color: #666; font-size: .85rem; } .evidence { max-height: 12rem; overflow: auto; background: #f6f6f6; }
"""


def page(judgements: Sequence[Judgement], worst: Worst, *, facts: Mapping[str, str]) -> str:
    """An HTML page, whole in itself and without scripts.

    ``facts`` stand at its top: names and what to say of each.

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
            _errors("Worst false alarms", "reliable answers with the highest risks", worst.of(False)),
            _errors("Worst misses", "unreliable answers with the lowest risks", worst.of(True)),
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
    head = "".join(f"<th>{name}</th>" for name in ("", "rows", "unreliable", "AUROC", "avg. prec.", "bal. acc.", "ECE"))
    rows = "".join(_row(name, scores(name, group)) for name, group in groups.items())
    return f"<h2>{title}</h2><table><tr>{head}</tr>{rows}</table>{plots(groups)}"


def _row(name: str, found: Scores) -> str:
    quality = found.quality
    values = (quality.auroc, quality.average_precision, quality.balanced_accuracy, quality.ece)
    cells = [str(found.rows), str(found.unreliable), *("-" if one is None else f"{one:.3f}" for one in values)]
    return f"<tr><th>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _errors(title: str, what: str, mistakes: Sequence[Mistake]) -> str:
    shown = "".join(map(_mistake, mistakes)) or "<p>None.</p>"
    return f'<h2>{title}</h2><p class="what">{what}</p>{shown}'


def _mistake(mistake: Mistake) -> str:
    row = mistake.judgement
    label = "unreliable" if row.unreliable else "reliable"
    texts = [("question", mistake.question), ("answer", mistake.answer), ("marked", " … ".join(mistake.findings))]
    parts = "".join(f'<div class="what">{name}</div><pre>{_text(text)}</pre>' for name, text in texts if text)
    evidence = f'<div class="what">evidence</div><pre class="evidence">{_text(mistake.evidence) or "none"}</pre>'
    head = f"risk {row.risk:.3f}, labelled {label}, verdict {row.status.value}"
    place = f'<p class="what">{escape(mistake.place)}, {escape(row.source)}</p>'
    return f"<article><h3>{head}</h3>{place}{parts}{evidence}</article>"


def _text(text: str) -> str:
    rest = len(text) - _LONGEST
    return escape(text[:_LONGEST]) + (f" … ({rest} more characters)" if rest > 0 else "")
