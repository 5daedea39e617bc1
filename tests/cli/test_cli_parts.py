"""The pure parts of the command line: rows, rendering, counting."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.action import Action
from guardrail.cli.errors import visible
from guardrail.cli.jsonout import dump, row_object
from guardrail.cli.render import marked, summary, terminal_console
from guardrail.cli.rows import BadRow, Row, read_row
from guardrail.cli.source import Place, read_lines, read_rows
from guardrail.cli.tally import Judged, Tally, exit_code
from guardrail.conversation import Evidence, Turn
from guardrail.outcome import Attempt, Outcome
from guardrail.verdict import Finding, FindingKind, Status, Verdict
from guardrail.verifiers.protocol import Check

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
ROW_LIKE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("id", "messages", "answer", "question", "context", "evidence", "model"), JSON),
)


def finding(start: int, end: int, text: str = "") -> Finding:
    return Finding(start, end, text, FindingKind.UNSUPPORTED, 0.8)


def outcome(status: Status, action: Action, *findings: Finding) -> Outcome:
    turn = Turn("an answer")
    verdict = Verdict(status, risk=0.5, findings=findings)
    return Outcome("id", action, turn.text, turn, (Attempt(turn, verdict, action, 0.0, 0.1),))


def judged(status: Status, action: Action) -> Judged:
    return Judged(Row(1, 1, Check((), Turn("an answer"))), outcome(status, action))


# rows


@given(text=st.text(max_size=60) | JSON.map(json.dumps) | ROW_LIKE.map(json.dumps))
def test_whatever_stands_on_a_line_becomes_a_row_or_a_bad_row_with_a_problem(text: str) -> None:
    row = read_row(text, line=3)
    assert row.line == 3
    if isinstance(row, BadRow):
        assert row.problem
    else:
        assert row.check.turn.text or row.check.turn.refusal


@given(data=st.binary(min_size=1, max_size=80))
def test_any_bytes_between_two_rows_leave_the_two_alone(data: bytes) -> None:
    good = b'{"id": "good", "answer": "a"}'
    middle = data.replace(b"\n", b" ")
    rows = list(read_rows(io.BytesIO(b"\n".join([good, middle, good])), name="-"))
    assert [rows[0].id, rows[-1].id] == ["good", "good"]
    assert len(rows) == 3 or not middle.strip()


@given(lines=st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=8))
def test_lines_are_numbered_and_counted_to_the_last_byte(lines: list[bytes]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    read = list(read_lines(io.BytesIO(data)))
    assert [line.number for line in read] == list(range(1, len(lines) + 1))
    assert not read or read[-1].end == len(data)


def test_rows_are_read_when_they_are_asked_for() -> None:
    place = Place()
    rows = read_rows(io.BytesIO(b'{"answer": "a"}\n' * 100), name="-", place=place)
    next(rows)
    assert place.rows == 1
    assert place.read == 16


# the answer with its bad places marked


@given(
    answer=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=40),
    places=st.lists(st.tuples(st.integers(-5, 50), st.integers(-5, 50)), max_size=5),
    colour=st.booleans(),
)
def test_marks_add_to_an_answer_and_take_nothing_away(answer: str, places: list[tuple[int, int]], colour: bool) -> None:
    text = marked(answer, [finding(start, end) for start, end in places], colour=colour).plain
    rest = iter(text)
    assert all(char in rest for char in answer)


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ([], "abcdefgh"),
        ([(2, 4)], "ab>>cd<<[1]efgh"),
        ([(4, 6), (0, 2)], ">>ab<<[2]cd>>ef<<[1]gh"),
        ([(0, 4), (2, 6)], ">>abcdef<<[1,2]gh"),
        ([(0, 8), (2, 3)], ">>abcdefgh<<[1,2]"),
        ([(0, 2), (2, 4)], ">>ab<<[1]>>cd<<[2]efgh"),
        ([(3, 3)], "abcdefgh"),
        ([(6, 99)], "abcdef>>gh<<[1]"),
        ([(50, 99)], "abcdefgh"),
    ],
)
def test_places_are_marked_and_numbered(places: list[tuple[int, int]], shown: str) -> None:
    assert marked("abcdefgh", [finding(start, end) for start, end in places], colour=False).plain == shown


def test_with_colour_a_place_is_red_and_has_no_signs() -> None:
    text = marked("abcdefgh", [finding(2, 4)], colour=True)
    assert text.plain == "abcd[1]efgh"
    assert [(span.start, span.end) for span in text.spans if "red" in str(span.style)] == [(2, 4)]


@given(st.text())
def test_what_is_shown_holds_no_control_character(text: str) -> None:
    shown = visible(text)
    assert all(char in "\n\t" or (ord(char) >= 0x20 and not 0x7F <= ord(char) < 0xA0) for char in shown)


# counting

EXIT_CODES = [
    (Status.RELIABLE, Action.PASS, 0),
    (Status.UNRELIABLE, Action.PASS, 0),
    (Status.UNRELIABLE, Action.FLAG, 0),
    (Status.UNKNOWN, Action.FLAG, 0),
    (Status.UNRELIABLE, Action.REGENERATE, 1),
    (Status.UNRELIABLE, Action.REPAIR, 1),
    (Status.UNRELIABLE, Action.FALLBACK, 1),
    (Status.UNRELIABLE, Action.BLOCK, 1),
    (Status.UNKNOWN, Action.BLOCK, 1),
    (Status.ERROR, Action.FLAG, 3),
    (Status.ERROR, Action.PASS, 3),
    (Status.ERROR, Action.BLOCK, 3),
]


@pytest.mark.parametrize(("status", "action", "code"), EXIT_CODES)
def test_each_kind_of_row_has_its_exit_code(status: Status, action: Action, code: int) -> None:
    assert exit_code(judged(status, action)) == code


def test_a_bad_row_has_exit_code_2() -> None:
    assert exit_code(BadRow(1, 1, "bad")) == 2


@given(st.lists(st.sampled_from([*[judged(s, a) for s, a, _ in EXIT_CODES], BadRow(1, 1, "bad")])))
def test_the_highest_code_applies_in_any_order(results: list[Judged | BadRow]) -> None:
    tally = Tally()
    for result in results:
        tally.add(result)
    assert tally.code == max(map(exit_code, results), default=0)
    assert tally.rows == len(results)


def test_the_table_counts_rows_that_were_not_sampled() -> None:
    tally = Tally()
    turn = Turn("a")
    tally.add(Judged(Row(1, 1, Check((), turn)), Outcome("id", Action.PASS, "a", turn, mode="unsampled")))
    console = terminal_console()
    with console.capture() as shown:
        console.print(summary(tally))
    assert "unsampled" in shown.get()


# the JSON object


@given(
    st.builds(
        Finding,
        start=st.integers(0, 9),
        end=st.integers(0, 9),
        text=st.text(max_size=9),
        kind=st.sampled_from(FindingKind),
        risk=st.none() | st.floats(0, 1),
        evidence=st.lists(st.builds(Evidence, st.text(max_size=9), st.just("tool")), max_size=2).map(tuple),
    ),
    st.booleans(),
)
def test_an_object_is_one_line_of_valid_json(found: Finding, ascii_only: bool) -> None:
    made = row_object("x", outcome(Status.UNRELIABLE, Action.BLOCK, found))
    line = dump(made, ascii_only=ascii_only)
    assert "\n" not in line
    assert json.loads(line) == made


def test_a_row_that_was_not_sampled_has_no_verdict() -> None:
    made = row_object(1, Outcome("id", Action.PASS, "a", Turn("a"), mode="unsampled"))
    assert made["verdict"] is None
