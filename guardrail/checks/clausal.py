"""Which words belong to a value: those of its clause, of its subject, of the verb that is left out. Pure, and English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from guardrail.checks.amounts import Amount
from guardrail.checks.content import stem
from guardrail.checks.named import Named
from guardrail.checks.values import Value, Word

__all__ = ["IT", "clauses_in", "surroundings"]

_CUT = re.compile(
    r"[;,:](?=\s)|\((?=[^()]{25}|\d[^()]* [a-z]{3})|(?<=[^()]{25})\)|[—|]|\s[-–]\s|\b(?:and|but|while|whereas|against|although|though|then|with|before|after|until|versus|vs|plus|"
    r"compared|(?:up|down) from|than)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|will|would|can|could|may|might|must|should|shall|do|does|did|[a-z]{3,}ed|"
    r"came|went|rose|fell|grew|won|lost|made|took|gave|held|began|sold|bought|built|led|wrote|paid|drew|ran|left|became|"
    r"(?:run|cost|weigh|last|hold|take|get|come|begin|start|open|need|stand|measure|include|contain|pay|earn|sell|lead|depart|leave|"
    r"arrive|close|buy|call|bring|give|make|use|live|work|play|move|meet|lie|belong|cover|offer|receive|win|own|teach|drive|"
    r"serve|carry|publish|connect|control|require|allow|show|drink|eat|grow|produce|employ|end|beat|answer|send|keep)s?|"
    r"goes|reaches|carries|teaches|publishes|rises|falls|flows|enters|joins|passes|supports|handles|returns|accepts|expires|applies|"
    r"follows|treats|stores|provides|delivers|listens|affects|gains|loses|adds|removes|represents|owns|hosts|feeds|helps|causes|"
    r"means|says|wants|knows|runs|weighs|lies|sits|links|crosses|protects|prevents|spans|holds|rests)\b"
)
_ASIDE = re.compile(r"against|versus|vs|compared|(?:up|down) from|than", re.IGNORECASE)
"""What follows is there to be compared with: the sentence is about another."""


IT = re.compile(r"\W*(?:it|he|she|they|this|these|that|those|both)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Clause:
    start: int
    end: int
    aside: bool
    """Whether it only says what something is compared with."""
    words: tuple[Word, ...]
    lead: frozenset[str]
    """The words before its verb, or all where it has none."""
    verb: int | None
    """Where its verb stands."""
    is_phrase: bool
    """Whether it begins with a preposition and has no verb."""

    @property
    def has_verb(self) -> bool:
        return self.verb is not None

    @property
    def subject(self) -> frozenset[str]:
        return self.lead if (self.has_verb or self.is_phrase) and len(self.lead) <= 4 else frozenset()

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(word.stem for word in self.words)


def clauses_in(text: str, first: int, last: int, words: Sequence[Word], values: Sequence[Value]) -> list[_Clause]:
    inside = [(value.start, value.end) for value in values]
    cuts = [m.span() for m in _CUT.finditer(text, first, last) if not any(a <= m.start() < b for a, b in inside)]
    found = []
    for begin, end in zip([(first, first), *cuts], [*(cut[0] for cut in cuts), last], strict=True):
        own = tuple(word for word in words if begin[1] <= word.start < end)
        verb = _verb(text, begin[1], end, values)
        lead = frozenset(word.stem for word in own if verb is None or word.start < verb)
        phrase = verb is None and _PHRASE.match(text, begin[1], end) is not None
        aside = _ASIDE.fullmatch(text, *begin) is not None
        found.append(_Clause(begin[1], end, aside, own, lead, verb, phrase))
    return found


def _verb(text: str, start: int, end: int, values: Sequence[Value]) -> int | None:
    """Where the first verb of a clause stands; what a name does is one, whichever word it is."""
    known = _VERB.search(text, start, end) or _GOES_ON.match(text, start, end)
    acts = (
        _ACTS.match(text, v.end, end)
        for v in values
        if isinstance(v, Named) and start <= v.start < end and " " in v.text
    )
    places = [match.start(1) for match in (*acts,) if match] + ([known.start(known.lastindex or 0)] if known else [])
    return min(places, default=None)


_FIRST_OF = 6
"""So near to a clause's beginning a name stands that is its subject."""
_RELATIVE = re.compile(r"\s*(?:which|who|that|where)\b")
_NO_NOUN = re.compile(
    r"\s*(?:(?:in|on|at|for|by|from|to|during|under|over|after|afterwards|later|then|an?|the)\b|[.,;)]|\Z)"
)
"""What follows a value that counts what the one before it counts."""
_OWN_END = re.compile(
    r"\s*(?:in|on|at|for|by|from|to|during|under|over|after|afterwards?|later|then|before(?:hand)?|now)\b", re.I
)
_OWN_END_IN = re.compile(r"\b(?:in|on|at|for|by|from|to|during|under|over|after)\b", re.IGNORECASE)
_ONES = re.compile(r"\bthe \w+ ones?\b", re.IGNORECASE)
_ONE_WORDS = frozenset({stem("one"), stem("ones")})
_THEM = re.compile(r"\b(?:them|it)\b", re.IGNORECASE)
_ACTS = re.compile(r"[ ]([a-z]{3,}(?:s|ed))\b")
_GOES_ON = re.compile(r"\s*([a-z]{3,}s)[ ](?:the|an?|its|his|her|their|into|through)\b")
"""A clause that begins with a verb goes on with the subject of the one before."""
_PHRASE = re.compile(
    r"\s*(?:in|on|at|by|from|of|for|to|during|since|until|under|over|within|into|near|as|according|per|through)\b", re.I
)


