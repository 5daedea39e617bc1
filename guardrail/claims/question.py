"""Questions, and the claims that say too little without the one that they answer. Pure."""

from __future__ import annotations

from guardrail.claims.words import words

__all__ = ["asks", "with_question"]

_SHORT = 6
"""A claim of fewer words is read behind the question that it answers."""
_QUESTION = 240
"""Characters of the question, from its end."""


_ASKING = frozenset(
    "am are can could did do does has have how is may might must shall should was were what when where which who whom"
    " whose why will would".split()
)


def asks(said: str) -> bool:
    """Whether what the user said asks something, so that a bare "Yes." states what was asked."""
    return any(mark in said for mark in "?？؟") or _ASKING.intersection(words(said)[:1]) != frozenset()


def with_question(claim: str, question: str) -> str:
    """A short claim behind the end of the question that it answers; any other as it is."""
    question = question.strip()[-_QUESTION:]
    return f"{question} {claim}" if question and len(words(claim)) < _SHORT else claim
