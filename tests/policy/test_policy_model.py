"""The model in Python: presets, digest, dump, and errors like those of files."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.action import Action
from guardrail.errors import PolicyError
from guardrail.policy import load
from guardrail.policy.model import (
    EMBEDDED_THRESHOLD,
    Budget,
    ChatSpec,
    EmbeddedSpec,
    ExponentialJitter,
    History,
    Match,
    Messages,
    Policy,
    Retry,
    Route,
    Rules,
    SecretRef,
    Step,
    Stop,
    Threshold,
    Verify,
    Wait,
    steps,
)
from guardrail.policy.presets import PRESETS, preset, rules
from guardrail.verdict import Cause
from guardrail.verifiers.dialect_names import DialectName

FULL = yaml.safe_load(Path(__file__).with_name("full.yaml").read_text())
ENV = {"JUDGE_KEY": "key", "TEAM_TOKEN": "token"}

FLAG, BLOCK = Step(do=Action.FLAG), Step(do=Action.BLOCK)


def again(attempts: int) -> Step:
    return Step(do=Action.REGENERATE, stop=Stop(after_attempt=attempts), wait=Wait())


TABLE = [
    ("observe", (FLAG,), (FLAG,), (FLAG,)),
    ("balanced", (again(2), FLAG), (FLAG,), (FLAG,)),
    ("strict", (again(3), BLOCK), (BLOCK,), (BLOCK,)),
]


@pytest.mark.parametrize(("name", "unreliable", "unknown", "error"), TABLE)
def test_the_presets_are_as_the_table_says(name: str, unreliable: Any, unknown: Any, error: Any) -> None:
    found = rules(name)
    assert (found.on_unreliable, found.on_unknown, found.on_error) == (unreliable, unknown, {"default": error})
    assert found.verify == Verify(with_="main", threshold=EMBEDDED_THRESHOLD)
    assert found.budget == Budget(added=60.0, total=None)
    assert (found.mode, found.sample, found.on_block, found.stream.mode) == ("enforce", 1.0, "answer", "sentence")


def test_the_presets_differ_and_there_are_no_others() -> None:
    assert len({preset(name).digest for name in PRESETS}) == 3
    with pytest.raises(PolicyError, match=r"there is no preset 'strictt'; did you mean 'strict'\?"):
        preset("strictt")


def test_python_may_be_as_short_as_a_file() -> None:
    policy = Policy(policies={"default": Rules(on_unknown="block", on_error={"timeout": "pass"})})
    rules = policy.policies["default"]
    assert rules.on_unknown == steps("block") == (BLOCK,)
    assert rules.on_error == {Cause.TIMEOUT: steps("pass"), "default": steps("flag")}
    assert rules.on_unreliable == preset("balanced").policies["default"].on_unreliable
    assert policy.verifiers == {"main": EmbeddedSpec()}


def test_a_changed_copy_is_checked_too() -> None:
    assert Rules().but(sample=0.5).sample == 0.5
    assert preset("strict").policies["default"].but(mode="shadow").on_unknown == (BLOCK,)
    with pytest.raises(PolicyError, match="sample: must be 1 or less, not 2"):
        Rules().but(sample=2)


def test_a_mistake_in_python_is_told_with_its_key() -> None:
    with pytest.raises(PolicyError, match=r"^on_unknwon: unknown key 'on_unknwon'; did you mean 'on_unknown'\?$"):
        Rules(on_unknwon="flag")  # type: ignore[call-arg]
    with pytest.raises(
        PolicyError, match=r"^policies\.default\.budget\.aded: unknown key 'aded'; did you mean 'added'\?$"
    ):
        Policy(policies={"default": {"budget": {"aded": 1}}})  # type: ignore[dict-item]
    with pytest.raises(PolicyError, match=r"^policies\.default\.verify\.with: there is no verifier 'mian'"):
        Policy(policies={"default": Rules(verify=Verify(with_="mian"))})
    with pytest.raises(PolicyError, match=r"^Stop: a loop must end"):
        Stop()


def test_a_policy_cannot_be_changed() -> None:
    policy = Policy()
    with pytest.raises(Exception, match="frozen"):
        policy.routes = ()


# digest


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))
        elif key not in ("version", "extends", "kind"):
            yield (*path, key)


OTHER: dict[Any, Any] = {
    "none": "8s", "flag": "block", "block": "pass", "regenerate": "pass", "answer": "raise", "enforce": "shadow",
    "kluster": "structured", "system": "evidence", "last_user": "evidence", False: True,
    "local": "none", "main": "local", "closed_book": "none", "embedded": "spare", "spare": "none",
    "messages": "prompt", "any": "all", "${TEAM_TOKEN}": "${JUDGE_KEY}",
    "${JUDGE_KEY}": "${OTHER_KEY}", "Bearer ${TEAM_TOKEN}": "Bearer ${OTHER}", "https://judge.example.com/v1": "https://other.example.com",
}  # fmt: skip


def changed(path: tuple[Any, ...], value: Any) -> Any:
    if path[-1] == "do":
        return {"regenerate": "fallback", "fallback": "regenerate"}[value]
    if path[-2] == "checks":
        return "names"
    if path[-1] == "policy":
        return "other"
    if path[-1] in ("first", "then") or path[-2] == "members":
        return "own"
    if value is True:
        return False
    if (value in OTHER and not (value is False or value == 0)) or value is False:
        return OTHER[value]
    if isinstance(value, str) and value[-1:] in "sm" and value[:1].isdigit():
        return "1900ms" if path[-1] != "min" else "1ms"
    return value / 2 if isinstance(value, float) or value == 1 else value + 1 if isinstance(value, int) else value + "x"


LEAVES = [path for path in leaves(FULL) if path[-1] != "do" and path[-2:] != ("stream", "mode") and path[0] != "tests"]


@pytest.mark.parametrize("path", LEAVES, ids=str)
def test_any_setting_changes_the_digest(path: tuple[Any, ...]) -> None:
    data = copy.deepcopy(FULL)
    data["policies"]["other"] = {}
    before = load(data, env=ENV)
    at = data
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = changed(path, at[path[-1]])
    after = load(data, env=ENV)
    assert after != before
    assert after.digest != before.digest


def shuffled(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: shuffled(data[key]) for key in reversed(data)}
    return [shuffled(item) for item in data] if isinstance(data, list) else data


def test_the_order_of_keys_does_not_change_the_digest() -> None:
    assert load(shuffled(FULL), env=ENV).digest == load(FULL, env=ENV).digest


def test_a_digest_is_short_and_the_same_in_every_process() -> None:
    code = "from guardrail.policy import preset; print(preset('strict').digest)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert found == preset("strict").digest
    assert len(found) == 16
    assert int(found, 16) >= 0


def test_a_dump_says_every_setting_as_a_file_would() -> None:
    dumped = preset("balanced").dump()
    assert dumped["policies"]["default"]["budget"] == {"added": "1m", "total": "none"}
    assert dumped["policies"]["default"]["on_unreliable"][0] == {
        "do": "regenerate",
        "stop": {"after_attempt": 2},
        "wait": {"none": {}},
    }
    assert json.loads(json.dumps(dumped)) == dumped


# round trip

names = st.text(alphabet="abcxyz-_.${}: 0", min_size=1, max_size=6).filter(lambda name: name != "none")
texts = st.text(max_size=12)
seconds = st.floats(0.001, 10_000)
waits = st.one_of(
    st.just(Wait()),
    seconds.map(lambda s: Wait(fixed=s)),
    seconds.map(lambda s: Wait(exponential_jitter=ExponentialJitter(max=s, multiplier=s))),
    st.lists(seconds.map(lambda s: Wait(fixed=s)), min_size=1, max_size=2).map(lambda w: Wait(chain=tuple(w))),
)
stops = st.one_of(
    st.integers(2, 9).map(lambda n: Stop(after_attempt=n)),
    st.tuples(seconds, st.integers(2, 5)).map(lambda v: Stop(any=(Stop(after_delay=v[0]), Stop(after_attempt=v[1])))),
)
tries = st.builds(Step, do=st.just(Action.REGENERATE), stop=stops, wait=waits)
models = st.builds(Step, do=st.just(Action.FALLBACK), model=names, stop=stops, wait=waits)
ends = st.sampled_from([Action.PASS, Action.FLAG, Action.BLOCK]).map(lambda action: Step(do=action))
chains = st.tuples(st.lists(tries | models, max_size=2), ends).map(lambda made: (*made[0], made[1]))
rule_sets = st.builds(
    Rules,
    verify=st.builds(
        Verify,
        threshold=st.none() | st.builds(Threshold, risk=st.floats(0, 1), chosen_on=texts),
        history=st.none() | st.builds(History, max_tokens=st.integers(1, 10**6)),
    ),
    on_unreliable=chains,
    on_unknown=chains,
    on_error=st.dictionaries(st.sampled_from(Cause), chains, max_size=2),
    budget=st.builds(Budget, added=st.none() | seconds, total=st.none() | seconds),
    messages=st.builds(Messages, blocked=st.text(min_size=1, max_size=12)),
    on_block=st.sampled_from(["answer", "raise"]),
    mode=st.sampled_from(["enforce", "shadow"]),
    sample=st.floats(0, 1),
)
chats = st.builds(
    ChatSpec,
    dialect=st.sampled_from(get_args(DialectName)),
    model=names,
    base_url=st.just("http://127.0.0.1:1/v1"),
    api_key=st.none() | st.just(SecretRef("KEY")) | st.just(SecretRef("KEY", "")),
    timeout=seconds,
    retry=st.builds(Retry, stop=stops, wait=waits, retry_after_max=seconds),
    headers=st.dictionaries(st.just("X-Team"), st.just("blue") | st.just(SecretRef("TEAM", "blue")), max_size=1),
)
matches = st.builds(Match, model=st.none() | names, tags=st.lists(names, max_size=2), stream=st.none() | st.booleans())


@settings(max_examples=60, deadline=None)
@given(rule_sets, chats, st.lists(matches.filter(lambda match: not match.everything), max_size=2))
def test_what_is_dumped_is_read_back_the_same(rules: Rules, chat: ChatSpec, found: list[Match]) -> None:
    routes = tuple(Route(match=match, policy="default") for match in found)
    policy = Policy(verifiers={"main": chat}, policies={"default": rules}, routes=routes)
    again = load(policy.dump(), env={})
    assert again == policy
    assert again.digest == policy.digest
    assert load(yaml.safe_load(yaml.safe_dump(policy.dump())), env={}) == policy


def test_the_package_loads_nothing_before_it_is_asked() -> None:
    code = """
import sys, guardrail.policy
assert not {"pydantic", "yaml", "tenacity", "tomllib"} & set(sys.modules)
import guardrail.policy.model, guardrail.policy.presets, guardrail.policy.routing
assert not {"yaml", "tenacity", "tomllib", "logging", "asyncio", "guardrail.policy.loading"} & set(sys.modules)
try:
    guardrail.policy.nothing
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "no attribute 'nothing'" in done.stdout
