"""Numbers and times that contradict what the assistant said before about the same thing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from guardrail.checks.alike import key
from guardrail.checks.amounts import Amount, amounts
from guardrail.checks.aside import prose
from guardrail.checks.case import Case, Claim, claims_of
from guardrail.checks.chosen import swapped
from guardrail.checks.content import STOP, WORD, stems
from guardrail.checks.deeds import deeds, not_done
from guardrail.checks.misplaced import conflicting, misplaced
from guardrail.checks.moments import Moment, moments
from guardrail.checks.named import Named, plain
from guardrail.checks.polarity import FILLERS, PARTS, Said, alike, clauses, clauses_of, opposed
from guardrail.checks.ranked import outranked, ranks
from guardrail.checks.slots import Slot, read
from guardrail.checks.support import comparable, same
from guardrail.checks.turns import keys
from guardrail.checks.values import agree
from guardrail.conversation import Evidence
from guardrail.verdict import Finding, FindingKind

__all__ = ["consistency"]

_CORRECTS = re.compile(
    r"\b(?:apolog\w+|sorry|correction|corrected|correcting|mistake\w*|misspoke|(?:was|were) wrong|earlier I|my (?:earlier|previous|last)|"
    r"previously|updated?|revised|rather than|what I said)\b",
    re.IGNORECASE,
)
"""What says that the answer takes back something."""
_ANEW = re.compile(r"\b(?:actually|instead|(?<!n['’]t )(?<!not )changed|now|new|latest|wrong|error)\b", re.IGNORECASE)
"""The same in one sentence, where it may mean something else."""
_MOST = 1_000
"""So many clauses of earlier turns are remembered, the last ones."""
_WORDS = 2
"""Two sentences that share fewer words of content may be about different things."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """One clause with its numbers and times."""

    start: int
    text: str
    words: frozenset[str]
    """Its words of content, numbers and times left out."""
    amounts: tuple[Amount, ...]
    moments: tuple[Moment, ...]


def consistency(case: Case) -> list[Finding]:
    """Numbers and times that differ from those of an earlier turn of the assistant in a clause with the same words.

    What the evidence or the user says now is no contradiction, nor is an answer that corrects itself.
    Needs no evidence.
    """
    if _CORRECTS.search(case.prose):
        return []
    places = [*_within(case)]
    if case.earlier and not case.turns.moves:
        places += _against_earlier(case)
    elif case.earlier and not case.turns.turns_away:  # what the user tells may not matter
        places += _denied(case, exactly=True)
    taken: list[Finding] = []
    for start, end, held in places:
        if not any(start < other.end and other.start < end for other in taken):
            taken.append(_finding(case, start, end, held))
    return taken


_CONTRASTS = re.compile(
    r"\b(?:but|however|although|though|while|whereas|except|unless|if|only|other|another|instead|rather|both|either|some|without|before|after|until|when|"
    r"usually|normally|sometimes|often|may|might|could|first|then|now|later|previously|new|old)\b", re.IGNORECASE,
)  # fmt: skip


def _within(case: Case) -> Iterator[tuple[int, int, str]]:
    """Clauses of the answer that deny in the same words what one before them says."""
    before: list[Said] = []
    for claim in case.claims[:_MOST_CLAIMS]:
        if _CONTRASTS.search(claim.text):
            continue
        for clause in clauses(claim):
            if len(clause.words) < _WORDS or clause.other:
                continue
            held = next(
                (b for b in before if b.words == clause.words and b.text != clause.text and opposed(clause, b)), None
            )
            if held is not None:
                yield clause.start, clause.start + len(clause.text), held.text
            before.append(clause)


_MOST_CLAIMS = 100


def _against_earlier(case: Case) -> list[tuple[int, int, str]]:
    """What contradicts an earlier turn."""
    before = [(text, said) for text in case.earlier for said in _statements(claims_of(prose(text)))][-_MOST:]
    found: list[tuple[int, int, str]] = []
    if not case.turns.turns_to:
        said = _statements(iter(case.claims))
        found += [place for statement in said for place in _contradicted(case, statement, before)]
        found += [*_elsewhere(case), *_swapped(case), *_not_done(case)]
    if not case.turns.turns_to & _known(case):
        found += _denied(case)
    return [*found, *_relabelled(case), *_unable(case), *_outranked(case)]


def _known(case: Case) -> frozenset[str]:
    return frozenset(word for piece in case.evidence for word in keys(piece.text))


def _elsewhere(case: Case) -> Iterator[tuple[int, int, str]]:
    """Values that the assistant gave of something else, or instead of which it gave another, in the same words."""
    told = [slot for number, text in enumerate(case.earlier) for slot in read(text, number)]
    given = [*(piece.text for piece in case.evidence), *(m.text for m in case.conversation if m.role != "assistant")]
    known = [slot for number, text in enumerate(given) for slot in read(text, number)]
    said = read(case.prose)
    for slot, rival in [*misplaced(said, told), *conflicting(said, told)]:
        if _ANEW.search(case.claims_text(slot.start)) or case.claim_at(slot.start) is None:
            continue
        if not case.turns.recalls and any(agree(slot.value, o.value) and _near(slot, o, rival) for o in known):
            continue
        yield slot.start, slot.end, _sentence(case.earlier[rival.unit[0]], rival.start)


def _near(slot: Slot, other: Slot, rival: Slot) -> bool:
    """Whether what was told of a value may be what is said of it: of a name, no less than was of the rival."""
    if not slot.near or not isinstance(slot.value, Named):
        return True
    return bool(slot.near & (other.near | other.wide)) and not (slot.near & rival.near) - other.near - other.wide


def _sentence(text: str, place: int) -> str:
    return next((claim.text for claim in claims_of(text) if claim.start <= place < claim.end), text)


def _denied(case: Case, *, exactly: bool = False) -> Iterator[tuple[int, int, str]]:
    """Clauses that say the opposite of one of an earlier turn, and that nothing at hand says now.

    ``exactly``: only of the very same words.
    """
    before = [clause for text in case.earlier for clause in clauses_of(claims_of(prose(text)))][-_MOST:]
    given = [*(piece.text for piece in case.evidence), *(m.text for m in case.conversation if m.role == "user")]
    told = [clause for text in given for claim in claims_of(text) if "?" not in claim.text for clause in clauses(claim)]
    for claim in case.claims:
        for clause in clauses(claim):
            if _ANEW.search(claim.text) or clause.other or _is_new(case, clause):
                continue
            like = (b for b in before if not exactly or (b.words == clause.words and len(b.words) > 1))
            against = (b for b in like if not (b.other and not b.sides) and opposed(clause, b))
            held = next((b for b in against if not _is_of_another(case, clause.words, b.words)), None)
            if held is not None and not any(alike(clause, other) for other in told):
                yield clause.start, clause.start + len(clause.text), held.text


_CANNOT = re.compile(
    r"\bI(?:['’]m| am| do| have| can)?[^.;]{0,16}?(?:can['’]t|cannot|can not|unable|not able|no way|no access|n['’]t have|not have|no means|not allowed|"
    r"n['’]t)\b([^.;]*)", re.IGNORECASE,
)  # fmt: skip
_HAVE_DONE = re.compile(
    r"\bI(?:['’]ve| have| just|['’]ve just| have just)?(?: already)? ((?:[a-z]{2,}ed|seen|sent|made|put|done|taken|found|set|looked|paid|went|gone) [^.;]*)",
    re.IGNORECASE,
)


def _unable(case: Case) -> Iterator[tuple[int, int, str]]:
    """What the assistant says it has done, after it had said that it cannot."""
    unable = [(match[0], keys(match[1]) - FILLERS) for text in case.earlier for match in _CANNOT.finditer(text)]
    for match in _HAVE_DONE.finditer(case.prose) if unable else ():
        done = keys(match[1]) - FILLERS
        held = next((text for text, words in unable if words & done), None)
        if held is not None:
            yield match.start(), match.end(), held


def _outranked(case: Case) -> Iterator[tuple[int, int, str]]:
    """Comparisons that say the contrary of an earlier one."""
    told = [(rank, text) for text in case.earlier for rank in ranks(text)]
    for rank, other in outranked(ranks(case.prose), [rank for rank, _ in told]) if told else ():
        if case.claim_at(rank.start) is not None:
            yield rank.start, rank.end, next(_sentence(text, known.start) for known, text in told if known is other)


def _swapped(case: Case) -> Iterator[tuple[int, int, str]]:
    """Options of the evidence in the place of those that an earlier turn spoke for."""
    for swap in swapped(case.prose, case.earlier, [piece.text for piece in case.evidence], case.turns):
        if case.claim_at(swap.start) is not None and not _ANEW.search(case.claims_text(swap.start)):
            yield swap.start, swap.end, swap.held


def _is_of_another(case: Case, said: frozenset[str], told: frozenset[str]) -> bool:
    """Whether a clause speaks of what the user has asked about only now."""
    asked = frozenset(key(word) for word in WORD.findall(case.question.lower()))
    new = (said - told - FILLERS) & asked
    return bool(new) and bool(new - case.words_before)


def _is_new(case: Case, clause: Said) -> bool:
    """Whether a clause of few words answers a question about something that was not talked of before."""
    if len(clause.words) > 1:
        return False
    before = [message.text for message in case.conversation[:-1]]
    known = frozenset(key(word) for text in before for word in WORD.findall(text.lower()))
    asked = next(iter(clauses(Claim(0, len(case.question), case.question))), None)
    return asked is not None and bool(asked.words - known - clause.words - _TALK)


_TALK = frozenset(
    key(word) for word in "tell told say said mean ask know remind check confirm repeat understand think".split()
)


def _not_done(case: Case) -> Iterator[tuple[int, int, str]]:
    """Names of whom the answer says what an earlier turn said of others, where nothing else names them."""
    given = [*(piece.text for piece in case.evidence), *(m.text for m in case.conversation if m.role != "assistant")]
    known = frozenset(plain(word) for text in given for word in WORD.findall(text))
    told = [deed for text in case.earlier for deed in deeds(text)]
    for doer, rival in not_done(deeds(case.prose), told) if told else ():
        if not doer.words & known:
            held = next((text for text in case.earlier if rival.text in text), rival.text)
            yield doer.start, doer.end, _sentence(held, held.index(rival.text))


_LABELLED = re.compile(
    r"\b((?:Day|Step|Week|Phase|Room|Team|Group|Option|Part|Stage|Round|Table|Track|Year|Level) (?:\d+|[A-Z]))\b[:,]? ?([^.;\n]*)"
)


def _relabelled(case: Case) -> Iterator[tuple[int, int, str]]:
    """Things under a numbered label that an earlier turn had under another."""
    earlier = [(m[1].lower(), m[2], m[0]) for text in case.earlier for m in _LABELLED.finditer(text)]
    for match in _LABELLED.finditer(case.prose):
        own = [(text, whole) for label, text, whole in earlier if label == match[1].lower()]
        others = [text for label, text, _ in earlier if label != match[1].lower()]
        if not own or not others:
            continue
        for word in re.finditer(r"[^\W\d_]{4,}", match[2]):
            key = stems(word[0])
            if key and not any(key & stems(text) for text, _ in own) and any(key & stems(text) for text in others):
                yield match.start(2) + word.start(), match.start(2) + word.end(), own[-1][1]


def _finding(case: Case, start: int, end: int, held: str) -> Finding:
    said = "an earlier answer in this conversation says otherwise"
    return Finding(
        start, end, case.answer[start:end], FindingKind.CONTRADICTED, None, (Evidence(held, "caller"),), said
    )


def _statements(claims: Iterator[Claim]) -> Iterator[_Statement]:
    for claim in claims:
        at = 0
        for part in [*PARTS.finditer(claim.text), None]:
            end = part.start() if part else len(claim.text)
            yield from _statement(claim.start + at, claim.text[at:end])
            at = part.end() if part else end


def _statement(start: int, text: str) -> Iterator[_Statement]:
    times = tuple(moment for moment in moments(text) if moment.sure)
    numbers = tuple(a for a in amounts(text, [(m.start, m.end) for m in times]) if a.readings[0][0] != "ordinal")
    if times or numbers:
        blank = list(text)
        for begin, end in [(m.start, m.end) for m in times] + [(a.start, a.end) for a in numbers]:
            blank[begin:end] = " " * (end - begin)
        yield _Statement(start, text, _keys("".join(blank)), numbers, times)


def _keys(text: str) -> frozenset[str]:
    """What the words of content are compared by; no numbers."""
    words = (word for word in WORD.findall(text.lower()) if word not in STOP and not word[0].isdigit())
    return frozenset(key(word) for word in words)


def _contradicted(case: Case, said: _Statement, before: list[tuple[str, _Statement]]) -> Iterator[tuple[int, int, str]]:
    """Places of ``said`` that the latest statement about the same contradicts."""
    for _, other in reversed(before):
        recalled = case.turns.asks_back and (_same_noun(said, other) or bool(said.words & other.words - FILLERS))
        known = said.words & other.words & case.turns.asked
        recalled = recalled or bool(
            known and said.words <= other.words | FILLERS | _FRESH and _only_value(case, said, other)
        )
        if not (_same_subject(said, other) or _same_count(said, other) or recalled):
            continue
        if not recalled and _is_of_another(case, said.words, other.words):
            continue
        wrong = [*_amounts(case, said, other), *_moments(case, said, other)]
        if said.amounts and _at_other_times(said, other):
            return
        right = sum(any(same(a, b) for b in other.amounts) for a in said.amounts)
        right += sum(_agree(a, b) for a in said.moments for b in other.moments)
        if len(wrong) == 1 or (wrong and right):
            yield from ((said.start + start, said.start + end, other.text) for start, end in wrong[:1])
        return


_AFTER = re.compile(r"[ ](\w{3,})[ ](?:(?:is|are|was|were|have|has|had|been|will|be)[ ]){0,3}(\w{3,})")


_FRESH = frozenset(key(word) for word in "new next final latest".split())


def _only_value(case: Case, said: _Statement, other: _Statement) -> bool:
    """Whether each has one date or quantity, the earlier turns no other of that sort, and the evidence not that of the answer."""
    texts = [statement for text in case.earlier for statement in _statements(claims_of(prose(text)))]
    if len(said.moments) == len(other.moments) == 1 and not said.amounts:
        one = said.moments[0]
        alike = [m for text in texts for m in text.moments if m.grain == one.grain]
        return len(alike) == 1 and one.grain == "date" and not any(_agree(one, time) for time in case.times)
    if len(said.amounts) == len(other.amounts) == 1 and not said.moments:
        number = said.amounts[0]
        same_sort = [a for text in texts for a in text.amounts if comparable(a, number)]
        known = any(same(number, fact) for facts in case.facts for fact in facts)
        return len(same_sort) == 1 and not number.bare and not known
    return False


def _same_count(said: _Statement, other: _Statement) -> bool:
    """Whether both count the same things that do the same: "seven people were injured"."""
    one, two = ({(key(m[1].lower()), key(m[2].lower())) for m in _followers(side)} for side in (said, other))
    return bool(one & two)


def _same_noun(said: _Statement, other: _Statement) -> bool:
    """Whether each has one number, of the same things: "1,200 rows"."""
    one, two = (
        {key(m[1].lower()) for amount in side.amounts if (m := _NOUN.match(side.text, amount.end))}
        for side in (said, other)
    )
    return len(one) == len(two) == 1 and one == two


_NOUN = re.compile(r"[ ]([a-z]{3,})\b")


def _followers(side: _Statement) -> Iterator[re.Match[str]]:
    for amount in side.amounts:
        match = _AFTER.match(side.text, amount.end)
        if match and match[1].lower() not in STOP and match[2].lower() not in STOP:
            yield match


def _at_other_times(said: _Statement, other: _Statement) -> bool:
    """Whether both name a day or year, and not the same."""
    one, two = ([m for m in side.moments if m.grain == "date"] for side in (said, other))
    return bool(one and two) and not any(_agree(a, b) for a in one for b in two)


def _same_subject(said: _Statement, other: _Statement) -> bool:
    """Whether every word of one clause is in the other."""
    if len(said.words & other.words) < _WORDS:
        return False
    one, two = said.words - FILLERS, other.words - FILLERS
    return bool(one & two) and (one <= two or two <= one)


def _amounts(case: Case, said: _Statement, other: _Statement) -> Iterator[tuple[int, int]]:
    for amount in said.amounts:
        like = [fact for fact in other.amounts if comparable(amount, fact)]
        if not like or any(same(amount, fact) or same(fact, amount) for fact in like):
            continue
        if len(like) > 1 and len(said.amounts) > 1:
            continue
        if case.turns.recalls or not any(same(amount, fact) for sentence in case.facts for fact in sentence):
            yield amount.start, amount.end


def _moments(case: Case, said: _Statement, other: _Statement) -> Iterator[tuple[int, int]]:
    known = case.times
    for moment in said.moments:
        like = [fact for fact in other.moments if fact.grain == moment.grain and _comparable(moment, fact)]
        if like and not any(_agree(moment, fact) for fact in [*like, *known]):
            yield moment.start, moment.end


def _comparable(one: Moment, two: Moment) -> bool:
    """Whether both name the same parts of a date."""
    return any(
        all((a is None) == (b is None) for a, b in zip(r, s, strict=True)) for r in one.readings for s in two.readings
    )


def _agree(one: Moment, two: Moment) -> bool:
    """Whether two times of one grain may be the same: no part that both name differs."""
    if one.grain != two.grain:
        return False
    return any(
        all(a is None or b is None or a == b for a, b in zip(r, s, strict=True)) and any(
            a is not None and a == b for a, b in zip(r, s, strict=True)
        )
        for r in one.readings
        for s in two.readings
    )  # fmt: skip
