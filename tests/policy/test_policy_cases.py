"""Tests in a policy file: read strictly, told with their place, and no settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from guardrail.conversation import Evidence, Message, ToolCall
from guardrail.errors import PolicyError
from guardrail.policy.cases import Case, ChatMessage, Expected, RecordedVerdict
from guardrail.policy.loading import load, load_with_places
from guardrail.policy.model import Policy
from guardrail.policy.routing import RequestInfo

HEAD = "version: 1\ntests:\n  - name: one\n    "
ASKED = HEAD + "question: q\n    answers: a\n    expect: pass\n    "
REST = "\n    question: q\n    answers: a\n    expect: pass\n"
LIVE = (
    "version: 1\nverifiers: {main: {kind: chat, dialect: kluster}, local: {kind: embedded}}\n"
    "policies: {here: {verify: {with: local}}}\nroutes: [{match: {tags: [here]}, policy: here}]\n"
    "tests:\n  - {name: one, question: q, answers: a, expect: pass, verdicts: embedded, request: {tags: [TAG]}}\n"
)

WRONG = [
    (ASKED + "expects: pass\n", "7:5", "tests[0].expects: unknown key 'expects'; did you mean 'expect'?"),
    (HEAD + "question: q\n    answers: a\n", "3:5", "the key 'expect' is missing"),
    (HEAD + "question: q\n    expect: pass\n", "3:5", "the key 'answers' is missing"),
    (HEAD + "question: q\n    answers: []\n    expect: pass\n", "5:14", "is empty: write what the LLM says first"),
    (HEAD + "answers: a\n    expect: pass\n", "3:5", "has no conversation: add 'question', or 'messages'"),
    (ASKED + "messages: [{role: user, content: q}]\n", "4:15", "stands beside 'messages': keep one of them"),
    (ASKED + "verdicts: [relaible]\n", "7:16", "not 'relaible'; did you mean 'reliable'?"),
    (ASKED + "verdicts: [error]\n", "7:16", "an error has a cause: write it as {error: timeout}"),
    (ASKED + "verdicts: [{error: timeuot}]\n", "7:24", "not 'timeuot'; did you mean 'timeout'?"),
    (ASKED + "verdicts: [{risk: 0.4}]\n", "7:16", "needs either 'status' or 'error'"),
    (ASKED + "verdicts: [{status: reliable, error: timeout}]\n", "7:16", "needs either 'status' or 'error'"),
    (ASKED + "verdicts: [{status: unknown, risk: 0.4}]\n", "7:40", "goes with reliable and unreliable only"),
    (ASKED + "verdicts: [{status: reliable, cause: timeout}]\n", "7:42", "goes with unknown only"),
    (ASKED + "verdicts: [{status: reliable, risk: 2}]\n", "7:41", "must be 1 or less, not 2"),
    (ASKED + "verdicts: [{status: reliable, elapsed: 2}]\n", "7:44", "must be a duration with a unit"),
    (ASKED + "verdicts: [{status: unreliable, findings: [{txt: a}]}]\n", "7:49", "did you mean 'text'?"),
    (ASKED + "verdicts: embeded\n", "7:15", "must be a list of verdicts, or embedded, not 'embeded'"),
    (ASKED + "request: {modle: m}\n", "7:15", "unknown key 'modle'; did you mean 'model'?"),
    (ASKED + "context: [{body: b}]\n", "7:15", "the key 'text' is missing"),
    (HEAD + "question: q\n    answers: [{text: a, error: e}]\n    expect: pass\n", "5:32", "stands in the place of"),
    (HEAD + "question: q\n    answers: [{error: e}]\n    expect: pass\n", "5:23", "remove it from the first answer"),
    (HEAD + "question: q\n    answers: [{text: a, model: m}]\n    expect: pass\n", "5:32", "remove it from the first"),
    (HEAD + "question: q\n    answers: [3]\n    expect: pass\n", "5:15", "must be a mapping"),
    (HEAD + "question: q\n    answers: a\n    expect: pss\n", "6:13", "not 'pss'; did you mean 'pass'?"),
    (
        HEAD + "question: q\n    answers: a\n    expect: {}\n",
        "6:13",
        "expects nothing, and would pass whatever happens",
    ),
    (HEAD + "question: q\n    answers: a\n    expect: {text: {}}\n", "6:20", "says nothing: write the text"),
    (HEAD + "question: q\n    answers: a\n    expect: {attempts: 0}\n", "6:24", "must be 1 or more"),
    (
        HEAD + "question: q\n    answers: a\n    expect: {policy: defalt}\n",
        "6:22",
        "there is no policy 'defalt'; did you",
    ),
    (HEAD + "messages: [{rol: user}]\n    answers: a\n    expect: pass\n", "4:17", "did you mean 'role'?"),
    (HEAD + "messages: [{role: user}]\n    answers: a\n    expect: pass\n", "4:16", "the key 'content' is missing"),
    (
        HEAD
        + "messages: [{role: user, content: q}, {role: assistant, content: a}]\n    answers: a\n    expect: pass\n",
        "4:42",
        "is an answer already: write it under 'answers'",
    ),
    (
        HEAD + "messages: [{role: user, content: [{type: image_url}]}]\n    answers: a\n    expect: pass\n",
        "4:46",
        "must be one of text, not 'image_url'",
    ),
    (ASKED[:-4] + "  - name: one" + REST, "7:11", "there is a test 'one' already: call it something else"),
    (LIVE.replace("TAG", "other"), "6:66", "but the verifier 'main' is another one (chat): record its verdicts"),
]


@pytest.mark.parametrize(("text", "place", "told"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_in_a_test_is_told_with_its_place(tmp_path: Path, text: str, place: str, told: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(PolicyError) as caught:
        load(file, env={})
    assert f"{file}:{place}: " in str(caught.value)
    assert told in str(caught.value)


def test_the_embedded_verifier_may_be_asked_where_the_route_leads_to_it(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(LIVE.replace("TAG", "here"))
    assert load(file, env={}).tests[0].live


TEST = {"name": "one", "question": "q", "answers": "a", "expect": "pass"}


def test_tests_do_not_change_the_digest() -> None:
    bare, tested = load({"version": 1}), load({"version": 1, "tests": [TEST]})
    assert bare.digest == tested.digest
    assert "tests" not in tested.dump()
    assert load(tested.dump()) == tested.but(tests=()) == bare


def test_tests_are_not_inherited_and_not_even_read(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        'version: 1\npolicies: {default: {on_unknown: block}}\ntests: [{nmae: "${UNSET}"}]\n'
    )
    (tmp_path / "child.yaml").write_text("version: 1\nextends: base.yaml\n")
    child = load(tmp_path / "child.yaml", env={})
    assert child.tests == ()
    assert child.policies["default"].on_unknown[0].do == "block"
    assert load({"version": 1, "extends": str(tmp_path / "base.yaml")}, env={}) == child


def test_tests_in_a_file_of_their_own_are_of_the_policy_that_it_extends(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("version: 1\nextends: strict\n")
    (tmp_path / "tests.yaml").write_text("version: 1\nextends: base.yaml\ntests:\n  - name: one" + REST)
    assert load(tmp_path / "tests.yaml").digest == load("strict").digest


TOML = """
[tool.guardrail]
version = 1

