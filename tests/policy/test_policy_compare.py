"""Two policies side by side."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.errors import PolicyError
from guardrail.policy.compare import ABSENT, Difference, differences
from guardrail.policy.loading import load

FULL = yaml.safe_load(Path(__file__).with_name("full.yaml").read_text())
ENV = {"JUDGE_KEY": "very-secret", "TEAM_TOKEN": "very-secret"}


def policy(**changes: Any) -> dict[str, Any]:
    return {"version": 1, **changes}


def rules(**changes: Any) -> dict[str, Any]:
    return policy(policies={"default": changes})


TABLE: list[tuple[Any, Any, list[tuple[str, Any, Any]]]] = [
    ("balanced", policy(), []),
    ("strict", policy(extends="strict"), []),
    (policy(), rules(on_unknown=["flag"]), []),
    (policy(), rules(sample=0.5), [("policies.default.sample", 1.0, 0.5)]),
    (
        policy(),
        rules(on_unknown=["regenerate", "flag"]),
        [
            ("policies.default.on_unknown[0].do", "flag", "regenerate"),
            ("policies.default.on_unknown[0].stop.after_attempt", ABSENT, 2),
            ("policies.default.on_unknown[0].wait.none", ABSENT, {}),
            ("policies.default.on_unknown[1].do", ABSENT, "flag"),
        ],
    ),
    (rules(on_error={"timeout": "block"}), policy(), [("policies.default.on_error.timeout[0].do", "block", ABSENT)]),
    (
        rules(verify={"threshold": 0.7}),
        rules(verify={"threshold": "none"}),
        [("policies.default.verify.threshold", {"risk": 0.7, "chosen_on": "set by hand"}, "none")],
    ),
    (
        policy(),
        policy(routes=[{"match": {}, "policy": "default"}]),
        [("routes[0].match", ABSENT, {}), ("routes[0].policy", ABSENT, "default")],
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), TABLE)
def test_what_differs_is_told_by_its_path(old: Any, new: Any, expected: list[tuple[str, Any, Any]]) -> None:
    found = differences(load(old), load(new))
    assert sorted(found, key=lambda d: d.path) == [Difference(*row) for row in sorted(expected, key=lambda r: r[0])]


def test_secrets_are_compared_by_reference() -> None:
    other = copy.deepcopy(FULL)
    other["verifiers"]["main"]["api_key"] = "${OTHER_KEY}"
    found = differences(load(FULL, env=ENV), load(other, env=ENV))
    assert found == (Difference("verifiers.main.api_key", "${JUDGE_KEY}", "${OTHER_KEY}"),)


def leaves(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [leaf for key, value in items for leaf in leaves(value, (*path, key))] or [path]


changes = st.lists(st.sampled_from(leaves(FULL)), max_size=4)


def without(paths: list[tuple[Any, ...]]) -> dict[str, Any]:
    data: dict[str, Any] = copy.deepcopy(FULL)
    for path in paths:
        at: Any = data
        for part in path[:-1]:
            at = at[part] if isinstance(at, list) or part in at else {}
        if isinstance(at, dict):
            at.pop(path[-1], None)
    return data


@settings(max_examples=60, deadline=None)
@given(first=changes, second=changes)
def test_nothing_differs_exactly_where_the_digests_are_the_same(first: Any, second: Any) -> None:
    try:
        old, new = load(without(first), env=ENV), load(without(second), env=ENV)
    except PolicyError:
        return  # some keys must be there
    found = differences(old, new)
    assert (not found) == (old.digest == new.digest)
    back = {(d.path, repr(d.new), repr(d.old)) for d in differences(new, old)}
    assert back == {(d.path, repr(d.old), repr(d.new)) for d in found}
