"""Plays a scene: one call through a real OpenAI client that is guarded, over a real connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guardrail.demo.llm import serve
from guardrail.demo.scenes import Scene
from guardrail.guard import Guard
from guardrail.outcome import Outcome
from guardrail.policy.loading import load
from guardrail.reports import report
from guardrail.wrapping import wrap

__all__ = ["Played", "play"]


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scene."""

    scene: Scene
    outcome: Outcome
    received: str
    """The text that the application got."""
    finish_reason: str | None
    pieces: int
    """In how many pieces it came; 1 where it was not streamed."""


def play(scenes: Sequence[Scene], policy: str | Path | None = None) -> Iterator[Played]:
    """Play ``scenes`` one after the other; ``policy`` stands in the place of their own where it is given."""
    with serve({scene.name: scene.drafts for scene in scenes}) as url:
        for scene in scenes:
            yield _played(scene, url, policy)


def _played(scene: Scene, url: str, policy: str | Path | None) -> Played:
    from openai import OpenAI

    with (
        Guard(load(policy or scene.policy)) as guard,
        OpenAI(base_url=url, api_key="none", max_retries=0) as bare,
    ):
        client = wrap(bare, guard)
        ask = _stream if scene.stream else _answer
        answer, received, reason, pieces = ask(client, scene)
        return Played(scene, report(answer), received, reason, pieces)


def _request(scene: Scene) -> dict[str, Any]:
    messages = [{"role": "system", "content": scene.system}, {"role": "user", "content": scene.question}]
    own = {"extra_body": {"guardrail": {"evidence": list(scene.evidence)}}} if scene.evidence else {}
    return {"model": scene.name, "messages": messages, **own}


def _answer(client: Any, scene: Scene) -> tuple[object, str, str | None, int]:
    answer = client.chat.completions.create(**_request(scene))
    choice = answer.choices[0]
    return answer, choice.message.content or "", choice.finish_reason, 1


def _stream(client: Any, scene: Scene) -> tuple[object, str, str | None, int]:
    stream = client.chat.completions.create(stream=True, **_request(scene))
    choices = [chunk.choices[0] for chunk in stream if chunk.choices]
    texts = [choice.delta.content for choice in choices if choice.delta.content]
    return stream, "".join(texts), choices[-1].finish_reason, len(texts)
