"""Telling what a user states from what a user asks for. A heuristic over words, in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from guardrail.grounding.words import (
    CREATIVE_STARTS,
    GREETINGS,
    REQUEST_PHRASES,
    REQUEST_STARTS,
    STATEMENT_STARTS,
    STATEMENT_VERBS,
    words,
)

__all__ = ["is_request", "only_requests", "sentences", "stated"]

_END = re.compile(
    r"[.!?…]+(?:[\"'”’)\]]{1,3}|[ \xa0\u202f]?»)?(?=\s|\Z)|[。！？]+[」』”]?|\n[ \t]*\n\s*|\n(?=[ \t]*[A-Z\-*•#<])"
)
_SHORTENED = re.compile(r"(?:^|[\s(])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|St|No|vs|etc|e\.g|i\.e|a\.m|p\.m|approx|Prof|Inc|Ltd)\.$")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_BULLET = re.compile(r"\(?\d{1,3}[.)](?:\s+|$)")
_LEADING = words("now then also and but so first next finally well again")
"""Words that may stand before a request's verb."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LONG = 200
"""Characters above which a sentence is no mere request, whatever phrase occurs in it."""


class Span(NamedTuple):
    """A sentence of a text: ``text[start:end]`` without the white space around it."""

    start: int
    end: int
    text: str


def sentences(text: str) -> Iterator[Span]:
    """The sentences of ``text``, in order; white space between them is left out."""
    start = 0
    for found in _END.finditer(text):
        if text[found.start()] == "." and _SHORTENED.search(text[max(start, found.end() - 12) : found.end()]):
            continue
        if span := _span(text, start, found.end()):
            yield span
        start = found.end()
    if span := _span(text, start, len(text)):
        yield span


def _span(text: str, start: int, end: int) -> Span | None:
    raw = text[start:end].rstrip()
    stripped = raw.lstrip()
    end = start + len(raw)
    return Span(end - len(stripped), end, stripped) if stripped else None


def is_request(sentence: str) -> bool:
    """Whether a sentence asks, orders, greets or introduces rather than states."""
    bare = sentence.strip("\"'“”() \t\n*_-•")
    if bare.endswith(("?", "？", ":", "：")) or bare.startswith("¿"):
        return True
    said = _lowered(_BULLET.sub("", bare, count=1)[:_LONG])
    if said and said[0] in GREETINGS:
        said = said[1:] if len(said) > 3 else []
    while said and said[0] in _LEADING:
        said = said[1:]
    if not said or said[0] in REQUEST_STARTS:
        return True
    lowered = bare.lower().replace("’", "'")
    return len(bare) <= _LONG and any(phrase in lowered for phrase in REQUEST_PHRASES)


def only_requests(text: str) -> bool:
    """Whether no sentence of ``text`` states anything."""
    return all(is_request(sentence.text) for sentence in sentences(text))


def is_statement(sentence: str) -> bool:
    """Whether a sentence of a user states something."""
    if sentence.startswith(("<", "|", "#")) or is_request(sentence):
        return False
    if _CJK.search(sentence):
        return len(_CJK.findall(sentence)) >= 6
    said = _lowered(sentence)
    if len(said) < (2 if said and said[0] in STATEMENT_STARTS else 3):
        return False
    if said[0] in STATEMENT_STARTS or not sentence.isascii():
        return True
    return any(word in STATEMENT_VERBS or (len(word) > 4 and word.endswith("ed")) for word in said) or (
        len(said) > 3 and sentence.endswith((".", "!"))
    )


def _lowered(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def stated(text: str) -> Iterator[str]:
    """The stretches of ``text`` that state something: each a run of neighbouring statements, verbatim."""
    start = end = -1
    wished = False  # Whether a text was asked for, which the sentences since then describe.
    for sentence in sentences(text):
        said = _lowered(sentence.text[:_LONG])[:1]
        wished = said[0] in CREATIVE_STARTS if said and said[0] != "it" else wished
        if is_statement(sentence.text) and not wished:
            start = sentence.start if start < 0 else start
            end = sentence.end
        elif start >= 0:
            yield text[start:end]
            start = -1
    if start >= 0:
        yield text[start:end]
