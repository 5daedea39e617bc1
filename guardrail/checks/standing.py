"""Which numbers of the answer something at hand bears out: states, implies or counts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations, pairwise

from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case, Claim
from guardrail.checks.content import stems
from guardrail.checks.counts import gives_other_count, pair_stands
from guardrail.checks.derived import cues, derived, multiples
from guardrail.checks.reckoned import day_of, days_between, minutes_between
from guardrail.checks.sums import results, spans
from guardrail.checks.support import close, comparable, same
from guardrail.checks.timeline import in_relation, unknown_times
from guardrail.verdict import FindingKind

__all__ = ["in_sum", "is_denied", "is_proportion", "kind_of", "place_of", "unsupported"]

_ANAPHOR = re.compile(
    r"\b(?:the|these|those|both|all|other|last|next|following|any|every|another|no)[ ]\Z", re.IGNORECASE
)
_DENIED = re.compile(r"(?:\b(?:not|n['’]t|never|rather than|instead of|nor)(?: \w+)?|wrong(?:ly)?)[ ]\Z", re.IGNORECASE)
_FIRST = re.compile(r"(?:\A|[.!?:;][ ]|[\n*_\"“(>|-])\s*\Z")
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
_RECKONS = re.compile(
    r"\b(?:rate|share|proportion|percentage|aged?|increase|decrease|rise|discount|tax|VAT|interest|tip|in total|total(?:s|ling|ed)?|altogether|together|combined|in all|adds? up|sum|averag\w*|mean|median|sav(?:e|es|ing)|led|leads?|"
    r"ahead|behind|differ\w*|margin|remain\w*|left|leaves|share of|makes? up|(?:rose|fell|grew|up|down) by|as (?:much|many)|works? out|"
    r"comes? to|i\.e|that is)\b",
    re.IGNORECASE,
)
"""What says that a number was reckoned."""
_ASKS = re.compile(
    r"\b(?:how (?:long|old)|by how much|by what|in total|altogether|together|combined|in all|sum|average|mean|median|difference|"
    r"left|remain\w*|rate|share|proportion|percentage|profit|what (?:do|will|would|does|did|should) .{1,40}(?:pay|cost|be|get)|"
    r"how (?:much|many) .{1,40}(?:need|owe|pay|cost|get))\b",
    re.IGNORECASE,
)
"""What asks for a reckoning."""
_NEEDS = re.compile(r"\bhow (?:much|many) .{1,40}(?:need|owe)\b", re.IGNORECASE)
_REST = re.compile(r"\b(?:after|with|at|for|including|plus|less|minus)\b.{0,40}\d", re.IGNORECASE)
_NEGATED = re.compile(r"(?:\b(?:not|never)|n['’]t)\b[^,;]*\Z", re.IGNORECASE)
_AGE_NOW = re.compile(r"['’]?s\b|[ -](?:years? )?(?:ago|old|anniversary|birthday)\b", re.IGNORECASE)
"""Decades of a life, and what depends on the day of the answer."""
_NOUN = re.compile(r" ([a-z]{3,})\b")
_MOST = 30
_SMALL = 20
"""Two small numbers make most others."""


def kind_of(amount: Amount) -> FindingKind:
    """A number without a unit, or a quantity."""
    return FindingKind.NUMBER if amount.readings[0][0] in ("", "ordinal") else FindingKind.QUANTITY


def place_of(case: Case, amount: Amount) -> tuple[int, int]:
    """The place of a number in the answer with the figures that it is joined to."""
    return _group(case.prose, amount)


def is_denied(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether the answer says that it is another number."""
    if _LIMIT.search(case.prose, max(claim.start, amount.start - 30), amount.start):
        return False
    before = case.prose[max(0, amount.start - 24) : amount.start]
    return bool(_DENIED.search(before) or _NEGATED.search(case.prose[claim.start : amount.start]))


_LIMIT = re.compile(
    r"\b(?:exceed|go (?:over|above|beyond|below|under)|(?:more|less|fewer|longer|later|earlier|older|younger|higher|lower|sooner) than|above|over|"
    r"beyond|below|under|until|before|without)\b[^,;]*\Z", re.IGNORECASE,
)  # fmt: skip
"""What makes a "not" before a number a limit: it still has to be the right number."""


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


