"""The HTML report."""

from __future__ import annotations

import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from guardrail.errors import MissingExtra
from guardrail.evaluate.baselines import Baselines
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.report import Mistake, Worst, page
from guardrail.evaluate.report.kinds import by_kind
from guardrail.evaluate.report.plots import check_matplotlib
from guardrail.evaluate.versus import differences
from guardrail.verdict import Cause, FindingKind, Status

N, U = FindingKind.NUMBER, FindingKind.UNSUPPORTED

EVIL = "<script>alert('x')</script> & \"more\""


def judged(unreliable: bool, risk: float | None, source: str = "a", length: int = 10) -> Judgement:
    return Judgement(
        source, unreliable, Status.RELIABLE, risk, None, 0.1, "v 1", "default", Baselines(length, 0.0, 0.0)
    )


def mistake(unreliable: bool, risk: float, answer: str = "answer") -> Mistake:
    return Mistake(judged(unreliable, risk), "f:1", "question", answer, "evidence", ("marked",))


class Tags(HTMLParser):
    """What a browser would find: tags, whatever is loaded from elsewhere, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [
            v or "" for k, v in attrs if k in ("src", "href", "xlink:href") and not (v or "").startswith("#")
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


def made(**more: Any) -> Tags:
    pytest.importorskip("matplotlib", reason="matplotlib is of the extra eval")
    rows = [judged(n % 2 == 0, (n % 10) / 10, more.get("source", "a"), n + 1) for n in range(40)]
    rows += [judged(n % 3 == 0, (n % 7) / 7, "b", 90) for n in range(30)]
    worst = Worst()
    for one in more.get("mistakes", ()):
        worst.add(one)
    against = {key: more[key] for key in ("versus", "differences") if key in more}
    return Tags(page(rows, worst, facts=more.get("facts", {"verifier": "v 1"}), **against))


def test_the_page_has_both_sections_of_plots_and_loads_nothing() -> None:
    found = made()
    assert found.tags.count("svg") == 2
    assert found.loaded == []
    assert "script" not in found.tags
    for text in ("By source", "all rows", "By length of the answer", "characters", "ROC", "Risk and coverage", "v 1"):
        assert text in found.text


def test_text_of_rows_stays_text_wherever_it_comes_from() -> None:
    evil = replace(mistake(False, 0.9, EVIL), question=EVIL, evidence=EVIL, findings=(EVIL,), place=EVIL)
    found = made(source=f"{EVIL}"[:30], mistakes=[evil], facts={EVIL: EVIL})
    assert "script" not in found.tags
    assert found.text.count(EVIL) >= 6


@pytest.mark.parametrize("source", ["_hidden", "$x^2$", "日本語", "a\x00b", "x" * 300])
def test_any_name_of_a_source_can_be_drawn(source: str) -> None:
    assert made(source=source).tags.count("svg") == 2


def test_a_long_text_is_cut_and_says_so() -> None:
    assert "(500 more characters)" in made(mistakes=[mistake(True, 0.1, "x" * 2000)]).text


def test_the_same_rows_give_the_same_page() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is of the extra eval")
    rows = [judged(n % 2 == 0, n / 20) for n in range(20)]
    assert page(rows, Worst(), facts={}) == page(rows, Worst(), facts={})


def test_an_error_without_a_risk_says_so() -> None:
    silent = replace(judged(True, None), status=Status.UNKNOWN, cause=Cause.NO_EVIDENCE)
    text = made(mistakes=[replace(mistake(True, 0.2), judgement=silent)]).text
    assert "no risk, labelled unreliable, verdict unknown (no_evidence)" in text


def test_a_second_verifier_stands_in_the_page() -> None:
    pairs = [(judged(n % 2 == 0, n / 40), judged(n % 2 == 0, n % 3 / 3)) for n in range(40)]
    found = made(versus="<other>", differences=differences(pairs))
    assert "AUROC against <other>" in found.text
    assert "mean of sources" in found.text
    assert "AUROC against" not in made().text


def test_kinds_of_findings_are_counted_by_rows() -> None:
    rows = [
        replace(judged(unreliable, 0.9), kinds=frozenset(kinds))
        for unreliable, kinds in ((True, [N, U]), (False, [N]), (True, [U]), (False, []))
    ]
    assert by_kind(rows) == [(U, 2, 2), (N, 2, 1)]
    assert "By kind of finding" not in made().text


def test_only_the_worst_errors_are_kept_the_worst_first() -> None:
    worst = Worst(2)
    for risk in (0.3, 0.9, 0.5, 0.8):
        worst.add(mistake(False, risk))
        worst.add(mistake(True, risk))
    assert [one.judgement.risk for one in worst.of(False)] == [0.9, 0.8]
    assert [one.judgement.risk for one in worst.of(True)] == [0.3, 0.5]


def test_without_matplotlib_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'guardrail-llm\[eval\]'"):
        check_matplotlib()
