"""Routes take the first that fits; sampling is the same each time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import PolicyError
from guardrail.policy.model import Match, Policy, Route, Rules
from guardrail.policy.routing import RequestInfo, sampled

GPT = RequestInfo(model="gpt-4o", tags=frozenset({"medical", "eu"}), metadata={"tenant": "acme-1"}, stream=True)

MATCHES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"model": "gpt-4*"}, True),
    ({"model": "gpt-4o"}, True),
    ({"model": "*"}, True),
    ({"model": "GPT-4*"}, False),
    ({"model": "gpt-3*"}, False),
    ({"tags": ["medical"]}, True),
    ({"tags": ["medical", "eu"]}, True),
    ({"tags": ["medical", "us"]}, False),
    ({"metadata": {"tenant": "acme-1"}}, True),
    ({"metadata": {"tenant": "acme-*"}}, True),
    ({"metadata": {"tenant": "other"}}, False),
    ({"metadata": {"region": "*"}}, False),
    ({"stream": True}, True),
    ({"stream": False}, False),
    ({"model": "gpt*", "stream": False}, False),
]


@pytest.mark.parametrize(("match", "fits"), MATCHES, ids=str)
def test_a_match_fits_when_all_that_it_says_is_so(match: dict[str, Any], fits: bool) -> None:
    assert Match(**match).fits(GPT) is fits


def test_a_request_of_no_known_model_fits_only_a_glob_for_any() -> None:
    assert Match(model="*").fits(RequestInfo())
    assert not Match(model="gpt*").fits(RequestInfo())


def test_the_first_route_that_fits_counts_and_the_rest_goes_by_default() -> None:
    policy = Policy(
        policies={"strict": Rules(on_unknown="block"), "lax": Rules(on_unknown="pass")},
        routes=(
            Route(match=Match(tags=("medical",)), policy="strict"),
            Route(match=Match(model="gpt*"), policy="lax"),
        ),
    )
    assert policy.rules_for(GPT) == ("strict", policy.policies["strict"])
    assert policy.rules_for(RequestInfo(model="gpt-4o")) == ("lax", policy.policies["lax"])
    assert policy.rules_for(RequestInfo(model="llama")) == ("default", Rules())


def test_a_route_behind_one_that_fits_everything_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"routes\[1\]: is never reached"):
        Policy(routes=(Route(policy="default"), Route(match=Match(model="x"), policy="default")))


def test_none_and_all_are_exact() -> None:
    keys = [f"conversation {n}" for n in range(500)]
    assert not any(sampled(0, key) for key in keys)
    assert all(sampled(1, key) for key in keys)


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.9])
def test_the_rate_is_honoured_over_many_conversations(rate: float) -> None:
    count = 20_000
    taken = sum(sampled(rate, f"conversation {n}") for n in range(count))
    spread = (rate * (1 - rate) / count) ** 0.5
    assert abs(taken / count - rate) < 4 * spread


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_conversation_stays_in_every_larger_share(key: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert sampled(small, key) <= sampled(large, key)
    assert sampled(small, key) == sampled(small, key)


def test_sampling_is_the_same_in_every_process_and_version() -> None:
    assert [n for n in range(20) if sampled(0.3, f"c{n}")] == [0, 4, 10, 16, 17, 18]