def surroundings(
    text: str, clauses: Sequence[_Clause], value: Value, values: Sequence[Value], subject: frozenset[str]
) -> tuple[_Clause, frozenset[str]]:
    """The clause of a value and the words that belong to it: those before it too where it has none of its own, as an item
    of a list has none; the subject where it has none; the verb of the clause before it where that is left out."""
    at = next(at for at, clause in enumerate(clauses) if value.start < clause.end or clause is clauses[-1])
    clause = clauses[at]
    inside = [(other.start, other.end) for other in values]
    words = list(clause.words)
    back = at
    while back and not clauses[back].has_verb and all(value.start <= word.start < value.end for word in words):
        back -= 1
        words = [*clauses[back].words, *words]
    near = frozenset(word.stem for word in words if not value.start <= word.start < value.end)
    if at and _RELATIVE.match(text, clause.start):
        return clause, near | frozenset(
            w.stem for w in clauses[at - 1].words if not any(a <= w.start < b for a, b in inside)
        )
    if clause.aside:
        return clause, near
    if back and _ONES.search(text, clauses[back].start, clauses[back].end):
        near = near - _ONE_WORDS | _left_out(clauses, back, inside, lead=True)
    if back and isinstance(value, Amount) and value.bare and _NO_NOUN.match(text, value.end):
        near |= _counted(text, clauses[:back], values)
    if back and _THEM.search(text, clauses[back].start, clauses[back].end):
        near |= frozenset(w.stem for w in clauses[back - 1].words if not any(a <= w.start < b for a, b in inside))
    if clauses[back].has_verb or clauses[back].is_phrase or back == 0:
        if back and not clauses[back].has_verb:
            near |= _left_out(clauses, back, inside, lead=False)
        bare = not clauses[back].lead or clauses[back].is_phrase
        near |= subject if bare or clauses[0].is_phrase or IT.match(text, clauses[back].start) else frozenset()
        return clause, near
    if isinstance(value, Named) and back and value.start - clauses[back].start < _FIRST_OF:
        return clause, near | _left_out(clauses, back, inside, lead=False)
    if any(word.start < value.start for word in words):
        return clause, near | _left_out(clauses, back, inside, lead=False) | (
            subject if clauses[0].is_phrase else frozenset()
        )
    if not _NO_NOUN.match(text, value.end):
        return clause, near | subject
    until = _complement(text, clauses[:back], values) if _OWN_END.match(text, value.end) else None
    return clause, near | subject | _left_out(clauses, back, inside, lead=True, until=until)


def _counted(text: str, before: Sequence[_Clause], values: Sequence[Value]) -> frozenset[str]:
    """The nouns behind the last number of the clauses before, of which this clause has only another number."""
    last = next((v for v in reversed(values) if isinstance(v, Amount) and v.bare and v.end <= before[-1].end), None)
    found, at = set(), last.end + 1 if last is not None else -1
    words = [word for clause in before for word in clause.words]
    for word in sorted((word for word in words if word.stem[0] not in "~@#$"), key=lambda word: word.start):
        if word.start == at:
            found |= {other.stem for other in words if other.start == at}
            at = word.end + 1
    return frozenset(found)


def _complement(text: str, before: Sequence[_Clause], values: Sequence[Value]) -> int | None:
    """Where what follows the value of the clause before begins, "for a ruling", of which the clause has its own."""
    verb = next((clause for clause in reversed(before) if clause.has_verb), None)
    value = next((v for v in values if verb is not None and verb.start <= v.start < verb.end), None)
    match = _OWN_END_IN.search(text, value.end, verb.end) if value is not None and verb is not None else None
    return match.start() if match else None


def _left_out(
    clauses: Sequence[_Clause], back: int, inside: Sequence[tuple[int, int]], *, lead: bool, until: int | None = None
) -> frozenset[str]:
    """The words of the last clause with a verb, of which a clause without one says the rest."""
    verb = next((other for other in reversed(clauses[:back]) if other.has_verb), None)
    if verb is None:
        return frozenset()
    own = (word for word in verb.words if until is None or word.start < until)
    words = [word for word in own if not any(a <= word.start < b for a, b in inside)]
    if lead:
        return frozenset(word.stem for word in words)
    return frozenset(word.stem for word in words if word.stem not in verb.lead)