def unsupported(case: Case) -> list[tuple[Amount, bool]]:
    """The numbers in claims that nothing at hand bears out, and whether each is said to be reckoned."""
    if not case.evidence:
        return []
    found, seen = [], set()
    for amount in case.amounts:
        claim = case.claim_at(amount.start)
        if claim is None or in_sum(case, amount):
            continue
        place = place_of(case, amount)
        if (pair := pair_stands(case, case.prose[place[0] : place[1]])) is None:
            miscounted = _is_miscounted(case, amount) or _has_other_count(case, claim, amount)
            if not miscounted and (_passed_over(case, claim, amount) or _is_supported(case, amount)):
                continue
        elif pair:
            continue
        if place not in seen:
            seen.add(place)
            found.append((amount, _is_reckoned(case, claim, amount)))
    return found


def _has_other_count(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether the evidence counts the same things otherwise, and nothing says that the answer's number was reckoned."""
    before = case.prose[max(0, amount.start - 24) : amount.start]
    if _ANAPHOR.search(before) or amount.value <= 1 or is_denied(case, claim, amount):
        return False
    if _proportion(case, claim, amount) is not None or not gives_other_count(case, amount):
        return False
    if _is_stated(case, amount):
        return not _SUM.search(f"{claim.text} {case.question}") and not _adds_up(case, claim, amount)
    return not _is_supported(case, amount)


def _adds_up(case: Case, claim: Claim, amount: Amount, shown: Sequence[Amount] = ()) -> bool:
    """Whether a number is the sum of others in a row in the same claim: "40 singers: 24 women and 16 men"."""
    others = [
        a for a in case.amounts if claim.start <= a.start < claim.end and a is not amount and comparable(a, amount)
    ]
    for first in range(len(others) - 1):
        for last in range(first + 2, len(others) + 1):
            if abs(sum(a.value for a in others[first:last]) - amount.value) < 1e-9 and all(
                _is_stated(case, a) or a in shown for a in others[first:last]
            ):
                return True
    return False


def _is_reckoned(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether the answer says that a number was reckoned, or the question asks for that and there is what to reckon with."""
    clause = _clause(case, claim, amount)
    if _RECKONS.search(clause):
        return True
    if amount.readings[0][0] == "ordinal":
        return False
    facts = [fact for sentence in case.facts for fact in sentence]
    alike = sum(comparable(amount, fact) for fact in facts)
    if alike > 1 and (cues(claim.text) or cues(case.question)):
        return True
    if (
        amount.readings[0][0] in ("percent", "share")
        and len(facts) > 1
        and (_ASKS.search(case.question) or cues(clause))
    ):
        return True
    if alike and len(facts) > 1 and "product" in cues(clause) | cues(case.question):
        return True
    if not _ASKS.search(case.question):
        return False
    if _NEEDS.search(case.question) and len(facts) > 1:
        return True
    if any(fact.readings[0][0] == "percent" for fact in facts) and any(comparable(amount, fact) for fact in facts):
        return True
    times = amount.readings[0][0] == "time" and sum(m.grain in ("time", "date") for m in case.times) > 1
    return times or sum(comparable(amount, fact) or amount.readings[0][0] == "percent" for fact in facts) > (
        0 if _REST.search(claim.text) else 1
    )


def in_sum(case: Case, amount: Amount) -> bool:
    """Whether a number stands in an equation, which tells whether it is right."""
    return any(start <= amount.start < end for start, end in spans(case))


def _is_supported(case: Case, amount: Amount) -> bool:
    return (amount.start, amount.end) in _supported_places(case) or _in_points(case, amount)


def _in_points(case: Case, amount: Amount) -> bool:
    """Whether a number of points lies between two percentages: "0.6 points lower"."""
    if not amount.bare or not _POINTS.match(case.prose, amount.end):
        return False
    percents = [fact.value for facts in case.facts for fact in facts if fact.readings[0][0] == "percent"]
    return any(abs(abs(one - two) - amount.value) < 1e-6 for one, two in combinations(percents[:40], 2))


_OF_WHOLE = re.compile(r" (?:out )?of (?:the |its |their |these |those )?(\d[\d,]{0,9})(?![\d.])")
_POINTS = re.compile(r" (?:percentage )?points?\b")


def _supported_places(case: Case) -> set[tuple[int, int]]:
    """Of the numbers that are stated, and of those that follow from these, or from those that follow."""
    if (known := case.shelf.get("supported")) is not None:
        return known
    places = case.shelf["supported"] = set()
    rest = [(amount, claim) for amount in case.amounts if (claim := case.claim_at(amount.start)) is not None]
    shown = [*results(case), *_years(case)]
    for _ in range(3):
        new = [amount for amount, claim in rest if _stands(case, claim, amount, shown)]
        if not new:
            break
        places |= {(amount.start, amount.end) for amount in new}
        rest = [(amount, claim) for amount, claim in rest if (amount.start, amount.end) not in places]
        followed = [amount for amount in new if not _is_stated(case, amount)]
        if not followed:
            break
        shown = [*shown, *followed]
    return places


def _years(case: Case) -> Iterator[Amount]:
    """The years that the answer says and that stand."""
    unknown = unknown_times(case)
    for m in case.moments:
        if m.grain == "date" and m.sure and m not in unknown and (year := m.readings[0][0]):
            yield Amount(m.start, m.end, str(year), (("", float(year)),), 1.0, 4, False, "", float(year), float(year))


_LISTED = re.compile(r"^[ \t*#-]*([^\n:.,]{3,50}):[ \t*]*([^\n:]+?,[^\n:]+?)(?:\.(?=\s|\Z)|;|\n|\Z)", re.MULTILINE)
_BULLETED = re.compile(
    r"^[ \t*#]*([^\n:.,]{3,60}):?[ \t*]*\n+((?:[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+[^\n]+(?:\n|\Z)){2,})", re.MULTILINE
)
_DIGIT = re.compile(r"\d")
_PARTLY = re.compile(r"\b(?:includ\w*|such as|e\.g|examples?|among|some|etc|more|others?)\b", re.IGNORECASE)


def _is_miscounted(case: Case, amount: Amount) -> bool:
    """Whether the evidence lists the things that the answer counts, under their name, and has another number of them."""
    noun = _NOUN.match(case.prose, amount.end)
    if not amount.bare or not noun or not 1 < amount.value <= _MOST or amount.value != int(amount.value):
        return False
    wanted = stems(noun[1])
    counts = {count for head, count in _lists(case) if wanted and wanted <= stems(head.split(" of ")[0])}
    return bool(counts) and amount.value not in counts and not _is_stated(case, amount)


def _lists(case: Case) -> Iterator[tuple[str, int]]:
    """What lists in the evidence are called, and how many things they have."""
    for piece in case.evidence:
        for match in _LISTED.finditer(piece.text):
            if not _PARTLY.search(match[0]) and not _DIGIT.search(match[2]):
                yield match[1], len([part for part in re.split(r",(?!\d)|[ ]and[ ]", match[2]) if part.strip(" *")])
        for match in _BULLETED.finditer(piece.text):
            if not _PARTLY.search(match[1]):
                yield match[1], len(match[2].strip().splitlines())


def _passed_over(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether a number is none that evidence would have to state."""
    before = case.prose[max(0, amount.start - 24) : amount.start]
    name = amount.readings[0][0]
    small = amount.bare and amount.value <= 10 and amount.value == int(amount.value)
    if (
        _AGE_NOW.match(case.prose, amount.end)
        or in_relation(case, amount.start)
        or any(m.start() <= amount.start < m.end() for m in _IDIOM.finditer(case.prose, claim.start, claim.end))
    ):
        return True
    if (share := _proportion(case, claim, amount)) is not None and _EVERY.search(share.text):
        return False
    if name == "ordinal" and amount.value <= _FIRST_PLACES and _ANAPHOR.search(before):
        return True
    if amount.text[:1].isupper() and not _FIRST.search(before):  # "League Two"
        return True
    joined = _group(case.prose, amount) != (amount.start, amount.end)
    if (
        (amount.value == 1 and amount.bare and not joined)
        or (small and name != "ordinal" and _ANAPHOR.search(before))
        or is_denied(case, claim, amount)
    ):
        return True
    if name == "ordinal":
        return _no_place(case, amount, before)
    if name == "share":
        part = re.search(r"\b(?:first|second|other|latter|better|last) \Z", before, re.IGNORECASE)
        alone = not _SHARES.search(amount.text)
        return bool(part) or (alone and not re.match(r" (?:of|the|an?)\b", case.prose[amount.end : amount.end + 6]))
    if (
        case.tabular
        and sum(map(len, case.facts)) > _TABLE
        and (_RECKONED.search(f"{claim.text} {case.question}") or (amount.bare and amount.value <= _SMALL))
    ):
        return True
    if (
        small
        and (whole := _OF_WHOLE.match(case.prose, amount.end))
        and any(fact.written == float(whole[1].replace(",", "")) for facts in case.facts for fact in facts)
    ):
        return False  # "eight of the 21"
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


def _is_stated(case: Case, amount: Amount) -> bool:
    facts: Iterable[Amount] = chain(*case.facts, case.facts_before)
    if amount.readings[0][0] == "percent" and not case.percentages:  # 28 people are not 28 %
        facts = (fact for fact in facts if not fact.bare or fact.value <= 1)
    return any(same(amount, fact) for fact in facts)


def _is_of_another_time(case: Case, amount: Amount) -> bool:
    """Whether the evidence has just this amount, but a month and not a year."""
    if not amount.per or amount.bare:
        return False
    alike = [
        fact.per
        for sentence in case.facts
        for fact in sentence
        if fact.readings[0] == amount.readings[0] and fact.figure == amount.figure
    ]
    return bool(alike) and "" not in alike and amount.per not in alike


def _stands(case: Case, claim: Claim, amount: Amount, shown: list[Amount]) -> bool:
    """Whether a number is stated, follows or was counted. ``shown``: numbers of the answer that stand already."""
    if _is_of_another_time(case, amount):
        return False
    if _is_stated(case, amount) or any(same(amount, result) for result in shown if result is not amount):
        return True
    if case.tabular and any(abs(amount.written - fact.written) < 1e-9 for sentence in case.facts for fact in sentence):
        return True
    if (share := _proportion(case, claim, amount)) is not None:
        if _is_stated(case, share) or derived(share, case.operands):
            return True
        if _EVERY.search(share.text):
            return False
    if _same_noun(case, amount):
        return (
            _adds_up(case, claim, amount, shown)
            or _is_whole(case, amount)
            or (amount.value > 10 and _rest_of_pair(case, amount))
        )
    if _adds_up(case, claim, amount, shown):
        return True
    if _has_other_unit(case, amount):
        return False
    if _follows(case, claim, amount, shown):
        return True
    if amount.readings[0][0] == "ordinal":
        return any(day == amount.value for moment in case.times for _, _, day in moment.readings)
    if amount.readings[0][0] == "" and (_dated(case, amount) or _is_age(case, amount)):
        return True
    return amount.bare and amount.value == int(amount.value) and _counted(case, claim, amount)


def _has_other_unit(case: Case, amount: Amount) -> bool:
    """Whether the evidence has this figure in another unit of its kind: miles for kilometres."""
    if amount.bare or amount.figure <= _FIRST_PLACES:
        return False
    return any(
        comparable(amount, fact)
        and not fact.bare
        and fact.figure == amount.figure
        and fact.readings[0][0] == amount.readings[0][0]
        for facts in case.facts
        for fact in facts
    )


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


def _follows(case: Case, claim: Claim, amount: Amount, shown: list[Amount]) -> bool:
    """Whether a number comes of others: of small ones without a unit, only where it is said to."""
    if place_of(case, amount) != (amount.start, amount.end):
        return False
    if _is_whole(case, amount):
        return True
    told = [fact for sentence in case.operands for fact in sentence]
    clause = _clause(case, claim, amount)
    done = cues(clause) or cues(claim.text) or cues(case.question)
    if "mean" in done and any(_MEAN.search(source.text) for source in case.sources if source.evidence is not None):
        done -= {"mean"}  # it is told, and needs no reckoning
    if amount.digits >= 3 and amount.value > _SMALL and "mean" not in done:
        done = done | {"sum", "difference", "product", "mean"}
    elif amount.readings[0][0] == "time":
        done |= {"difference", "product"}
    elif amount.readings[0][0] in ("percent", "share") or (amount.about and not amount.bound):
        done |= {"sum", "difference", "product"}
    elif len(told) <= _PAIRED and amount.value > 10:
        done |= {"difference", "product"} if amount.bare else {"difference"}
    elif amount.bare and amount.value > 10 and _rest_of_pair(case, amount):
        done |= {"difference"}
    elif _counts_all(case, claim, amount, told) or (
        len(told) <= _FEW and _OF.search(case.prose[max(0, amount.start - 16) : amount.end + 8])
    ):
        done |= {"sum"}
    groups = [*case.operands, [*told, *shown]] if shown and len(told) + len(shown) <= 2 * _FEW else case.operands
    near = [a for a in case.amounts if claim.start <= a.start < claim.end and a is not amount and a.value <= _SMALL]
    times = multiples(claim.text) | {a.figure for a in near if a.figure == int(a.figure) and a.figure > 1}
    change = _change(case.prose, amount) if amount.readings[0][0] in ("percent", "share") else ""
    return derived(amount, groups, done, scale=case.scale, times=times, change=change) or _lasts(case, amount)


_MEAN = re.compile(
    r"\b(?:average|mean|median|rating|rated)\b[^.;]{0,20}\d|\d[^.;]{0,20}\b(?:on average|average|mean|median)\b",
    re.IGNORECASE,
)
_SHARES = re.compile(r"\d|[ -](?:halves|thirds|quarters|fifths|sixths|eighths|tenths)\b", re.IGNORECASE)
_IDIOM = re.compile(r"\b(?:(?:seven|7) days a week|365 days a year|24[/x]7|50[/-]50|20/20|9[- ]to[- ]5)\b")
_RATIO = re.compile(
    r"\b(\d{1,3}|one|two|three|four|five|six|seven|eight|nine) (?:(?:out of|in|of) (?:every|each)|in|out of) "
    r"(\d{1,4}|two|three|four|five|six|seven|eight|nine|ten|twenty|a hundred|a thousand)\b(?! (?:hours?|days?|weeks?|months?|years?|minutes?|seconds?))",
    re.IGNORECASE,
)
_EVERY = re.compile(r" (?:every|each) | in ", re.IGNORECASE)


def _proportion(case: Case, claim: Claim, amount: Amount) -> Amount | None:
    """The share that "one in four" or "two out of every three" is, of which the amount is a part; none where both are told."""
    for match in _RATIO.finditer(case.prose, claim.start, claim.end):
        if not match.start() <= amount.start < match.end():
            continue
        inside = [a for a in case.amounts if match.start() <= a.start < match.end()]
        if len(inside) != 2 or not 0 < inside[0].value < inside[1].value or not all(a.bare for a in inside):
            continue
        if all(_is_stated(case, a) for a in inside):
            return None
        share = inside[0].value / inside[1].value
        bound = inside[0].bound
        return Amount(match.start(), match.end(), match[0], (("share", share),), 1e-6, 6, True, bound, share, share)
    return None


def is_proportion(case: Case, claim: Claim, amount: Amount) -> bool:
    """Whether a number is part of a share: "two out of every three"."""
    return _proportion(case, claim, amount) is not None


def _is_whole(case: Case, amount: Amount) -> bool:
    """Whether a number is the sum of all numbers of its sort, three or more, in a sentence of the evidence."""
    if amount.value <= _SMALL or amount.readings[0][0] in ("share", "ordinal"):
        return False
    for facts in case.facts:
        values = [
            fact.value for fact in facts if comparable(amount, fact) and fact.readings[0][0] == amount.readings[0][0]
        ]
        if len(values) > 2 and abs(sum(values) - amount.value) < 1e-6 * amount.value:
            return True
    return False


def _counts_all(case: Case, claim: Claim, amount: Amount, told: Sequence[Amount]) -> bool:
    """Whether the claim says of how many things it speaks, and so many numbers are at hand."""
    counts = {a.value for a in case.amounts if claim.start <= a.start < claim.end and a.bare and a is not amount}
    return 1 < sum(comparable(amount, fact) for fact in told) in counts


_UP = r"(?:up|ris\w+|rose|grew|grow\w*|gain\w*|increas\w*|jump\w*|climb\w*|surg\w+|rais\w+)"
_DOWN = r"(?:down|fall\w*|fell|drop\w*|declin\w+|decreas\w*|reduc\w+|lower\w*|cut|shrank|slump\w*)"
_BY = r"(?:[ ](?:by|of))(?:[ ](?:about|roughly|around|nearly|almost|over|some|just|only|under|more than))?[ ]\Z"
_ROSE, _FELL = re.compile(rf"\b{_UP}{_BY}", re.IGNORECASE), re.compile(rf"\b{_DOWN}{_BY}", re.IGNORECASE)
_MORE = re.compile(r"[ ](?:more|higher|increase|rise|growth|larger|bigger|dearer)\b", re.IGNORECASE)
_LESS = re.compile(
    r"[ ](?:less|fewer|lower|off\b|decrease|drop|decline|fall|reduction|smaller|cheaper|discount)\b", re.IGNORECASE
)


def _change(text: str, amount: Amount) -> str:
    """Whether a percentage is said to be a rise or a fall."""
    before = text[max(0, amount.start - 40) : amount.start]
    if _ROSE.search(before) or _MORE.match(text, amount.end):
        return "up"
    return "down" if _FELL.search(before) or _LESS.match(text, amount.end) else ""


def _rest_of_pair(case: Case, amount: Amount) -> bool:
    """Whether a number is the rest of one number without the next: "26 pupils, 14 girls"."""
    return any(
        abs(one.value - two.value) == amount.value
        for facts in case.operands
        for one, two in pairwise(facts)
        if one.bare and two.bare
    )


def _clocks(case: Case) -> Iterator[float]:
    """The seconds from one of the times to another that are given to the second."""
    found = case.clocks[:20]
    yield from (float(abs(one - two)) for one, two in combinations(found, 2))


def _places(case: Case) -> Iterator[float]:
    """The days from one day of a month to another: "the 3rd", "the 5th"."""
    days = {
        fact.value
        for facts in case.facts
        for fact in facts
        if fact.readings[0][0] == "ordinal" and fact.value <= _MONTH
    }
    yield from (86400.0 * abs(one - two) for one, two in combinations(sorted(days)[:12], 2))


_MONTH = 31


def _lasts(case: Case, amount: Amount) -> bool:
    """Whether a length of time lies between two times at hand."""
    if amount.readings[0][0] != "time":
        return False
    if any(abs(amount.value - months * 2629800) < 0.02 * amount.value for months in _months(case)):
        return True
    times = [at for m in case.times if m.grain == "time" for at, _, _ in m.readings if at is not None]
    readings = [reading for m in case.times if m.grain == "date" for reading in m.readings]
    years = {year for year, _, _ in readings if year} or {2023}
    told = (day_of(one, month, day) for year, month, day in readings for one in ({year} if year else years))
    days = [day for day in told if day is not None]
    lengths = [60.0 * minutes for minutes in minutes_between(times[:12])] + [
        86400.0 * count for count in days_between(days)
    ]
    lengths += [*_clocks(case), *_places(case)]
    return any(close(amount, amount.value, length, 0.02 if length > 40 * 86400 else 1e-6) for length in lengths)


def _months(case: Case) -> Iterator[int]:
    """How long the ranges of months at hand are, the last one counted or not; months from one month of a year to another."""
    ends = {(y, m) for time in case.times if time.grain == "date" for y, m, _ in time.readings if y and m}
    for (one_year, one_month), (year, month) in combinations(sorted(ends)[:20], 2):
        yield 12 * (year - one_year) + month - one_month
    for first, last in pairwise(case.times):
        if last.until and first.grain == last.grain == "date":
            (_, one, day), (_, two, other) = first.readings[0], last.readings[0]
            if one and two and not day and not other:
                yield from ((two - one) % 12, (two - one) % 12 + 1)


_TABLE = 10
"""From more numbers than that in tables anything may have been reckoned."""
_FEW = 7
"""Of so few numbers any may have been added, without a word that says so."""
_PAIRED = 2
"""What is missing of one number to the other needs no word."""
_OF = re.compile(
    r"\d of (?:the |its )?\d|\b(?:half|third|quarter|most|part|all) of (?:the |all |its )\d", re.IGNORECASE
)
_FIRST_PLACES = 3
_PAUSE = re.compile(r"[;:,](?=\s)|[()—]|\s[-–]\s")


def _clause(case: Case, claim: Claim, amount: Amount) -> str:
    """The words between the pauses around a number."""
    start = max((m.end() for m in _PAUSE.finditer(case.prose, claim.start, amount.start)), default=claim.start)
    stop = _PAUSE.search(case.prose, amount.end, claim.end)
    return case.prose[start : stop.start() if stop else claim.end]


def _dated(case: Case, amount: Amount) -> bool:
    """Whether a bare number is the day, year or hour of a date at hand."""
    value = int(amount.value)
    return any(value in reading or 60 * value in reading for moment in case.times for reading in moment.readings)


_AGED = re.compile(r"\b(?:aged?|age of|at|turn(?:s|ed)?)[ ]\Z|\bage\b.{0,30}\bor \Z", re.IGNORECASE)


def _is_age(case: Case, amount: Amount) -> bool:
    """Whether a number is said to be an age and lies between two years at hand."""
    if not _AGED.search(case.prose[max(0, amount.start - 40) : amount.start]) or not 0 < amount.value < 120:
        return False
    years = [year for m in case.times if m.grain == "date" for year, _, _ in m.readings if year]
    return any(abs(one - two) - amount.value in (0, 1) for one, two in combinations(years[:30], 2))


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
