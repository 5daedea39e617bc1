"""Plots as SVG, by matplotlib."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from guardrail.errors import MissingExtra
from guardrail.evaluate.curves import Curve, precision_recall, risk_coverage, roc
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.reliability import bins

__all__ = ["check_matplotlib", "plots"]

_SETTINGS: Any = {  # matplotlib types its settings by name
    "svg.hashsalt": "guardrail",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 9,
    "font.family": "sans-serif",
}
"""Text stays text, and the same rows give the same file."""
_MANY = 10
"""How many lines a plot can hold apart."""


def check_matplotlib() -> None:
    """Raises `MissingExtra` where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:  # any other failure is no missing package
        raise MissingExtra("a report needs matplotlib: pip install 'guardrail-llm[eval]'") from error


def plots(groups: Mapping[str, Sequence[Judgement]]) -> str:
    """ROC, precision and recall, reliability and risk-coverage side by side, a line a group; an ``<svg>`` element.

    At most ten groups are drawn, the largest ones.
    """
    import matplotlib
    from matplotlib.figure import Figure

    drawn = dict(sorted(groups.items(), key=lambda group: -len(group[1]))[:_MANY])
    drawn = {name: groups[name] for name in groups if name in drawn}
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the browser has fonts for what matplotlib's has no glyph of
        figure = Figure(figsize=(11, 9.6), layout="constrained")
        axes = figure.subplots(2, 2)
        _lines(axes[0][0], "ROC", "reliable, called unreliable", "unreliable, called so", drawn, roc)
        _lines(axes[0][1], "Precision and recall", "recall", "precision", drawn, precision_recall, steps=True)
        _lines(axes[1][0], "Reliability", "mean risk", "share unreliable", drawn, _reliability, marker="o")
        names = ("share of answers let through", "share of them unreliable")
        _lines(axes[1][1], "Risk and coverage", *names, drawn, risk_coverage)
        for place in (axes[0][0], axes[1][0]):
            place.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle="--", zorder=0)
        handles, labels = axes[1][1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        return _svg(figure)


def _lines(
    axes: Any,
    title: str,
    x: str,
    y: str,
    groups: Mapping[str, Sequence[Judgement]],
    curve: Callable[[Sequence[Judgement]], Curve | None],
    *,
    steps: bool = False,
    marker: str | None = None,
) -> None:
    axes.set(title=title, xlabel=x, ylabel=y, xlim=(0, 1.01), ylim=(0, 1.01))
    axes.grid(color="0.9", linewidth=0.6)
    for number, (name, rows) in enumerate(groups.items()):
        found = curve(rows)
        if found is not None:
            style = "steps-pre" if steps else "default"
            axes.plot(
                found.x,
                found.y,
                label=_name(name),
                color=f"C{number}",
                drawstyle=style,
                marker=marker,
                markersize=3,
                linewidth=1.3,
            )


def _reliability(rows: Sequence[Judgement]) -> Curve | None:
    found = bins([row.unreliable for row in rows], [row.risk for row in rows])
    return Curve(tuple(one.risk for one in found), tuple(one.unreliable for one in found)) if found else None


def _name(name: str) -> str:
    """A short line for the legend, which leaves out what begins with an underscore."""
    shown = "".join(char if char.isprintable() else "?" for char in name)
    return f" {shown}"[: 40 if len(shown) <= 39 else 37] + ("" if len(shown) <= 39 else "...")


def _svg(figure: Any) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return "<svg" + text.getvalue().partition("<svg")[2]
