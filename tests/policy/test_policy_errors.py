"""Whatever is wrong with a policy file is told with its place, what is allowed, and how to mend it."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from guardrail.errors import PolicyError
from guardrail.policy.loading import load
from guardrail.policy.model import CustomSpec
from guardrail.verifiers.dialect_names import REFUSED

FULL = Path(__file__).with_name("full.yaml").read_text()
ENV = {"JUDGE_KEY": "key", "TEAM_TOKEN": "token"}
FREE = {"verifiers", "policies", "metadata", "headers", "options"}
"""Mappings whose keys are names that the user gives."""


def keys(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all keys that have a fixed name."""
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        if isinstance(data, dict) and not (path and path[-1] in FREE):
            yield (*path, key)
        yield from keys(value, (*path, key))


def misspelt(word: str) -> str:
    """``word`` with two letters changed round, or one more where that makes no other word."""
    return word[:1] + word[2] + word[1] + word[3:] if len(word) > 3 and word[1] != word[2] else word + "s"


def written(path: tuple[Any, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


PATHS = [path for path in keys(yaml.safe_load(FULL)) if path[-1] != "version"]


def with_key_renamed(path: tuple[Any, ...], name: str) -> dict[str, Any]:
    data: dict[str, Any] = copy.deepcopy(yaml.safe_load(FULL))
    at: Any = data
    for part in path[:-1]:
        at = at[part]
    renamed = {name if key == path[-1] else key: value for key, value in at.items()}
    at.clear()
    at.update(renamed)
    return data


@pytest.mark.parametrize("path", PATHS, ids=written)
@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_a_misspelt_key_is_told_with_its_place_and_the_right_one(tmp_path: Path, path: Any, suffix: str) -> None:
    name = misspelt(path[-1])
    data = with_key_renamed(path, name)
    file = tmp_path / f"policy{suffix}"
    text = json.dumps(data, indent=2) if suffix == ".json" else yaml.safe_dump(data, sort_keys=False)
    file.write_text(text)
    told = re.escape(f"{written((*path[:-1], name))}: unknown key {name!r}; did you mean {path[-1]!r}?")
    with pytest.raises(PolicyError) as caught:
        load(file, env=ENV)
    places = re.findall(rf"{re.escape(str(file))}:(\d+):(\d+): {told}", str(caught.value))
    if path[-1] == "kind" and path[0] == "verifiers":
        # Without its kind nothing else can be said of a verifier.
        assert f"{written(path[:-1])}: the key 'kind' is missing" in str(caught.value)
        assert f"or is {name!r} meant to be it?" in str(caught.value)
        return
    ((line, column),) = places
    assert text.splitlines()[int(line) - 1][int(column) - 1 :].lstrip('"').startswith(name)


def test_the_walk_reaches_every_part() -> None:
    assert {"stop", "jitter", "chosen_on", "keep", "tags", "retry_after_max", "increment"} <= {p[-1] for p in PATHS}
    assert len(PATHS) > 80


@pytest.mark.parametrize(
    "cause", ["timeuot", "rate_limitted", "no_evidance"],
)  # fmt: skip
def test_a_misspelt_cause_is_told(tmp_path: Path, cause: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f"version: 1\npolicies:\n  default:\n    on_error: {{{cause}: flag}}\n")
    with pytest.raises(
        PolicyError, match=f"p.yaml:4:16: policies.default.on_error.{cause}: unknown key .* did you mean"
    ):
        load(file)


DEFAULT = "version: 1\npolicies:\n  default:\n    "
TWO = "version: 1\nverifiers:\n  local: {kind: embedded}\n  judge: {kind: chat, dialect: kluster}\n"
DEDICATED = "version: 1\nverifiers:\n  main:\n    kind: dedicated\n    "
CASCADE = TWO + "  main: {kind: cascade, first: local, then: judge, "
PANEL = TWO + "  main: {kind: panel, "
CUSTOM = "version: 1\nverifiers:\n  main: {kind: custom"
CHAT = "version: 1\nverifiers:\n  main:\n    kind: chat\n    dialect: kluster\n    "

WRONG: list[tuple[str, str, str]] = [
    # the whole file
    ("", "1:1", "is empty: the smallest policy is 'version: 1'"),
    ("# nothing\n", "1:1", "is empty"),
    ("[]\n", "1:1", "must be a mapping"),
    ("just words\n", "1:1", "must be a mapping"),
    ("policies: {}\n", "1:1", "version: 1"),
    ("version: 2\n", "1:10", "reads version 1 only"),
    ("version: '1'\n", "1:10", "reads version 1 only"),
    ("version: 1.0\n", "1:10", "reads version 1 only"),
    ("version: true\n", "1:10", "reads version 1 only"),
    ("version:\n", "1:9", "has no value"),
    ("version: 1\npolicy: strict\n", "2:1", "unknown key 'policy'; did you mean 'policies'?"),
    ("version: 1\nzzz: 1\n", "2:1", "allowed here: extends, version, verifiers, policies, routes, tests"),
    ("version: 1\nversion: 1\n", "2:1", "stands here twice, first in line 1"),
    ("version: 1\npolicies: {default: {mode: shadow\n", "3:1", "is not valid YAML"),
    ("version: 1\n\tmode: x\n", "2:1", "is not valid YAML"),
    ("version: 1\n---\nversion: 1\n", "2:1", "single document"),
    ("version: 1\npolicies: !!python/object:os.system {}\n", "2:11", "is not allowed: a policy is plain data"),
    ("version: 1\nx: &x\n  y: *x\n", "2:4", "holds itself"),
    ("version: 1\nx: *y\n", "2:4", "undefined alias"),
    ("version: 1\n? [a]\n: 1\n", "2:3", "a key must be one word"),
    ("version: 1\npolicies: &p {}\nx:\n  <<: *p\n", "4:3", "merge keys are not read"),
    ("version: 1\nmodel: \x07\n", "2:8", "a character that YAML does not allow"),
    ("version: 1\npolicies: " + "[" * 3000 + "\n", "", "nested too deeply"),
    # types
    ("version: 1\npolicies: []\n", "2:11", "must be a mapping of names"),
    ("version: 1\nverifiers: embedded\n", "2:12", "must be a mapping of names"),
    ("version: 1\nverifiers:\n  main: embedded\n", "3:9", "must be a mapping such as {kind: embedded}, not 'embedded'"),
    ("version: 1\nroutes: {match: {}}\n", "2:9", "must be a list"),
    ("version: 1\nroutes:\n  - balanced\n", "3:5", "must be a mapping"),
    (DEFAULT + "verify: main\n", "4:13", "must be a mapping"),
    (DEFAULT + "sample: yes\n", "4:13", "must be a number, not 'yes'"),
    (DEFAULT + "sample: true\n", "4:13", "must be a number"),
    (DEFAULT + "sample: 1.5\n", "4:13", "must be 1 or less, not 1.5"),
    (DEFAULT + "sample: .nan\n", "4:13", "must be a"),
    (DEFAULT + "mode: shadwo\n", "4:11", "must be one of enforce, shadow, not 'shadwo'; did you mean 'shadow'?"),
    (DEFAULT + "on_block: rise\n", "4:15", "must be one of answer, raise, not 'rise'; did you mean 'raise'?"),
    (DEFAULT + "messages: {blocked: ''}\n", "4:25", "must not be empty"),
    (DEFAULT + "messages: {blocked: 3}\n", "4:25", "must be text: put it in quotes, not 3"),
    (DEFAULT + "messages:\n", "4:14", "has no value"),
    (DEFAULT + "verify: {threshold: 1.2}\n", "4:25", "must be 1 or less, not 1.2"),
    (DEFAULT + "verify: {history: {max_tokens: 24k}}\n", "4:36", "must be a whole number, not '24k'"),
    (DEFAULT + "verify: {history: {keep: []}}\n", "4:23", "the key 'max_tokens' is missing"),
    (DEFAULT + "verify: {history: {max_tokens: 9, keep: [user]}}\n", "4:46", "must be one of system, last_user, evidence"),
    # durations
    (DEFAULT + "budget: {added: 60}\n", "4:21", "must be a duration with a unit, such as 8s, 250ms, 2m or 1h, not 60"),
    (DEFAULT + "budget: {added: 60sec}\n", "4:21", "must be a duration with a unit"),
    (DEFAULT + "budget: {added: 0s}\n", "4:21", "must be more than 0"),
    (DEFAULT + "budget: {added: 1:30}\n", "4:21", "must be a duration with a unit, such as 8s, 250ms, 2m or 1h, not '1:30'"),
    (DEFAULT + "budget: {added: }\n", "4:20", "'none' says that there is none"),
    (DEFAULT + "budget: {added: 9999999h}\n", "4:21", "a year, or less"),
    # actions
    (DEFAULT + "on_unknown: flg\n", "4:17", "must be one of pass, flag, regenerate, repair, fallback, block, not 'flg'; did you mean 'flag'?"),
    (DEFAULT + "on_unknown: no\n", "4:17", "(pass lets the answer through, flag has it reported as well), not 'no'"),
    (DEFAULT + "on_error: off\n", "4:15", "(pass lets the answer through"),
    (DEFAULT + "on_error: {timeout: off}\n", "4:25", "(pass lets the answer through"),
    (DEFAULT + "on_error: false\n", "4:15", "(pass lets the answer through"),
    (DEFAULT + "on_unknown: []\n", "4:17", "at least one step"),
    (DEFAULT + "on_unknown: 3\n", "4:17", "must be a mapping"),
    (DEFAULT + "on_unreliable: {stop: {after_attempt: 2}}\n", "4:20", "the key 'do' is missing"),
    (DEFAULT + "on_unreliable: [flag, block]\n", "4:27", "is never reached: 'flag' before it ends the list"),
    (DEFAULT + "on_unreliable: [repair, block]\n", "4:29", "is never reached: 'repair' before it ends the list"),
    (DEFAULT + "on_unreliable: {do: repair, how: rewrite}\n", "4:38", "must be one of delete"),
    (DEFAULT + "on_unreliable: {do: flag, how: delete}\n", "4:36", "goes with repair only, not with flag"),
    (DEFAULT + "on_unreliable: fallback\n", "4:20", "fallback needs the model"),
    (DEFAULT + "on_unreliable: {do: flag, model: x}\n", "4:38", "goes with fallback only, not with flag: remove it"),
    (DEFAULT + "on_unreliable: {do: block, stop: {after_attempt: 2}}\n", "4:38", "goes with regenerate and fallback only"),
    (DEFAULT + "on_unreliable: {do: fallback, model: x, feedback: y}\n", "4:55", "goes with regenerate only"),
    (DEFAULT + "on_unreliable: {do: regenerate, feedback: '{finding}'}\n", "4:47", "knows only the placeholder {findings}"),
    (DEFAULT + "on_unreliable: {do: regenerate, stop: {never: {}}}\n", "4:44", "a loop must end"),
    (DEFAULT + "on_unreliable: {do: regenerate, stop: {}}\n", "4:43", "a loop must end"),
    (DEFAULT + "on_unreliable: {do: regenerate, stop: {after_attempt: 1}}\n", "4:59", "write 2 for one more"),
    (DEFAULT + "on_unreliable: {do: regenerate, wait: {fixed: 1}}\n", "4:51", "must be a duration with a unit"),
    (DEFAULT + "stream: {mode: sentences}\n", "4:20", "must be one of sentence, whole, optimistic, not 'sentences'"),
    (DEFAULT + "stream: {in_flight: 0}\n", "4:25", "1 or more"),
    (DEFAULT + "stream: {hold: {time: 8}}\n", "4:27", "must be a duration with a unit"),
    # verifiers
    ("version: 1\nverifiers:\n  main: {kind: embeded}\n", "3:16", "must be one of embedded, chat, dedicated, cascade, panel, consistency, knowledge, custom, not 'embeded'; did you mean 'embedded'?"),
    ("version: 1\nverifiers:\n  other: {threads: 2}\n", "3:10", "the key 'kind' is missing: add one of embedded, chat"),
    ("version: 1\nverifiers:\n  main: {kind: chat}\n", "3:9", "the key 'dialect' is missing"),
    ("version: 1\nverifiers:\n  main: {kind: chat, dialect: structured, model: x}\n", "3:9", "verifiers.main: the key 'base_url' is missing"),
    ("version: 1\nverifiers:\n  main: {dialect: lynx}\n", "3:9", "'kind' is missing: add one of embedded, chat, dedicated, cascade, panel, consistency, knowledge, custom"),
    ("version: 1\nverifiers:\n  main: {kind: chat, dialect: lynx, base_url: 'http://j/v1'}\n", "3:9", "the key 'model' is missing"),
    ("version: 1\nverifiers:\n  main: {kind: chat, dialect: minichek, model: x}\n", "3:31", "did you mean 'minicheck'?"),
    *[
        (f"version: 1\nverifiers:\n  main: {{kind: chat, dialect: {name}}}\n", "3:31", f"the dialect '{name}' is refused: it {why}")
        for name, why in REFUSED.items()
    ],
    ("version: 1\nverifiers:\n  main: {kind: embedded, threads: 0}\n", "3:35", "must be 1 or more, not 0"),
    ("version: 1\nverifiers:\n  none: {kind: embedded}\n", "3:9", "is no name for a verifier"),
    (CHAT + "base_url: example.com\n", "6:15", "must be a URL such as"),
    (CHAT + "base_url: http://[\n", "6:15", "must be a URL such as"),
    (CHAT + "base_url: http://a:99999\n", "6:15", "must be a URL such as"),
    (CHAT + "base_url: https://me:pass@example.com\n", "6:15", "must not hold a user or password"),
    (CHAT + "base_url: https://example.com/v1?api-version=1&api-key=abc\n", "6:15", "must not hold a key in its query"),
    (CHAT + "retry: {stop: {after_delay: 5s}, wait: none}\n", "6:19", "as fast as it can"),
    (CHAT + "timeout: 0s\n", "6:14", "must be more than 0"),
    (CHAT + "headers: {'a b': x}\n", "6:22", "is not the name of an HTTP header"),
    (CHAT + 'headers: {X-Team: "a\\nb"}\n', "6:23", "printable text on one line"),
    (CHAT + "headers: {X-Team: 3}\n", "6:23", "must be text"),
    (CHAT + "headers: {X-Team: 'a-${TEAM}'}\n", "6:23", "one reference such as"),
    ("version: 1\nverifiers:\n  main: {kind: chat, dialect: []}\n", "3:31", "must be one of"),
    # verifiers of other kinds
    (DEDICATED + "search: yes\n", "5:13", "must be true or false, not 'yes'"),
    (DEDICATED + "search: 1\n", "5:13", "must be true or false, not 1"),
    (DEDICATED + "body: text\n", "5:11", "must be one of prompt, messages, not 'text'"),
    (DEDICATED + "api_key: sk-1\n", "5:14", "must be a reference to an environment variable"),
    (CASCADE + "between: 0.5}\n", "5:61", "must be two risks, such as [0.3, 0.7]"),
    (CASCADE + "between: [0.3]}\n", "5:61", "must be two risks, such as [0.3, 0.7]"),
    (CASCADE + "between: [0.7, 0.3]}\n", "5:61", "must be the lower risk and then the higher one: [0.3, 0.7]"),
    (CASCADE + "between: [0.3, 1.3]}\n", "5:67", "must be 1 or less, not 1.3"),
    (CASCADE + "between: [0.7, 0.9]}\n", "5:61", "leaves out the threshold of policies.default, 0."),
    (CASCADE.replace("then: judge", "then: local") + "between: [0.3, 0.7]}\n", "5:45", "asks 'local' twice: name another verifier"),
    (CASCADE.replace("first: local, ", "") + "between: [0.3, 0.7]}\n", "5:9", "the key 'first' is missing: add it"),
    (PANEL + "members: [local, judge]}\n", "5:9", "the key 'combine' is missing: add it"),
    ("version: 1\nverifiers:\n  main: {kind: consistency, samples: 0}\n", "3:38", "must be 1 or more, not 0"),
    ("version: 1\nverifiers:\n  main: {kind: consistency, samples: 21}\n", "3:38", "must be 20 or less, not 21"),
    ("version: 1\nverifiers:\n  main: {kind: consistency, temperature: 0}\n", "3:42", "must be more than 0, not 0"),
    ("version: 1\nverifiers:\n  main: {kind: consistency, logprobs: yes}\n", "3:39", "must be a number, not 'yes'"),
    ("version: 1\nverifiers:\n  main: {kind: consistency, verifier: lokal}\n", "3:39", "there is no verifier 'lokal'"),
    ("version: 1\nverifiers:\n  embedded: {kind: consistency}\n", "3:13", "goes round in a circle: embedded -> embedded"),
    ("version: 1\nverifiers:\n  main: {kind: knowledge}\n", "3:9", "the key 'index' is missing: add it"),
    ("version: 1\nverifiers:\n  main: {kind: knowledge, index: none.index, top: 0}\n", "3:51", "must be 1 or more, not 0"),
    ("version: 1\nverifiers:\n  main: {kind: knowledge, index: i, verifier: main}\n", "3:47", "goes round in a circle: main -> main"),
    (PANEL + "members: [local], combine: any}\n", "5:32", "needs at least two verifiers"),
    (PANEL + "members: local, combine: any}\n", "5:32", "must be a list, not 'local'"),
    (PANEL + "members: [local, judge, local], combine: any}\n", "5:47", "is a member already: 'local' has one voice"),
    (PANEL + "members: [local, judge], combine: most}\n", "5:57", "must be one of any, all, mean, not 'most'"),
    (CUSTOM + "}\n", "3:9", "the key 'name' is missing: add it"),
    (CUSTOM + ", name: 'pkg.mod:Judge'}\n", "3:30", "is code, and a policy is data. Declare it in the group"),
    (CUSTOM + ", name: judge.py}\n", "3:30", "guardrail.verifier('package.module:Class')"),
    (CUSTOM + ", name: x, class: y}\n", "3:33", "unknown key 'class'"),
    (CUSTOM + ", name: x, options: 3}\n", "3:42", "must be a mapping of names to values"),
    (CUSTOM + ", name: x, options: {api_key: sk-1}}\n", "3:52", "must be a reference to an environment variable, such as ${TOKEN}"),
    (CUSTOM + ", name: x, options: {a: [1, {b: 'x${Y}'}]}}\n", "3:54", "must be plain text, or one reference"),
    # names that lead nowhere
    (CASCADE + "between: [0.3, 0.7], fallback: jugde}\n", "5:83", "there is no verifier 'jugde'; did you mean 'judge'?"),
    (CASCADE.replace("first: local", "first: lokal") + "between: [0.3, 0.7]}\n", "5:32", "there is no verifier 'lokal'; did you mean 'local'?"),
    (PANEL + "members: [local, jugde], combine: any}\n", "5:40", "there is no verifier 'jugde'; did you mean 'judge'?"),
    (CASCADE.replace("first: local", "first: main") + "between: [0.3, 0.7]}\n", "5:32", "goes round in a circle: main -> main"),
    (PANEL + "members: [local, main], combine: any}\n", "5:40", "goes round in a circle: main -> main"),
    (DEFAULT + "verify: {with: mian}\n", "4:20", "there is no verifier 'mian'; did you mean 'main'?"),
    (CHAT + "fallback: lokal\n", "6:15", "there is no verifier 'lokal'; there are main"),
    (CHAT + "fallback: main\n", "6:15", "goes round in a circle: main -> main"),
    ("version: 1\nroutes:\n  - {match: {}, policy: defualt}\n", "3:25", "there is no policy 'defualt'; did you mean 'default'?"),
    ("version: 1\nroutes:\n  - {policy: default}\n  - {policy: default}\n", "4:5", "is never reached"),
    ("version: 1\nroutes:\n  - {match: {model: x}}\n", "3:5", "the key 'policy' is missing"),
    ("version: 1\nroutes:\n  - {match: {metadata: {beta: true}}, policy: default}\n", "3:31", "must be text: put it in quotes"),
    # extends
    ("version: 1\nextends: strickt\n", "2:10", "no such file or preset; did you mean 'strict'?"),
    ("version: 1\nextends: [strict, other.yaml]\n", "2:19", "other.yaml: there is no such file"),
    ("version: 1\nextends: {a: b}\n", "2:10", "must be the name of a preset, a path, or a list"),
    ("version: 1\nextends: wrong.yaml\n", "2:10", "extend each other in a circle: wrong.yaml -> wrong.yaml"),
    # the environment
    (DEFAULT + "mode: ${MODE}\n", "4:11", "the environment variable MODE is not set: set it, or write ${MODE:-default}"),
    (DEFAULT + "mode: ${EMPTY}\n", "4:11", "the environment variable EMPTY is not set"),
    (DEFAULT + "mode: ${MODE\n", "4:11", "'${' must begin a reference"),
    (DEFAULT + "mode: ${1}\n", "4:11", "a plain one is written '$${'"),
]  # fmt: skip
# ruff: noqa: E501 (a row of a table is one line)


@pytest.mark.parametrize(("text", "place", "words"), WRONG)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(PolicyError) as caught:
        load(file, env={"EMPTY": ""})
    assert str(caught.value).startswith(f"{file}:{place}: " if place else f"{file}: ")
    assert words in str(caught.value)
    assert str(caught.value.file) == str(file)


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("version: 1\npolicies:\n  default: {mode: shadwo, smaple: 1, budget: {added: 5}}\nrotes: []\n")
    with pytest.raises(PolicyError) as caught:
        load(file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith(f"{file}:") for line in lines)
    assert (caught.value.line, caught.value.column) == (3, 19)


def test_an_error_in_a_file_that_is_extended_has_its_place_there(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("version: 1\npolicies: {default: {mod: shadow}}\n")
    (tmp_path / "mine.yaml").write_text("version: 1\nextends: base.yaml\npolicies: {default: {sample: 1}}\n")
    with pytest.raises(PolicyError, match=r"base\.yaml:2:22: policies\.default\.mod: unknown key"):
        load(tmp_path / "mine.yaml")


def test_files_that_extend_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.yaml").write_text(f"version: 1\nextends: {other}.yaml\n")
    with pytest.raises(PolicyError, match=r"c\.yaml:2:10: .*circle: a\.yaml -> b\.yaml -> c\.yaml -> a\.yaml"):
        load(tmp_path / "a.yaml")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x", None])
def test_options_are_plain_data(value: object) -> None:
    with pytest.raises(PolicyError, match=r"options\.a(\[1\])?: (must be|has no value)"):
        load({"version": 1, "verifiers": {"main": {"kind": "custom", "name": "x", "options": {"a": value}}}})
    with pytest.raises(PolicyError, match=r"^options\.a\[1\]: must be"):
        CustomSpec(name="x", options={"a": [0, value]})


def test_names_that_lead_back_are_refused_whatever_the_kind(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "version: 1\nverifiers:\n  local: {kind: embedded}\n"
        "  a: {kind: panel, members: [local, b], combine: any}\n"
        "  b: {kind: cascade, first: local, then: c, between: [0, 1]}\n"
        "  c: {kind: custom, name: x, fallback: a}\n"
        "  d: {kind: panel, members: [a, local], combine: any}\n"
    )
    with pytest.raises(PolicyError) as caught:
        load(file)
    assert [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()] == [
        "4:37: verifiers.a.members[1]: goes round in a circle: a -> b -> c -> a",
        "5:42: verifiers.b.then: goes round in a circle: b -> c -> a -> b",
        "6:40: verifiers.c.fallback: goes round in a circle: c -> a -> b -> c",
    ]


def test_verifiers_may_share_others(tmp_path: Path) -> None:
    load(
        {
            "version": 1,
            "verifiers": {
                "local": {"kind": "embedded"},
                "judge": {"kind": "chat", "dialect": "kluster", "fallback": "local"},
                "main": {"kind": "cascade", "first": "local", "then": "judge", "between": [0.3, 0.7]},
                "all": {"kind": "panel", "members": ["main", "judge"], "combine": "all", "fallback": "local"},
            },
        }
    )


def test_a_fallback_that_comes_back_is_refused() -> None:
    chat = {"kind": "chat", "dialect": "kluster"}
    verifiers = {"a": {**chat, "fallback": "b"}, "b": {**chat, "fallback": "a"}, "c": {**chat, "fallback": "a"}}
    with pytest.raises(PolicyError, match="a -> b -> a") as caught:
        load({"version": 1, "verifiers": verifiers})
    assert "verifiers.c" not in str(caught.value)


OTHER_FORMATS = [
    ("p.json", '{"version": 1,\n "policies": {"default": {"mod": "x"}}}', r"p\.json:2:27: policies\.default\.mod: unknown"),
    ("p.json", '{"version": 1,\n\t"policies": {"default": {"mode": "x"}}}', r"p\.json:2:35: policies\.default\.mode: must"),
    ("p.json", '{"version": 1,}', r"p\.json:1:1[45]: is not valid JSON"),
    ("p.json", '{"version": 1, "version": 1}', r"p\.json:1:16: version: stands here twice"),
    ("p.json", "", r"p\.json:1:1: is empty"),
    ("p.json", "null", r"p\.json:1:1: is empty"),
    ("p.json", '{"version": 1, "routes": null}', r"p\.json:1:26: routes: has no value"),
    ("p.toml", "version = 1\n[policies.default]\nmod = 'x'\n", r"p\.toml:3:1: policies\.default\.mod: unknown"),
    ("p.toml", "version = 1\n[policies.default]\nmode =   'x'\n", r"p\.toml:3:10: policies\.default\.mode: must be one of"),
    ("p.toml", "version = 1\n[[routes]]\npolicy = 'x'\n", r"p\.toml:3:10: routes\[0\]\.policy: there is no policy"),
    ("p.toml", "version = 1\nversion = 1\n", r"p\.toml:2:\d+: is not valid TOML"),
    ("p.toml", "version = \n", r"p\.toml:1:11: is not valid TOML"),
    ("p.toml", "version = 1\nextends = 2026-01-01\n", r"p\.toml:2:11: extends: must be the name"),
    ("p.toml", "", r"p\.toml:1:1: is empty"),
    ("pyproject.toml", "[project]\nname = 'x'\n", r"pyproject\.toml: has no \[tool\.guardrail\]: add one"),
    ("pyproject.toml", "[tool.guardrail]\n", r"pyproject\.toml:1:7: is empty"),
    ("pyproject.toml", "[tool.guardrail]\nversion = 1\nmode = 'x'\n", r"pyproject\.toml:3:1: mode: unknown key"),
    ("p.txt", "version: 1", r"p\.txt: cannot tell the format: the name must end in one of \.yaml"),
    ("p.yaml", b"version: 1 # \xff", r"p\.yaml: is not UTF-8 text \(byte 14\)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "told"), OTHER_FORMATS)
def test_json_and_toml_tell_places_too(tmp_path: Path, name: str, content: str | bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PolicyError, match=told):
        load(tmp_path / name)


def test_a_file_that_is_not_there_is_told_with_the_presets(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.yaml: there is no such file or preset; the presets are observe"):
        load(tmp_path / "nowhere.yaml")
    with pytest.raises(PolicyError, match="did you mean 'balanced'"):
        load("balance")
    with pytest.raises(PolicyError, match="is not a file"):
        load(tmp_path)


@pytest.mark.parametrize("source", [3, ["strict"]])
def test_what_is_no_policy_at_all_is_refused_by_its_type(source: Any) -> None:
    with pytest.raises(PolicyError, match=rf"a policy is a preset's name, .*; this is a {type(source).__name__}"):
        load(source)


def test_a_mapping_is_read_as_a_file_would_be() -> None:
    with pytest.raises(PolicyError, match=r"^policies\.default\.budget\.added: must be a duration"):
        load({"version": 1, "policies": {"default": {"budget": {"added": 8}}}})
    with pytest.raises(
        PolicyError, match=r"^policies\.default\.verify\.with_: unknown key 'with_'; did you mean 'with'\?"
    ):
        load({"version": 1, "policies": {"default": {"verify": {"with_": "main"}}}})


def test_a_short_text_that_would_grow_without_end_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (tmp_path / "p.yaml").write_text("\n".join(lines))
    with pytest.raises(PolicyError, match="too large"):
        load(tmp_path / "p.yaml")


words = st.sampled_from(
    ["flag", "none", "no", "main", "", "8s", "${X}", "{findings}", "kluster", "chat", "\ud800", "~"]
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.floats(), words)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2), max_leaves=4
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(PATHS), value=anything)
@example(path=("policies", "default", "on_error"), value={"do": None})
def test_whatever_stands_there_is_read_or_refused_with_a_policy_error(path: tuple[Any, ...], value: Any) -> None:
    data = copy.deepcopy(yaml.safe_load(FULL))
    at = data
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    with contextlib.suppress(PolicyError):
        loaded = load(data, env=ENV)
        assert load(loaded.dump()) == loaded.but(tests=())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(FULL)), st.integers(0, 4), st.text(alphabet="{}[]:,-'\"&*!%#\n\t x", max_size=4))
def test_a_broken_text_is_read_or_refused_with_a_policy_error(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int, put: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "broken.yaml"
    file.write_text(FULL[:start] + put + FULL[start + length :])
    with contextlib.suppress(PolicyError):
        assert load(file, env=ENV).version == 1
