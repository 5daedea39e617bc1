"""What judges have in common that hold an answer against documents and know nothing else. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from guardrail.claims import asks, claims
from guardrail.verdict import Cause, Status
from guardrail.verifiers.dialects.protocol import Dialect, Reading, Token
from guardrail.verifiers.dialects.transcript import question
from guardrail.verifiers.protocol import Check

__all__ = ["LOGPROBS", "STEADY", "Grounded", "by_probability", "verdict"]

STEADY: dict[str, Any] = {"temperature": 0}
"""Each of these judges' cards asks for it: the same answer gets the same verdict."""
LOGPROBS: dict[str, Any] = {"logprobs": True, "top_logprobs": 5}
"""Asks how likely ``Yes`` and ``No`` were."""
_OPTIONAL = STEADY.keys() | LOGPROBS.keys()


class Grounded(Dialect):
    """A dialect of a judge that needs documents.

    An answer without a claim is reliable, and one with claims but without evidence is unknown: neither is
    sent, as these judges would guess, and are paid for it.
    """

    def settled(self, check: Check) -> Reading | None:
        """See the class."""
        if not claims(check.turn.text, asked=asks(question(check))):
            return Reading(Status.RELIABLE, explanation="no_claim")
        if any(piece.text.strip() for piece in check.evidence):
            return None
        why = "there is no evidence to hold the answer against"
        return Reading(Status.UNKNOWN, explanation=why, cause=Cause.NO_EVIDENCE)

    def plain(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The request without sampling options and probabilities, which some servers refuse."""
        kept = {key: value for key, value in request.items() if key not in _OPTIONAL}
        return kept if len(kept) < len(request) else None


def verdict(unreliable: bool, explanation: str = "") -> Reading:
    """The reading of a judge that says no more than yes or no: the risk is exactly 1 or 0."""
    status = Status.UNRELIABLE if unreliable else Status.RELIABLE
    return Reading(status, risk=float(unreliable), explanation=explanation.strip())


def by_probability(reading: Reading, tokens: Sequence[Token], *, bad: str) -> Reading:
    """``reading`` with the probability of the word ``bad`` ("yes" or "no") as its risk.

    It is that word's share of the probability of both words at the last token that is one of them, as the
    authors of MiniCheck and of Granite Guardian score them. Probabilities that are missing, or against the word
    that was said, change nothing.
    """
    said = [token for token in tokens if _word(token.text) in _WORDS]
    if not said:
        return reading
    mass = dict.fromkeys(_WORDS, 0.0)
    for text, logprob in said[-1].likely:
        if _word(text) in mass:
            mass[_word(text)] += math.exp(min(0.0, logprob))
    total = sum(mass.values())
    if total <= 0:
        return reading
    risk = min(1.0, mass[bad] / total)
    return replace(reading, risk=risk) if (risk >= 0.5) is (reading.status is Status.UNRELIABLE) else reading


_WORDS = ("yes", "no")
_SPACES = " \t\r\n\u2581\u0120\u010a"
"""What stands for space in tokens, in the raw forms of two families of tokenizers too."""


def _word(token: str) -> str:
    return token.strip(_SPACES).lower()
