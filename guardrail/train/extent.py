"""What kind of rows a model was trained on, which is what it can be trusted with. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from guardrail.claims import asks, claims
from guardrail.evaluate.metrics import percentile
from guardrail.train.example import Example

__all__ = ["DataFile", "Extent", "Labels", "extent", "labels"]


@dataclass(frozen=True, slots=True)
class Labels:
    """How many rows there are of each label."""

    reliable: int
    unreliable: int

    @property
    def rows(self) -> int:
        """Of both."""
        return self.reliable + self.unreliable


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of labelled rows."""

    name: str
    sha256: str | None
    """Of the file as it is; None of stdin."""
    labels: Labels
    """Of all its rows, those that were left out too."""
    licence: str | None
    """As it was given; None: not stated."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Lengths in words, shares 0..1."""

    sources: Mapping[str, int]
    """Rows by source, the largest first."""
    answer: tuple[int, int]
    """The median, and what 95 % of the rows stay within."""
    evidence: tuple[int, int]
    several_claims: float
    """The share of answers with more than one claim. They have one label, and are read whole in training."""


def labels(examples: Iterable[Example]) -> Labels:
    """Count them."""
    counts = Counter(example.unreliable for example in examples)
    return Labels(counts[False], counts[True])


def extent(examples: Sequence[Example]) -> Extent:
    """Measure ``examples``, of which there is at least one."""
    said = [len(claims(example.answer, asked=asks(example.question))) for example in examples]
    return Extent(
        sources=dict(Counter(example.source for example in examples).most_common()),
        answer=_middle_and_most(len(example.answer.split()) for example in examples),
        evidence=_middle_and_most(sum(len(piece.text.split()) for piece in one.evidence) for one in examples),
        several_claims=sum(count > 1 for count in said) / len(said),
    )


def _middle_and_most(lengths: Iterable[int]) -> tuple[int, int]:
    counted = list(lengths)
    return round(percentile(counted, 0.5) or 0), round(percentile(counted, 0.95) or 0)
