"""Labelled answers as training takes them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from guardrail.claims import asks, claims
from guardrail.conversation import Evidence
from guardrail.evaluate.fingerprint import data_digest, row_digest
from guardrail.grounding import collect
from guardrail.verifiers.embedded.script import is_latin
from guardrail.verifiers.protocol import Check

__all__ = ["Example", "Usable", "usable"]


@dataclass(frozen=True)
class Example:
    """One labelled answer."""

    file: str
    """Where it stands; a name of a file, or ``-``."""
    source: str
    """The set that it counts for."""
    unreliable: bool
    """Its label."""
    check: Check

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """All that the answer is held against: its own, and what the conversation holds."""
        return collect(self.check.conversation, self.check.evidence)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the row and its label."""
        return row_digest(self.check, self.unreliable)

    @cached_property
    def question(self) -> str:
        """What the user said last; empty where nobody asked."""
        said = (message.text for message in reversed(self.check.conversation) if message.role == "user")
        return next(said, "")

    @property
    def answer(self) -> str:
        """The text that is labelled."""
        return self.check.turn.text

    @property
    def pieces(self) -> frozenset[str]:
        """The texts of the evidence without what the user stated, if there is other; small letters, single spaces."""
        told = [piece for piece in self.evidence if piece.origin != "user"] or self.evidence
        return frozenset(filter(None, (" ".join(piece.text.split()).lower() for piece in told)))

    @property
    def context(self) -> str:
        """All evidence as one text."""
        return "\n\n".join(f"{piece.title}.\n{piece.text}" if piece.title else piece.text for piece in self.evidence)


@dataclass(frozen=True, slots=True)
class Usable:
    """The rows that a model can be trained on, and how many were left out."""

    examples: tuple[Example, ...]
    """In the order of their digests, so that neither files nor their order matter."""
    repeated: int
    """Left out: the same row with the same label had been there."""
    without_evidence: int
    """Left out: there is nothing to hold the answer against."""
    without_claim: int
    """Left out: the answer is a greeting, a question or the like, which the verifier does not read."""
    other_script: int
    """Left out: the answer or all of its evidence is not in the Latin script, and the verifier gives no verdict."""
    contradictory: int
    """Kept: rows that are there with both labels."""

    @property
    def data(self) -> str:
        """The digest of the rows."""
        return data_digest(example.digest for example in self.examples)

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows were left out, by why, where there are any."""
        found = {
            "repeated": self.repeated,
            "without evidence": self.without_evidence,
            "without a claim": self.without_claim,
            "not in the Latin script": self.other_script,
        }
        return {why: count for why, count in found.items() if count}


def usable(examples: Iterable[Example]) -> Usable:
    """Each row once, without those that training can make nothing of."""
    given = list(examples)
    once = {example.digest: example for example in given}
    evident = [one for one in once.values() if any(piece.text.strip() for piece in one.evidence)]
    claiming = [one for one in evident if claims(one.answer, asked=asks(one.question))]
    read = [one for one in claiming if is_latin(one.answer) and any(is_latin(piece.text) for piece in one.evidence)]
    kept = sorted(read, key=lambda one: one.digest)
    other = {row_digest(one.check, not one.unreliable) for one in kept}
    return Usable(
        examples=tuple(kept),
        repeated=len(given) - len(once),
        without_evidence=len(once) - len(evident),
        without_claim=len(evident) - len(claiming),
        other_script=len(claiming) - len(read),
        contradictory=sum(one.digest in other for one in kept),
    )
