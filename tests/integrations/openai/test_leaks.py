"""Nothing of a bad sentence reaches a consumer, wherever it stands and however the stream is cut."""

from __future__ import annotations

from typing import Any

import openai
import pytest

import guardrail
from guardrail import Action
from tests.integrations.openai.clients import Make, released
from tests.integrations.openai.streaming import (
    BAD,
    CHUNKINGS,
    CONSUMERS,
    GOOD,
    NOTICE,
    answering,
    consume,
    leaked,
    with_bad,
)
from tests.integrations.openai.upstream import Upstream

TAIL = " It has lifts."
POLICIES: dict[str, Any] = {
    "block": "block",
    "repair": {"do": "repair", "how": "delete"},
    "regenerate": ["regenerate", "block"],
    "fallback": [{"do": "fallback", "model": "other"}, "block"],
    "regenerate in vain": ["regenerate", "block"],
}
SHOWN = {"block": (NOTICE, Action.BLOCK), "repair": ("", Action.REPAIR), "regenerate": (TAIL, Action.REGENERATE),
         "fallback": (TAIL, Action.FALLBACK), "regenerate in vain": (NOTICE, Action.BLOCK)}  # fmt: skip


def policy(do: Any, mode: str = "sentence", **more: Any) -> Any:
    rules = {"on_unreliable": do, "on_unknown": "pass", "messages": {"blocked": NOTICE}, **more}
    return released({"version": 1, "policies": {"default": rules}}, mode)


@pytest.mark.parametrize("how", POLICIES)
@pytest.mark.parametrize("mode", ["sentence", "whole"])
def test_no_character_of_it_is_seen(make: Make, upstream: Upstream, mode: str, how: str) -> None:
    client = make(policy(POLICIES[how], mode))
    again = f" {BAD}" if how.endswith("vain") else TAIL
    for place in (0, 1, 3):
        for chunking in CHUNKINGS.values() if mode == "sentence" else [CHUNKINGS["words"]]:
            for consumer in CONSUMERS:
                upstream.requests.clear()
                upstream.answer = answering(chunking(with_bad(place)), again)
                text, seen = consume(client, consumer)
                assert leaked(seen) == 0, (place, consumer)
                if mode == "sentence":
                    _is_what_was_good(text, place, how)


def _is_what_was_good(text: str, place: int, how: str) -> None:
    """The sentences before the bad one, and what takes the place of the rest."""
    before = "".join(GOOD[:place]).strip()
    rest = "".join(GOOD[place:]) if how == "repair" else SHOWN[how][0]
    assert "".join(text.split()) == "".join((before + rest).split())


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_nothing_of_it_is_seen_before_an_error(make: Make, upstream: Upstream, consumer: str) -> None:
    client = make(policy("block", on_block="raise"))
    upstream.answer = answering(CHUNKINGS["words"](with_bad(1)))
    with pytest.raises(guardrail.BlockedError) as raised:
        consume(client, consumer)
    assert isinstance(raised.value, openai.OpenAIError)
    assert leaked(str(raised.value)) == 0
    assert raised.value.outcome.action is Action.BLOCK


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_what_is_released_before_its_verdict_is_taken_back(make: Make, upstream: Upstream, consumer: str) -> None:
    client = make(policy("block", "optimistic"))
    upstream.answer = answering(CHUNKINGS["words"](with_bad(3)))
    text, seen = consume(client, consumer)
    assert leaked(seen) > 0
    assert text.endswith(NOTICE)
