"""The scoring of checks and spans: counted by hand here, so that the figures mean what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.checks import tally
from benchmarks.labelled import Labelled, Mark, half, read
from benchmarks.spans import by_character, by_close_finding, by_finding, counted, interval
from guardrail.conversation import Evidence, Message

DATA = Path(__file__).parent / "data"
TOWER = (Evidence("The tower was opened in 1889. It is 330 metres tall.", "retrieved"),)


def answer(text: str, *bad: tuple[str, str], kind: str = "date", id: str = "t-1") -> Labelled:
    marks = tuple(Mark(text.index(part), text.index(part) + len(part), name) for part, name in bad)
    return Labelled(id, kind, TOWER, (Message("user", ("When was it opened?",)),), text, marks)


def test_a_finding_at_a_marked_place_of_its_kind_is_right() -> None:
    counts = tally([answer("The tower was opened in 1891.", ("1891", "date"))])
    assert (counts.hit["date"], counts.precision("date"), counts.recall("date")) == (1, 1.0, 1.0)
    assert (counts.caught["date"], counts.wrong["date"]) == (1, 1)


def test_a_finding_in_a_right_answer_and_one_beside_the_marked_place_are_false_alarms() -> None:
    right = answer("The tower was opened in 1891.")
    beside = answer("The tower was opened in 1891 and is 450 metres tall.", ("450 metres", "quantity"))
    counts = tally([right, beside])
    assert (counts.false["date"], counts.hit["quantity"]) == (2, 1)
    assert (counts.alarmed["date"], counts.right["date"]) == (1, 1)
    assert counts.precision("date") == 0.0


def test_a_finding_at_a_place_that_is_marked_as_another_kind_is_neither_right_nor_a_false_alarm() -> None:
    counts = tally([answer("The tower was opened in 1891.", ("opened in 1891", "name"))])
    assert (counts.false["date"], counts.hit["date"], counts.missed["name"]) == (0, 0, 1)
    assert counts.caught["date"] == 1


def test_numbers_and_quantities_count_for_each_other() -> None:
    counts = tally([answer("The tower is 450 metres tall.", ("450 metres", "number"))])
    assert (counts.hit["number"], counts.missed["number"]) == (1, 0)


def test_a_kind_of_which_nothing_was_found_or_marked_has_no_error() -> None:
    counts = tally([answer("The tower was opened in 1889.")])
    assert (counts.precision("date"), counts.recall("date")) == (1.0, 1.0)


def test_spans_are_counted_by_character_and_by_finding() -> None:
    counts = counted(found=[(0, 10), (20, 30)], marked=[(5, 15)])
    assert (counts.both, counts.found, counts.marked) == (5, 20, 10)
    assert by_character(counts) == pytest.approx(2 * 0.25 * 0.5 / 0.75)
    assert by_finding(counts) == pytest.approx(2 * 0.5 * 1.0 / 1.5)
    assert by_close_finding(counts) == 0.0  # 5 of 15 characters are no half
    assert by_close_finding(counted([(0, 10)], [(2, 10)])) == 1.0


def test_spans_of_an_answer_in_which_nothing_is_found_count_as_missed() -> None:
    counts = counted([], [(0, 4)]) + counted([], [])
    assert (counts.marks, counts.hit, by_character(counts)) == (1, 0, 0.0)


def test_the_interval_holds_the_figure_and_is_the_same_every_time() -> None:
    groups = [counted([(0, at)], [(0, 10)]) for at in range(1, 20)]
    low, high = interval(groups)
    assert low < by_character(sum(groups[1:], groups[0])) < high
    assert interval(groups) == (low, high)


def test_answers_about_the_same_evidence_are_in_one_half() -> None:
    cases = read(DATA / "marked_answers.jsonl")
    halves: dict[str, set[str]] = {}
    for case in cases:
        halves.setdefault(case.context, set()).add(half(case))
    assert all(len(found) == 1 for found in halves.values())
    assert 0.4 < sum(half(case) == "A" for case in cases) / len(cases) < 0.6


def test_marked_places_quote_their_answers() -> None:
    for name, least in (("check_kinds.jsonl", 150), ("marked_answers.jsonl", 200)):
        cases = read(DATA / name)
        assert len(cases) >= least
        assert all(case.answer[mark.start : mark.end].strip() for case in cases for mark in case.bad)
    kinds = read(DATA / "check_kinds.jsonl")
    assert sum(not case.bad for case in kinds) >= 0.4 * len(kinds)


def test_a_row_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "x"}\n')
    with pytest.raises(ValueError, match="row 1"):
        read(path)
