"""Which sentences of an answer state something that evidence could bear out. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from guardrail.claims.segment import Sentence, sentences
from guardrail.claims.words import content_words, names, words

__all__ = ["claims"]

_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_GREETING = re.compile(
    r"^(hi|hello|hey|dear|good (morning|afternoon|evening|day)|welcome(?: to)?|thanks?|thank you|"
    r"you'?re welcome|great question|no problem|my pleasure|goodbye|bye|best regards|kind regards|"
    r"sincerely|cheers)\b(?! \w+ (?:is|are)\b)[^.\d]{0,30}[.!,:]*$|"
    r"^(?:sure|certainly|of course|absolutely)\b(?:(?!,? (?:\w+ ){1,3}(?:is|are|can|may|do|does|has|"
    r"have)\b)[^.\d]){0,30}[.!,:]*$",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"\b(let me know|feel free to|happy to help|glad to help|hope (this|that) helps|how (can|may) i (help|assist)|"
    r"is there anything else|would you like|do you want me|here(?:['’]s| is| are)\b[^.]{0,200}:$)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"^(?:unfortunately,? )?(?:but )?i (?:do not|don'?t|cannot|can'?t|could not|couldn'?t|am not able|am unable|"
    r"would not|won'?t|have no (?:information|access|data))\b|"
    # Of "we" most that is denied is a rule: "We do not ship to Canada."
    r"^(?:unfortunately,? )?(?:but )?we (?:are unable|have no (?:information|access|data)|(?:do not|"
    r"don'?t|cannot|can'?t|could not|"
    r"couldn'?t) (?:know|have|find|see|say|tell|help|answer|provide|access|confirm|determine))\b|"
    r"^i(?:['’]?m| am) (?:not able|unable|not sure)\b|"
    r"\bas an ai\b|^(?:my )?apologies\b|"
    r"\bi(?:['’]?m| am) (?:very |so )?(?:sorry|afraid)\b(?=[^,]{0,40}$|.{0,20}\b(?:i|we)\b)|"
    r"^(?:it is )?(?:do not know|don'?t know|not known|unknown)\b(?! \w+ (?:is|are|was|were)\b)",
    re.IGNORECASE,
)
_ABSENCE = re.compile(
    r"\b(?:context|text|passages?|documents?|material|sources?|information|article|evidence|excerpts?|"
    r"price|date|name|answer|it)\b"
    r"[^.;]{0,60}\b(?:do|does|did|is|are|was|were|has|have)(?: not|n['’]t)(?: been)? "
    r"(?:say|tell|stated?|mention(?:ed)?|specif\w+|indicated?|(?:given|provided|clear|available)"
    r"(?: (?:in|by|from) the (?:context|text|passage|documents?|sources?|information|article|evidence)|\.?$))",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"^(?:personally,? )?i(?:'d| would)? (?:hope|wish|recommend|suggest|love|like|enjoy|prefer|feel|think|believe|"
    r"guess|suppose)\b|\bin my (?:opinion|view)\b",
    re.IGNORECASE,
)
_AFFIRMATION = re.compile(
    r"^(?:(?>(?:oh|ah|well|yes|yeah|yep|yup|no|nope|true|false|correct|incorrect|right|wrong|exactly|"
    r"indeed|agreed|definitely|absolutely|"
    r"probably|i (?:agree|know)(?: with you)?|that(?: ?['’]s| is) (?:very |so )?(?:true|right|correct)|"
    r"you(?: ?['’]re| are) (?:so |quite )?right|"
    r"(?:it|he|she|they|there|that|this|you|we|i) "
    r"(?:is|are|was|were|do|does|did|can|could|will|would|has|have)(?: not|n['’]t)?"
    r"))\b[\s.,!]*)+$",
    re.IGNORECASE,
)
_TABLE_RULE = re.compile(r"\|(?=[:| \t]*-)[-:| \t]*\|")
_BARE = 5
"""An opinion of more words of content than this mostly carries a statement: "I love how it was built from ..."."""
_FIRST_PERSON = frozenset({"i", "i'm", "i’m", "i've", "i’ve", "i'd", "i’d"})
_REMARK = frozenset(
    (
        "amazing awesome awful bad beautiful cool crazy exciting fascinating fun funny glad good great ha hah "
        "haha happy hmm impressive incredible interesting kind like lol lot lovely nice oh ok okay pretty "
        "quite re really s sad scary so sounds strange stuff super sure surprised surprising sweet terrible "
        "thing things unbelievable unfortunate unfortunately weird well wild wonderful wow"
    ).split()
)
"""Words of a remark on what was said before. With others of content a sentence says more than "That's cool."."""
_OF_ONESELF = re.compile(
    r"^(?:(?:and|but|so|or|well|oh|yeah|yes|yep|no|nope|not|hm+|mm+|wow|ha(?:ha)*|lol|personally|actually|"
    r"honestly|maybe|"
    r"sure|true|ok(?:ay)?|also|sadly|unfortunately|luckily|then|sometimes|usually|now)\b[\s.,!;:–-]*)*"
    r"(?:i(?![./-]| beams?\b)|i['’](?:m|ve|d|ll)|im|ive)\b",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"\b(?:heard|read|know|knew|learn(?:ed|t)?|found|saw|see|think|thought|believe|guess|understand|"
    r"remember|recall|told|said|"
    r"say|mean|notice[ds]?|wonder|"
    r"(?:cancel|refund|updat|chang|book|order|sen[dt]|issu|process|confirm|check|appl|schedul|reserv|"
    r"transfer|delet|creat|"
    r"add|remov|charg|ship|clos|look|calculat|comput|review|verif|search|summar|forward|contact|assign|escalat|regist|"
    r"activat|approv|attach|avoid|block|correct|credit|deliver|deposit|disabl|doubl|downgrad|e?mail|enabl|"
    r"extend|giv|grant|"
    r"lock|match|mov|offer|paid|paus|reinstat|renew|replac|reset|submit|switch|unlock|upgrad|waiv)\w*|"
    r"(?:would|will) take)\b"
    r"|\b(?:you|your|yours|that|which|who|because|how|since|where|when|as|than)\b",
    re.IGNORECASE,
)
"""What makes a sentence about its speaker state more than a liking or a doing: what was heard or read, what an
assistant did for somebody, a clause about something else."""
_ABOUT_OTHERS = frozenset("he she they we his her their our him them who".split())


def claims(answer: str, *, asked: bool = False) -> list[Sentence]:
    """The sentences of ``answer`` that are claims, in order.

    Greetings, offers, questions, refusals, opinions, remarks ("That's cool.") and code are none. What the speaker likes
    or does ("I had pasta.") is one only where the answer states nothing else. ``asked``: the answer follows a question,
    so that a bare "Yes." states something too.
    """
    fences = [match.span() for match in _CODE.finditer(answer)]
    begins = [start for start, _ in fences]
    found = sentences(answer)
    heads = {head for head, below in pairwise(found) if _TABLE_RULE.fullmatch(below.text)}
    said = [
        sentence
        for sentence in found
        if not _fenced(sentence.start, begins, fences) and sentence not in heads and _is_claim(sentence.text, asked)
    ]
    return [sentence for sentence in said if not _is_personal(sentence.text)] or said


def _fenced(place: int, begins: Sequence[int], fences: Sequence[tuple[int, int]]) -> bool:
    """Whether ``place`` stands in one of the ``fences``, which stand in order and begin at ``begins``."""
    before = bisect_right(begins, place)
    return before > 0 and place < fences[before - 1][1]


def _is_claim(text: str, asked: bool) -> bool:
    if text.endswith(("?", "？", "?”", '?"')) or text.startswith(("#", "|--", "|:-", "---")):
        return False
    if _AFFIRMATION.match(text):
        return asked
    if any(pattern.search(text) for pattern in (_GREETING, _OFFER, _REFUSAL, _ABSENCE)):
        return False
    if _is_remark(text):
        return False
    said = content_words(words(text))
    return bool(said) and not (_OPINION.search(text) and len(said) <= _BARE and not _is_checkable(text))


def _is_remark(text: str) -> bool:
    """Whether a sentence comments and states nothing: "Wow, that is so interesting!"."""
    tokens = [token.partition("'")[0].partition("’")[0] for token in words(text)]
    if _ABOUT_OTHERS.intersection(tokens) or _is_checkable(text):
        return False
    return _REMARK.issuperset(content_words(tokens))


def _is_personal(text: str) -> bool:
    """Whether a sentence tells of its speaker's likings and doings alone, which no evidence is about: "I had pasta"."""
    return bool(_OF_ONESELF.match(text)) and not _TOLD.search(text) and not _is_checkable(text)


def _is_checkable(text: str) -> bool:
    """Whether an opinion names something that evidence can speak about: a number or a name."""
    return any(letter.isdigit() for letter in text) or bool(names(text) - _FIRST_PERSON)
