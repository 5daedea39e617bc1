"""Claims that say too little by themselves, behind the question that they answer. Pure."""

from __future__ import annotations

from guardrail.claims.words import words

__all__ = ["with_question"]

_SHORT = 6
"""A claim of fewer words is read behind the question that it answers."""
_QUESTION = 240
"""Characters of the question, from its end."""


def with_question(claim: str, question: str) -> str:
    """A short claim behind the end of the question that it answers; any other as it is."""
    question = question.strip()[-_QUESTION:]
    return f"{question} {claim}" if question and len(words(claim)) < _SHORT else claim
