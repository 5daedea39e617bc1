"""Numbers and quantities that nothing at hand bears out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrail.checks.amounts import Amount
from guardrail.checks.arithmetic import results, spans
from guardrail.checks.case import Case, Claim
from guardrail.checks.content import stems
from guardrail.checks.support import derived, same
from guardrail.verdict import Finding, FindingKind

__all__ = ["borne_out", "numbers"]

_ANAPHOR = re.compile(
    r"\b(?:the|these|those|both|all|other|last|next|following|any|every|another|no)[ ]\Z", re.IGNORECASE
)
_DENIED = re.compile(r"(?:\b(?:not|n['’]t|never|rather than|instead of|nor)(?: \w+)?|wrong(?:ly)?)[ ]\Z", re.IGNORECASE)
_FIRST = re.compile(r"(?:\A|[.!?:;][ ]|\n)\s*\Z")
_ITEMS = re.compile(r"(?:[^\s,;.:]+(?: [^\s,;.:]+){0,4}, ?){1,11}(?:[^\s,;.:]+(?: [^\s,;.:]+){0,4} )?(?:and|or)\b")
_PAIR = re.compile(r"\b(?:both|pair|couple|twice|double|twin|twins|either|two)\b", re.IGNORECASE)
_SUM = re.compile(
    r"\b(?:total|altogether|together|combined|in all|remain\w*|rest|others?|more|fewer|less|left|differ\w+|sum|margin|overall|"
    r"by|behind|ahead|lead|gap|older|younger|longer|shorter|higher|lower|profit|loss|surplus|twice|double|half|average|mean|"
    r"per|each|every|apiece|makes?|i\.e|that is)\b|=|[Ss]o\b",
    re.IGNORECASE,
)
_RECKONED = re.compile(
    r"\b(?:average|mean|median|change|increas\w+|decreas\w+|growth|ratio|differ\w+|total|sum|combined|percentage)\b",
    re.I,
)
_LEFT = re.compile(r"\b(?:together|altogether|remain\w*|rest|left|more|fewer|less|by)\b", re.IGNORECASE)
_NEGATED = re.compile(r"(?:\b(?:not|never)|n['’]t)\b[^,;]*\Z", re.IGNORECASE)
_AGE_NOW = re.compile(r"['’]?s\b|[ -](?:years? )?(?:ago|old|anniversary|birthday)\b", re.IGNORECASE)
"""Decades of a life, and what depends on the day of the answer."""
_NOUN = re.compile(r" ([a-z]{3,})\b")
_MOST = 30
_SMALL = 20
"""Two small numbers make most others."""


def numbers(case: Case) -> list[Finding]:
    """Numbers in claims that the evidence and the user do not state, and that do not follow from what they do.

    Units and currencies are converted or held apart, rounding and counting are allowed for.
    """
    if not case.evidence:
        return []
    return [*(_finding(case, amount) for amount in _unsupported(case)), *_misplaced(case)]


def borne_out(case: Case, start: int, end: int) -> bool:
    """Whether this part of the answer has numbers, and the evidence states or implies every one of them."""
    inside = [amount for amount in case.amounts if start <= amount.start < end]
    claim = case.claim_at(start)
    return bool(inside) and claim is not None and all(_supported(case, claim, amount) for amount in inside)


def _finding(case: Case, amount: Amount, explanation: str = "") -> Finding:
    start, end = _group(case.prose, amount)
    plain = amount.readings[0][0] in ("", "ordinal")
    return case.finding(start, end, FindingKind.NUMBER if plain else FindingKind.QUANTITY, explanation)


def _misplaced(case: Case) -> Iterator[Finding]:
    """Numbers that the evidence gives of something else than the answer."""
    busy = spans(case)
    for amount in case.amounts:
        rival = case.misplaced.get((amount.start, amount.end))
        claim = case.claim_at(amount.start)
        if rival is None or claim is None or any(start <= amount.start < end for start, end in busy):
            continue
        if (amount.bare and amount.value <= 1) or _is_denied(case, claim, amount) or not _states(case, claim, amount):
            continue
        yield _finding(case, amount, rival.of_another)


def _states(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether a number is stated by itself, not as what remains of others."""
    return not (_RECKONED.search(claim.text) or _LEFT.search(claim.text)) or not derived(amount, case.facts)


def _is_denied(case: Case, claim: Claim, amount: Amount) -> bool:
    before = case.prose[max(0, amount.start - 24) : amount.start]
    return bool(_DENIED.search(before) or _NEGATED.search(case.prose[claim.start : amount.start]))


def _group(text: str, amount: Amount) -> tuple[int, int]:
    """The place of the number with the figures that it is joined to: a score, a telephone number."""
    start, end = amount.start, amount.end
    if amount.readings[0][0] != "":
        return start, end
    while start and (before := re.search(r"\d[-–]\Z", text[:start])):
        start = before.start()
        while start and text[start - 1].isdigit():
            start -= 1
    while after := re.match(r"[-–]\d+", text[end:]):
        end += after.end()
    return start, end


def _unsupported(case: Case) -> Iterator[Amount]:
    busy = spans(case)
    seen: set[tuple[int, int]] = set()
    for amount in case.amounts:
        claim = case.claim_at(amount.start)
        if claim is None or any(start <= amount.start < end for start, end in busy):
            continue
        if _passed_over(case, claim, amount) or _supported(case, claim, amount):
            continue
        place = _group(case.prose, amount)
        if place not in seen:
            seen.add(place)
            yield amount


