"""The user's own documents behind a guarded client: looked up for each answer, streamed or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import guardrail
from guardrail import Action, Guard
from guardrail.knowledge import index_folder
from guardrail.policy.loading import load
from tests.integrations.openai.clients import Client, Make
from tests.integrations.openai.upstream import Reply, Upstream, completion, sse
from tests.knowledge.files import write

ASKED: Any = [{"role": "user", "content": "How long can I ask for a refund?"}]
RIGHT, WRONG = (f"Refunds are possible within {days} days of delivery." for days in (30, 60))


@pytest.fixture
def policy(tmp_path: Path) -> Any:
    index_folder(write(tmp_path / "docs", refunds__md=f"# Refunds\n\n{RIGHT}\n"), tmp_path / "docs.index")
    spec = {"kind": "knowledge", "index": str(tmp_path / "docs.index")}
    return {"version": 1, "verifiers": {"main": spec}, "policies": {"default": {"on_unreliable": "block"}}}


def guarded(client: Client, policy: Any) -> Client:
    """``client`` with the policy's own verifier."""
    client.client = guardrail.wrap(client.bare, Guard(load(policy)))
    return client


def asked(client: Client, **more: Any) -> Any:
    return client.run(lambda c: c.chat.completions.create(model="m", messages=ASKED, **more))


@pytest.mark.parametrize(("answer", "action"), [(RIGHT, Action.PASS), (WRONG, Action.BLOCK)])
def test_an_answer_is_held_against_what_is_found(
    make: Make, upstream: Upstream, policy: Any, answer: str, action: Action
) -> None:
    client, upstream.script = guarded(make(), policy), [Reply(completion(answer))]
    outcome = guardrail.report(asked(client))
    assert outcome.action is action
    assert outcome.verdict is not None
    assert [(piece.origin, piece.title, piece.url) for piece in outcome.verdict.evidence] == [
        ("knowledge", "Refunds", "refunds.md")
    ]
    assert outcome.notes == ()


def test_a_stream_is_held_against_it_too(make: Make, upstream: Upstream, policy: Any) -> None:
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = ({"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None} for word in WRONG.split(" "))
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    client = guarded(make(), policy)
    upstream.script = [sse(*({**head, "choices": [choice]} for choice in (*deltas, end)))]
    items = client.items(asked(client, stream=True))
    text = "".join(choice.delta.content or "" for item in items for choice in item.choices)
    assert "60" not in text
