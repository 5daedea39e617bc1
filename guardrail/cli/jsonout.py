"""The JSON object of a row, as machines read it. Pure."""

from __future__ import annotations

import json

from guardrail.cli.rows import BadRow, RowId
from guardrail.conversation import Evidence
from guardrail.outcome import Outcome
from guardrail.verdict import Finding, Verdict

__all__ = ["bad_row_object", "dump", "row_object"]


def row_object(row_id: RowId, outcome: Outcome) -> dict[str, object]:
    """The object of a judged row.

    ``{"id", "action", "verdict": {"status", "risk", "cause", "findings": [{"start", "end", "text", "kind",
    "risk", "evidence"}], "explanation", "verifier"}, "added_ms"}``. ``start`` and ``end`` count characters of
    the answer, ``risk`` is 0..1 or null, ``added_ms`` milliseconds. ``verdict`` is null for a row that the
    policy's sampling left out.
    """
    return {
        "id": row_id,
        "action": outcome.action.value,
        "verdict": None if outcome.verdict is None else _verdict(outcome.verdict),
        "added_ms": round(outcome.added, 1),
    }


def bad_row_object(row: BadRow) -> dict[str, object]:
    """The object of a row that could not be judged: ``{"id", "error", "line"}``."""
    return {"id": row.id, "error": row.problem, "line": row.line}


def dump(value: dict[str, object], *, ascii_only: bool = False) -> str:
    """``value`` on one line; always valid JSON."""
    return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "status": verdict.status.value,
        "risk": _risk(verdict.risk),
        "cause": verdict.cause.value if verdict.cause else None,
        "findings": [_finding(finding) for finding in verdict.findings],
        "explanation": verdict.explanation,
        "verifier": verdict.verifier,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "start": finding.start,
        "end": finding.end,
        "text": finding.text,
        "kind": finding.kind.value,
        "risk": _risk(finding.risk),
        "evidence": [_evidence(piece) for piece in finding.evidence],
    }


def _evidence(piece: Evidence) -> dict[str, object]:
    return {"text": piece.text, "origin": piece.origin, "title": piece.title, "url": piece.url}


def _risk(risk: float | None) -> float | None:
    return None if risk is None else round(float(risk), 4)
