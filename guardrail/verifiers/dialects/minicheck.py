"""The dialect of MiniCheck's judge by chat. Pure.

Made for ``bespokelabs/Bespoke-MiniCheck-7B``, on Ollama ``bespoke-minicheck``; also any LLM that follows a short
instruction. Source: its model card and MiniCheck (arXiv:2404.10774). Taken from there: a system and a user message,
``Document:`` and ``Claim:``, one sentence a claim, the answer ``Yes`` or ``No`` and the risk from their probabilities;
the instruction is put in words of our own.

``Yes`` means that the document supports the claim. Each sentence that states something is a request; the answer
is as risky as its riskiest sentence. Risk: the probability of ``No`` where the server tells it, else 0 or 1.
A sentence that is not supported is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from guardrail.claims import asks, claims, with_question
from guardrail.verdict import Finding, FindingKind, Status
from guardrail.verifiers.dialects.grounded import LOGPROBS, STEADY, Grounded, by_probability, verdict
from guardrail.verifiers.dialects.marks import defused
from guardrail.verifiers.dialects.protocol import Piece, Reading, Token
from guardrail.verifiers.dialects.replies import complete, no_verdict
from guardrail.verifiers.dialects.transcript import document, question
from guardrail.verifiers.protocol import Check

__all__ = ["MiniCheck"]

_INSTRUCTION = """\
You are given a document and a claim. Say whether the document supports all that the claim states. Answer "Yes" if \
it does. Answer "No" if anything in the claim is missing from the document or goes against it. Answer with that \
one word and nothing else."""
_WORD = re.compile(r"[*\"']{0,3}(yes|no)[*\"'.]{0,4}", re.IGNORECASE)


class MiniCheck(Grounded):
    """See the module."""

    @property
    def name(self) -> str:
        """``minicheck``."""
        return "minicheck"

    def pieces(self, check: Check) -> tuple[Piece, ...]:
        """The sentences of the answer that are claims."""
        stated = claims(check.turn.text, asked=asks(question(check)))
        return tuple(
            Piece(replace(check, turn=replace(check.turn, text=claim.text)), claim.start, claim.end) for claim in stated
        )

    def request(self, check: Check) -> dict[str, Any]:
        """The document and one claim; a short claim stands behind the question that it answers."""
        claim = with_question(check.turn.text, question(check))
        held = defused(document(check), ["\nClaim:"])
        return {
            "messages": [
                {"role": "system", "content": _INSTRUCTION},
                {"role": "user", "content": f"Document: {held}\nClaim: {claim}"},
            ],
            **STEADY,
            **LOGPROBS,
        }

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict, when the reply is one word."""
        match = _WORD.fullmatch(complete(content, finish_reason))
        if match is None:
            no_verdict(None, "it is neither Yes nor No")
        return verdict(match[1].lower() == "no")

    def weighed(self, reading: Reading, tokens: Sequence[Token]) -> Reading:
        """With the probability of ``No`` as the risk."""
        return by_probability(reading, tokens, bad="no")

    def joined(self, pieces: Sequence[Piece], readings: Sequence[Reading], check: Check) -> Reading:
        """The worst of the sentences; those without support are findings."""
        risks = [reading.risk or 0.0 for reading in readings]
        bad = [
            _finding(piece, risk, check)
            for piece, reading, risk in zip(pieces, readings, risks, strict=True)
            if reading.status is Status.UNRELIABLE or (check.threshold is not None and risk >= check.threshold)
        ]
        unreliable = any(reading.status is Status.UNRELIABLE for reading in readings)
        said = f"{len(bad)} of {len(pieces)} claims lack support" if bad else "every claim is supported"
        return replace(verdict(unreliable, said), risk=max(risks), findings=tuple(bad))


def _finding(piece: Piece, risk: float, check: Check) -> Finding:
    text = check.turn.text[piece.start : piece.end]
    return Finding(piece.start, piece.end, text, FindingKind.UNSUPPORTED, risk)
