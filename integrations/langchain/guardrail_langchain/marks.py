"""What a guarded message says of its verdict, in ``response_metadata["guardrail"]``: plain JSON. Pure."""

from __future__ import annotations

from dataclasses import asdict

from langchain_core.messages import BaseMessage

from guardrail.outcome import Outcome
from guardrail.verdict import Finding

__all__ = ["MARK", "mark", "may_be_cached"]

MARK = "guardrail"
"""The key of ``response_metadata``."""

Json = dict[str, object]


def mark(outcome: Outcome) -> Json:
    """The outcome in short; `guardrail.report` has all of it, by the ``id``.

    Nothing of an answer that was not released is in it: messages are stored, and sent to others.
    """
    verdict = outcome.verdict
    short: Json = {
        "id": outcome.id,
        "action": outcome.action.value,
        "status": verdict.status.value if verdict else outcome.mode,
        "risk": verdict.risk if verdict else None,
        "cause": verdict.cause.value if verdict and verdict.cause else None,
        "findings": [_finding(found) for found in outcome.findings] if outcome.turn is not None else [],
        "attempts": len(outcome.attempts),
        "added_ms": round(outcome.added, 1),
        "usage": asdict(outcome.usage) if outcome.usage else None,
        "notes": list(outcome.notes),
    }
    return {key: value for key, value in short.items() if value not in (None, [])}


def may_be_cached(message: BaseMessage) -> bool:
    """Whether the next caller may be given the same: not what was blocked, nor what no verifier could judge."""
    short = message.response_metadata.get(MARK)
    return not isinstance(short, dict) or (short.get("action") != "block" and short.get("status") != "error")


def _finding(found: Finding) -> Json:
    sources = [
        {key: value for key, value in (("origin", piece.origin), ("title", piece.title), ("url", piece.url)) if value}
        for piece in found.evidence
    ]
    short: Json = {
        "start": found.start,
        "end": found.end,
        "text": found.text,
        "kind": found.kind.value,
        "risk": found.risk,
        "explanation": found.explanation,
        "sources": sources,
    }
    return {key: value for key, value in short.items() if value not in (None, "", [])}
