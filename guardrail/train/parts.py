"""Which rows are trained on, which are held out to choose by, and which to score. Pure.

The context decides, so that no row of one part has its evidence in common with a row of another: an answer to a text
that was read in training tells little about answers to others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from guardrail.errors import InputError
from guardrail.train.example import Example

__all__ = ["LEAST", "Parts", "Scored", "parts"]

LEAST = 5
"""So many rows of each label every part must have."""
_NAMES = {False: "reliable", True: "unreliable"}


@dataclass(frozen=True, slots=True)
class Scored:
    """A row to score."""

    example: Example
    context: int
    """The number of the context that it shares with other rows."""


@dataclass(frozen=True, slots=True)
class Parts:
    """All rows, each in one part."""

    trained: tuple[Example, ...]
    choosing: tuple[Example, ...]
    """The combination and the threshold are chosen by these."""
    scoring: tuple[Scored, ...]
    """Nothing is chosen by these."""
    contexts: int
    """How many contexts there are."""
    pieces_shared: bool
    """Whether only contexts as wholes are kept apart: so many rows share single pieces of evidence that nothing could
    be held out otherwise."""


def parts(examples: Sequence[Example], *, hold_out: float, seed: int) -> Parts:
    """Hold out about a share ``hold_out`` (0..1) of the rows, half of them to choose by and half to score.

    The same rows and seed give the same parts. Raises `InputError` where some part would have too few rows of a label.
    """
    _refuse_few(examples)
    wanted = max(1, round(len(examples) * hold_out / 2))
    for shared, groups in ((False, _linked(examples)), (True, _alike(examples))):
        trained, choosing, scoring = _dealt(groups, wanted, seed)
        enough = shared or min(len(_flat(choosing)), len(_flat(scoring))) >= wanted / 2
        if enough and all(_has_both(_flat(part)) for part in (trained, choosing, scoring)):
            scored = tuple(Scored(one, number) for number, group in enumerate(scoring) for one in group)
            return Parts(_flat(trained), _flat(choosing), scored, len(groups), shared)
    raise InputError(_too_few(examples, wanted, len(groups)))


def _refuse_few(examples: Sequence[Example]) -> None:
    counts = Counter(example.unreliable for example in examples)
    for label, name in _NAMES.items():
        if not counts[label]:
            raise InputError(f"no usable row is labelled {name}: training takes rows of both labels")
        if counts[label] < 3 * LEAST:
            raise InputError(
                f"{counts[label]} usable rows are labelled {name}, too few to train on: it takes {3 * LEAST} at the"
                " very least; label more"
            )


def _too_few(examples: Sequence[Example], wanted: int, contexts: int) -> str:
    return (
        f"{len(examples)} rows with {contexts} different contexts cannot be divided so that about {wanted} are held out"
        f" to choose by and {wanted} to score, with {LEAST} of each label and no context in common: label answers to"
        " more contexts, or change --hold-out"
    )


def _dealt(groups: Sequence[list[Example]], wanted: int, seed: int) -> list[list[list[Example]]]:
    """Groups for training, choosing and scoring; one that is larger than the room left is trained on."""
    held: list[list[list[Example]]] = [[], []]
    room, trained = [wanted, wanted], []
    for group in sorted(groups, key=lambda group: _chance(group, seed)):
        part = int(room[1] > room[0])
        if len(group) <= room[part]:
            held[part].append(group)
            room[part] -= len(group)
        else:
            trained.append(group)
    return [trained, *held]


def _chance(group: Sequence[Example], seed: int) -> str:
    first = min(example.digest for example in group)
    return hashlib.sha256(f"{seed} {first}".encode()).hexdigest()


def _linked(examples: Sequence[Example]) -> list[list[Example]]:
    """Rows that share a piece of evidence, or share one with a row that does, and so on, are in one group."""
    above: dict[Hashable, Hashable] = {}

    def top(one: Hashable) -> Hashable:
        while (over := above.setdefault(one, one)) != one:
            above[one] = one = above[over]
        return one

    for example in examples:
        first, *others = sorted(example.pieces)
        for other in others:
            above[top(other)] = top(first)
    return _grouped(examples, [top(min(example.pieces)) for example in examples])


def _alike(examples: Sequence[Example]) -> list[list[Example]]:
    """Rows with exactly the same evidence are in one group."""
    return _grouped(examples, [example.pieces for example in examples])


def _grouped(examples: Sequence[Example], keys: Iterable[Hashable]) -> list[list[Example]]:
    groups: dict[Hashable, list[Example]] = {}
    for example, key in zip(examples, keys, strict=True):
        groups.setdefault(key, []).append(example)
    return list(groups.values())


def _flat(groups: Iterable[Iterable[Example]]) -> tuple[Example, ...]:
    return tuple(example for group in groups for example in group)


def _has_both(examples: Sequence[Example]) -> bool:
    counts = Counter(example.unreliable for example in examples)
    return all(counts[label] >= LEAST for label in _NAMES)