[[tool.guardrail.tests]]
name = "one"
question = "q"
answers = "a"
expect = "pass"

[[tool.guardrail.tests]]
name = "two"
question = "q"
answers = ["a"]
expect = { action = "pass" }
"""


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("p.yaml", "version: 1\ntests:\n  - name: one" + REST + "  - name: two" + REST, [3, 7]),
        ("pyproject.toml", TOML, [5, 11]),
    ],
)
def test_every_format_holds_tests_and_tells_where_they_stand(
    tmp_path: Path, name: str, text: str, lines: list[int]
) -> None:
    file = tmp_path / name
    file.write_text(text)
    policy, places = load_with_places(file)
    assert [case.name for case in policy.tests] == ["one", "two"]
    assert [(place.file, place.line) for place in places] == [(str(file), line) for line in lines]


def test_a_preset_has_no_tests() -> None:
    assert load_with_places("strict") == (load("strict"), ())


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({"context": "c"}, {"context": [{"text": "c"}]}),
        ({"context": {"text": "c", "title": "t"}}, {"context": [{"text": "c", "title": "t"}]}),
        ({"answers": "a"}, {"answers": [{"text": "a"}]}),
        ({"verdicts": ["unreliable"]}, {"verdicts": [{"status": "unreliable"}]}),
        (
            {"verdicts": [{"status": "unreliable", "findings": "a"}]},
            {"verdicts": [{"status": "unreliable", "findings": [{"text": "a"}]}]},
        ),
        ({"expect": "flag"}, {"expect": {"action": "flag"}}),
        ({"expect": {"text": "a"}}, {"expect": {"text": {"exactly": "a"}}}),
        ({"expect": {"text": {"contains": "a"}}}, {"expect": {"text": {"contains": ["a"]}}}),
        ({"expect": {"notes": "a"}}, {"expect": {"notes": ["a"]}}),
    ],
)
def test_short_forms_mean_the_long_ones(short: dict[str, Any], long: dict[str, Any]) -> None:
    assert load({"version": 1, "tests": [TEST | short]}).tests == load({"version": 1, "tests": [TEST | long]}).tests


def test_what_is_written_becomes_the_library_s_own_values() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    case = Case(
        name="one",
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "Be short."}]},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "30 days"},
        ],
        context={"text": "c", "title": "t", "url": "u"},
        request={"model": "m", "tags": ["a"], "metadata": {"k": "v"}, "stream": True},
        answers=["a"],
        expect="pass",
    )
    assert case.conversation() == (
        Message("system", ("Be short.",)),
        Message("assistant", tool_calls=(ToolCall("c1", "search", "{}"),)),
        Message("tool", ("30 days",), tool_call_id="c1"),
    )
    assert [passage.value() for passage in case.context] == [Evidence("c", "caller", "t", "u")]
    info = case.request.value()
    assert info == RequestInfo("m", frozenset({"a"}), {"k": "v"}, True)


def test_mistakes_in_python_are_told_alike() -> None:
    for make in (lambda: Expected(), lambda: RecordedVerdict(), lambda: ChatMessage(role="user")):
        with pytest.raises(PolicyError):
            make()
    with pytest.raises(PolicyError, match="there is a test 'one' already"):
        Policy(tests=(Case(**TEST), Case(**TEST)))
