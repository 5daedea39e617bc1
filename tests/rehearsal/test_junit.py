"""Results as JUnit XML: what is read back is what was found."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.policy.documents import Place
from guardrail.policy.loading import load
from guardrail.rehearsal.junit import junit
from guardrail.rehearsal.rehearse import Rehearsal


def suite(*cases: dict[str, Any], name: str = "guardrail.yaml") -> ElementTree.Element:
    policy = load({"version": 1, "tests": list(cases)})
    rehearsal = Rehearsal(policy)
    results = [(rehearsal.play(case), Place(name, line)) for line, case in enumerate(policy.tests, start=3)]
    root = ElementTree.fromstring(junit(name, results).encode())
    assert root.tag == "testsuites"
    (found,) = root
    return found


def case(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "question": "q", "answers": ["a"], "verdicts": ["reliable"], "expect": "pass", **changes}


def test_counts_cases_failures_and_errors_are_told() -> None:
    found = suite(case("passes"), case("fails", expect={"action": "flag", "attempts": 2}), case("lacks", verdicts=[]))
    assert {key: found.get(key) for key in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "guardrail.yaml",
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "skipped": "0",
    }
    assert [(c.get("name"), c.get("file"), c.get("line")) for c in found] == [
        ("passes", "guardrail.yaml", "3"),
        ("fails", "guardrail.yaml", "4"),
        ("lacks", "guardrail.yaml", "5"),
    ]
    assert [[child.tag for child in c] for c in found] == [[], ["failure"], ["error"]]
    assert all(float(c.get("time", "nan")) >= 0 for c in found)
    failure, error = found[1][0], found[2][0]
    assert failure.get("message") == "action: expected 'flag', got 'pass'"
    assert failure.text == "action: expected 'flag', got 'pass'\nattempts: expected 2, got 1"
    assert "no verdict is left" in (error.text or "")


@settings(max_examples=80, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), answer=st.text(min_size=1))
def test_whatever_stands_in_names_and_answers_the_xml_can_be_read(name: str, answer: str) -> None:
    found = suite(case(name, answers=[answer], expect={"text": "never said"}), name=name)
    (only,) = found
    assert only.get("name") == name or not name.isprintable()
    assert only[0].tag in ("failure", "error")
