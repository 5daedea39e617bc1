"""Numbers and quantities that nothing at hand bears out, or only of something else. Pure."""

from __future__ import annotations

import re

from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case
from guardrail.checks.elsewhere import misplaced_amounts
from guardrail.checks.named import Named
from guardrail.checks.standing import kind_of, place_of, unsupported
from guardrail.verdict import Finding, FindingKind

__all__ = ["numbers"]


def numbers(case: Case) -> list[Finding]:
    """Numbers in claims that the evidence and the user do not state, and that do not follow from what they do; and those
    that the evidence states of something else.

    Units and currencies are converted or held apart, rounding and counting are allowed for.
    """
    if not case.evidence:
        return []
    found = [_finding(case, amount, "") for amount, _ in unsupported(case)]
    found += [_finding(case, amount, rival.of_another) for amount, rival in misplaced_amounts(case)]
    return [*found, *_codes(case), *_numerals(case)] + [
        case.finding(start, end, FindingKind.NUMBER, rival.of_another)
        for (start, end), rival in case.misplaced.items()
        if isinstance(rival.value, Named)
        and _CODE.fullmatch(case.prose, start, end)
        and case.claim_at(start) is not None
    ]


_PREFIXED = re.compile(r"(?<![\w-])([A-Z]{1,4})(-?)(\d{1,4})(?![\w-]|[.,]\d)")


def _codes(case: Case) -> list[Finding]:
    """Codes that stand nowhere, of which the evidence has others that begin like them: "CL-9" for "CL-7"."""
    told = " ".join(
        [*(f"{piece.title or ''} {piece.text}" for piece in case.evidence), *(m.text for m in case.conversation)]
    )
    known = {match[0] for match in _PREFIXED.finditer(told)}
    begins = {(match[1], match[2]) for match in _PREFIXED.finditer(told)}
    return [
        case.finding(match.start(), match.end(), FindingKind.NUMBER)
        for match in _PREFIXED.finditer(case.prose)
        if match[0] not in known
        and (match[1], match[2]) in begins
        and match[1] != "Q"
        and case.claim_at(match.start()) is not None
    ]


_NUMERAL = re.compile(
    r"\b(Annex|Appendix|Chapter|Part|Article|Section|Title|Volume|Book|Act|Phase|Stage|Class|Type|Grade|Schedule|Clause) ([IVXLC]{1,6}|\d{1,3})\b",
    re.I,
)


def _numerals(case: Case) -> list[Finding]:
    """Roman numbers of parts of which the evidence has others only."""
    told: dict[str, set[str]] = {}
    for source in case.sources:
        for match in _NUMERAL.finditer(source.text):
            told.setdefault(match[1].lower(), set()).add(_arabic(match[2]))
    return [
        case.finding(match.start(2), match.end(2), FindingKind.NUMBER)
        for match in _NUMERAL.finditer(case.prose)
        if match[2].isupper()
        and _arabic(match[2]) not in told.get(match[1].lower(), {_arabic(match[2])})
        and case.claim_at(match.start())
    ]


_WORTH = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def _arabic(numeral: str) -> str:
    if numeral.isdigit() or not set(numeral) <= _WORTH.keys():
        return numeral
    digits = [_WORTH[letter] for letter in numeral]
    return str(sum(-one if one < two else one for one, two in zip(digits, [*digits[1:], 0], strict=True)))


_CODE = re.compile(r"(?:[A-Z][a-z]+ )?[A-Z]{0,3}-?\d{1,4}[A-Z]?")
"""What is half a number: the "B14" of a gate."""


def _finding(case: Case, amount: Amount, explanation: str) -> Finding:
    return case.finding(*place_of(case, amount), kind_of(amount), explanation)
