"""Deterministic checks: labelled cases with a bar for each kind, and the rules that no case may break."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.checks import ALONE, CHECKS, RISKS, Case, find
from guardrail.conversation import Evidence, Message
from guardrail.policy.judges import EmbeddedSpec
from guardrail.verdict import FindingKind

DATA = Path(__file__).parent / "data"
FILES = ("check_cases.jsonl", "check_cases_more.jsonl", "check_cases_domains.jsonl")
LABELS = {"quotations": "quotation", "citations": "citation", "dates": "date", "names": "name"}
"""What the cases call a check's findings; those of numbers bear their own kind, the others the check's name."""
Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def case_of(row: Row) -> Case:
    evidence = [Evidence(e["text"], "retrieved", e.get("title"), e.get("url")) for e in row["evidence"]]
    return Case(row["answer"], evidence, [Message(m["role"], (m["content"],)) for m in row["conversation"]])


def expected(row: Row) -> list[tuple[int, int, str]]:
    places = ((row["answer"].rindex(f["text"]), f["text"], f["kind"]) for f in row["findings"])
    return [(start, start + len(text), kind) for start, text, kind in places]


class Tally:
    """Hits, false alarms and misses by kind. A finding of another kind at a wrong place counts as neither."""

    def __init__(self, name: str) -> None:
        self.hit: Counter[str] = Counter()
        self.false: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        for row in rows(name):
            self._count(row)

    def _count(self, row: Row) -> None:
        wanted, case = expected(row), case_of(row)
        met: set[tuple[int, int, str]] = set()
        for name, check in CHECKS.items():
            for found in check(case):
                label = found.kind.value if name == "numbers" else LABELS.get(name, name)
                kinds = ("number", "quantity") if name == "numbers" else (label,)
                over = [place for place in wanted if place[0] < found.end and found.start < place[1]]
                met.update(place for place in over if place[2] in kinds)
                self.false[label] += not over
        self.hit.update(kind for _, _, kind in met)
        self.missed.update(kind for place in wanted if place not in met for kind in place[2:])

    def precision(self, kind: str) -> float:
        return self.hit[kind] / ((self.hit[kind] + self.false[kind]) or 1)

    def recall(self, kind: str) -> float:
        return self.hit[kind] / ((self.hit[kind] + self.missed[kind]) or 1)


KINDS = ("number", "quantity", "date", "name", "quotation", "citation", "arithmetic", "consistency")


@pytest.mark.parametrize("name", FILES)
def test_every_kind_reaches_its_precision_and_recall(name: str) -> None:
    tally = Tally(name)
    print(f"\n{name}")
    for kind in KINDS:
        print(f"  {kind:12} precision {tally.precision(kind):.3f}  recall {tally.recall(kind):.3f}"
              f"  of {tally.hit[kind] + tally.missed[kind]}")  # fmt: skip
    assert {kind for kind in KINDS if tally.precision(kind) < 0.95} == set()
    assert {kind for kind in KINDS if tally.recall(kind) < 0.80} == set()


def test_the_cases_are_many_of_every_kind_and_nearly_half_are_right() -> None:
    cases = rows(FILES[0])
    wrong = Counter(finding["kind"] for case in cases for finding in case["findings"])
    assert len(cases) >= 150
    assert min(wrong[kind] for kind in KINDS) >= 15
    assert sum(not case["findings"] for case in cases) >= 0.4 * len(cases)


EVIDENCE = [Evidence("The tower was opened in 1889. It is 330 metres tall.", "retrieved", title="Tower")]


def test_a_finding_quotes_the_answer_and_the_sentence_that_it_was_held_against() -> None:
    answer = "Hello! The tower is 450 metres tall."
    (found,) = find(answer, EVIDENCE)
    assert (found.text, found.kind, found.risk) == ("450 metres", FindingKind.QUANTITY, RISKS["numbers"])
    assert answer[found.start : found.end] == found.text
    assert [(held.text, held.title) for held in found.evidence] == [("It is 330 metres tall.", "Tower")]


def test_checks_can_be_chosen() -> None:
    answer = "The tower was opened in 1891 and is 450 metres tall."
    assert [found.text for found in find(answer, EVIDENCE)] == ["1891", "450 metres"]
    assert [found.text for found in find(answer, EVIDENCE, checks=["dates"])] == ["1891"]
    assert find(answer, EVIDENCE, checks=[]) == []


def test_without_evidence_only_contradictions_within_the_conversation_are_found() -> None:
    said = [Message("assistant", ("The workshop starts on 4 March.",)), Message("user", ("When does it start?",))]
    found = find("The workshop starts on 5 March [7]. Ana Rey said 2 + 2 = 5.", [], said)
    assert [finding.text for finding in found] == ["5 March", "2 + 2 = 5"]
    assert {"arithmetic", "consistency"} == ALONE


def test_a_policy_names_the_checks_that_there_are() -> None:
    assert EmbeddedSpec().checks == ()
    assert EmbeddedSpec.model_validate({"checks": "all"}).checks == tuple(CHECKS)
    assert tuple(RISKS) == tuple(CHECKS)
    assert EmbeddedSpec.model_validate({"checks": False}).checks == ()
    assert EmbeddedSpec.model_validate({"checks": "off"}).checks == ()


PIECES = [
    "The tower", " is 450 m", " half", " $1.2bn", " on 3/13/2021", " 31/02/2020", " 31 February 2020", " 12:75",
    " [1]", " ²", ' "so he said to me"', "\n- ", " 1 + 1 = 3", " twenty twenty", ".", "ﬁ", "\u00a0", " É. 𝒳", " 1/0",
    " 9" * 3, " Bob", " = ", "**", " 9" + "9" * 400,
]  # fmt: skip
SOME = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
)
def test_any_answer_is_checked_and_findings_quote_it_without_overlap(answer: str, told: str) -> None:
    found = find(answer, [Evidence(told, "tool")], [Message("assistant", (told,)), Message("user", (answer,))])
    assert all(answer[f.start : f.end] == f.text != "" for f in found)
    assert all(one.end <= two.start for one, two in itertools.pairwise(found))


@settings(max_examples=60, deadline=None)
@given(SOME)
def test_what_the_evidence_says_word_for_word_has_no_unknown_number_date_name_or_quotation(text: str) -> None:
    checks = ("numbers", "dates", "names", "quotations")
    assert find(text, [Evidence(text, "tool")], checks=checks) == []
