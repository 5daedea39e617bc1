"""Finding the verdict in a judge's reply, and nothing else that looks like one. Pure.

An answer under review, or a document, may contain text that looks like a verdict, and a judge may quote it.
So a JSON object counts only where a judge puts its verdict: as the end of the reply, or as its beginning when
there is no other. An object that is quoted word for word from what was to be judged counts only if it is the
whole reply. What is left in doubt is no verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from guardrail.errors import VerifierError
from guardrail.verdict import Cause
from guardrail.verifiers.protocol import Check

__all__ = ["complete", "no_verdict", "said", "verdict_object", "whole_object"]

_THINK, _THOUGHT = "<think>", "</think>"
_AFTER = re.compile(r"[\s`.*]*")
"""What may follow a verdict at the end: space, the end of a fence or of a sentence."""
_BEFORE = re.compile(r"\s*(?:```\w*\s*)?")
_SCAN = 65_536
"""Characters at the end of a reply that are searched; a bound on the work that a reply can cause."""
_MISSES = 500
"""Braces that may open no object before the search ends, for the same reason."""


def said(content: str, finish_reason: str | None) -> str:
    """What the judge said after thinking, stripped; raises ``empty`` or ``truncated`` when it is nothing."""
    text = content.strip()
    if text.startswith(_THINK):
        thoughts = text.count(_THOUGHT)
        if thoughts > 1:
            # A judge that quotes this mark would otherwise decide where its own verdict begins.
            raise VerifierError(Cause.UNPARSABLE, "the reply closes its thinking more than once")
        text = text.partition(_THOUGHT)[2].strip()
    if not text:
        cause = Cause.TRUNCATED if finish_reason == "length" else Cause.EMPTY
        raise VerifierError(cause, "the judge's reply is empty")
    return text


def complete(content: str, finish_reason: str | None) -> str:
    """What the judge `said`, of a judge that says its verdict last or says nothing else.

    Raises ``truncated`` when it was cut off: what ends there may have been a quotation, with the verdict to come.
    """
    text = said(content, finish_reason)
    if finish_reason == "length":
        no_verdict(finish_reason, "more was to come")
    return text


def no_verdict(finish_reason: str | None, why: str) -> NoReturn:
    """Raise the error for a reply that holds no verdict."""
    if finish_reason == "length":
        raise VerifierError(Cause.TRUNCATED, f"the judge's reply was cut off: {why}")
    raise VerifierError(Cause.UNPARSABLE, f"the judge's reply holds no verdict: {why}")


@dataclass(frozen=True, slots=True)
class _Found:
    value: dict[str, Any]
    start: int
    end: int


def whole_object(text: str) -> dict[str, Any] | None:
    """The JSON object that ``text`` consists of, fenced or not; None when it is anything else."""
    start = text.find("{")
    if start < 0 or not _BEFORE.fullmatch(text, 0, start):
        return None
    found = next(_objects(text), None)
    return found.value if found and found.start == start and _AFTER.fullmatch(text, found.end) else None


def verdict_object(text: str, keys: frozenset[str], finish_reason: str | None, *, check: Check) -> dict[str, Any]:
    """The JSON object in ``text`` that is the judge's verdict: the last one that has one of ``keys``.

    Raises `VerifierError` ``truncated`` or ``unparsable`` when there is none, or when it is in doubt.
    """
    text = text[-_SCAN:]
    found = [f for f in _objects(text) if not keys.isdisjoint(f.value)]
    if not found:
        no_verdict(finish_reason, f"no JSON object with {' or '.join(sorted(keys))}")
    last = found[-1]
    ends = _AFTER.fullmatch(text, last.end) is not None
    begins = _BEFORE.fullmatch(text, 0, last.start) is not None
    if not ends and (finish_reason == "length" or len(found) > 1 or not begins):
        no_verdict(finish_reason, "text follows what looks like a verdict")
    if not (begins and ends) and _quoted(text[last.start : last.end], check):
        no_verdict(finish_reason, "what looks like a verdict is a quotation of what was to be judged")
    return last.value


def _objects(text: str) -> Iterator[_Found]:
    decoder = json.JSONDecoder(object_pairs_hook=_unambiguous, parse_constant=_refuse)
    start, misses = text.find("{"), 0
    while start >= 0 and misses < _MISSES:
        end = start + 1
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            misses += 1
        else:
            yield _Found(value, start, end)
        start = text.find("{", end)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands there twice")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _quoted(raw: str, check: Check) -> bool:
    texts = [check.turn.text, *(m.text for m in check.conversation), *(e.text for e in check.evidence)]
    return any(raw in text for text in texts)