def _passed_over(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether a number is none that evidence would have to state."""
    before = case.prose[max(0, amount.start - 24) : amount.start]
    name = amount.readings[0][0]
    small = amount.bare and amount.value <= 10
    if _AGE_NOW.match(case.prose, amount.end):
        return True
    joined = _group(case.prose, amount) != (amount.start, amount.end)
    if (
        (amount.value == 1 and amount.bare and not joined)
        or (small and _ANAPHOR.search(before))
        or _is_denied(case, claim, amount)
    ):
        return True
    if name == "ordinal":
        return _no_place(case, amount, before)
    if name == "share":
        part = re.search(r"\b(?:first|second|other|latter|better|last) \Z", before, re.IGNORECASE)
        return bool(part) or not re.match(r" (?:of|the|an?)\b", case.prose[amount.end : amount.end + 6])
    if case.tabular and (_RECKONED.search(f"{claim.text} {case.question}") or (amount.bare and amount.value <= _SMALL)):
        return True
    return small and (claim.text.endswith(":") or not _other_count(case, claim))


def _other_count(case: Case, claim: Claim) -> bool:
    """Whether the evidence has a small number in a sentence about the same that the claim has not: else the
    things may have been counted."""
    wanted = stems(claim.text)
    said = [a for a in case.amounts if claim.start <= a.start < claim.end]
    for source, facts in zip(case.sources, case.facts, strict=True):
        if len(wanted & source.words) >= min(2, len(wanted)) and len(facts) <= 8:
            small = [fact for fact in facts if fact.bare and fact.value <= _MOST and fact.readings[0][0] != "share"]
            if any(not any(same(a, fact) for a in said) for fact in small):
                return True
    return False


def _no_place(case: Case, amount: Amount, before: str) -> bool:
    """Whether an ordinal is the talk of somebody who enumerates, or nothing at hand has places."""
    if _FIRST.search(before) or case.prose[amount.end : amount.end + 1] == ",":
        return True
    return not any(fact.readings[0][0] == "ordinal" for sentence in case.facts for fact in sentence)


def _supported(case: Case, claim: Claim, amount: Amount) -> bool:
    if any(same(amount, fact) for sentence in case.facts for fact in sentence):
        return True
    if case.tabular and any(abs(amount.written - fact.written) < 1e-9 for sentence in case.facts for fact in sentence):
        return True
    shown = results(case)
    if any(same(amount, result) for result in shown):
        return True
    if _same_noun(case, amount):
        return False
    if _may_follow(case, claim, amount) and derived(amount, [*case.facts, _together(case, shown)]):
        return True
    if amount.readings[0][0] == "ordinal":
        return any(day == amount.value for moment in case.times for _, _, day in moment.readings)
    if amount.readings[0][0] == "" and _dated(case, amount):
        return True
    return amount.bare and amount.value == int(amount.value) and _counted(case, claim, amount)


def _same_noun(case: Case, amount: Amount) -> bool:
    """Whether the evidence has exactly one other number of the thing that the answer counts."""
    noun = _NOUN.match(case.prose, amount.end)
    if not amount.bare or not noun or amount.value > _MOST or _SUM.search(case.claims_text(amount.start)):
        return False
    counted = [
        fact.value
        for source, facts in zip(case.sources, case.facts, strict=True)
        for fact in facts
        if fact.bare
        and (other := _NOUN.match(source.text, fact.end))
        and stems(other[1]) == stems(noun[1]) != frozenset()
    ]
    return len(set(counted)) == 1 and counted[0] != amount.value


def _may_follow(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether a number may come of others: of small ones without a unit, only where it is said to."""
    if _group(case.prose, amount) != (amount.start, amount.end):
        return False
    name = amount.readings[0][0]
    sure = amount.digits >= 3 and amount.value > _SMALL
    return (
        sure
        or name in ("time", "percent", "share")
        or bool(_SUM.search(claim.text))
        or (amount.about and not amount.bound)
    )


def _together(case: Case, shown: list[Amount]) -> list[Amount]:
    """What was shown, with the numbers at hand if they are few."""
    told = [fact for sentence in case.facts for fact in sentence]
    return [*shown, *told] if shown and len(told) + len(shown) <= 12 else []


def _dated(case: Case, amount: Amount) -> bool:
    """Whether a bare number is the day, year or hour of a date at hand."""
    value = int(amount.value)
    return any(value in reading or 60 * value in reading for moment in case.times for reading in moment.readings)


def _counted(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether so many things stand in a row in the evidence or in the answer."""
    count = int(amount.value)
    if count == 2:
        rest = case.prose[amount.end : claim.end]
        return bool(re.search(r"[:,—–(][^.]*\band\b", rest)) or any(
            _PAIR.search(source.text) for source in case.sources
        )
    if not 2 < count <= 12:
        return False
    return any(count in _rows(text) for text in (case.answer, *(piece.text for piece in case.evidence)))


def _rows(text: str) -> set[int]:
    """The lengths of the lists in ``text``: with commas or with bullets."""
    found = {row[0].count(",") + 2 - bool(re.search(r",\s*(?:and|or)\b", row[0])) for row in _ITEMS.finditer(text)}
    run = 0
    for line in [*text.splitlines(), ""]:
        if re.match(r"\s*(?:[-*•]|\d{1,2}[.)])\s", line):
            run += 1
        elif line.strip() or not run:
            found.add(run)
            run = 0
    found.add(run)
    return found
