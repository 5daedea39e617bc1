"""Which sentences of an answer state something that evidence could bear out. Pure."""

from __future__ import annotations

import re

from guardrail.verifiers.embedded.segment import Sentence, sentences
from guardrail.verifiers.embedded.words import content_words, words

__all__ = ["claims"]

_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_GREETING = re.compile(
    r"^(hi|hello|hey|dear|good (morning|afternoon|evening|day)|welcome|thanks?|thank you|you'?re welcome|sure|"
    r"certainly|of course|absolutely|great question|no problem|my pleasure|goodbye|bye|best regards|"
    r"kind regards|sincerely|cheers)\b[^.]{0,40}[.!,:]*$",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"\b(let me know|feel free|happy to help|glad to help|hope (this|that) helps|how can i (help|assist)|"
    r"can i help|here('s| is| are) (what|the|a)\b.*:$|is there anything else|would you like|do you want me)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(i (do not|don'?t|cannot|can'?t|could not|couldn'?t|am not able|'?m not able|am unable|'?m unable)\b|"
    r"i('m| am) sorry|as an ai\b|i have no (information|access)|"
    r"(the|this|your|given|provided) (\w+ ){0,3}(does|do|did|is|are) ?(not|n'?t) "
    r"(say|state|mention|specif|provide|contain|includ|clear)|no (information|mention|details?) (about|of|on|is))",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"^(i (think|believe|feel|guess|hope|would|recommend|suggest|love|like)|in my (opinion|view)|personally)\b",
    re.IGNORECASE,
)


def claims(answer: str) -> list[Sentence]:
    """The sentences of ``answer`` that are claims, in order.

    Greetings, offers, questions, refusals, opinions and code are none.
    """
    fences = [match.span() for match in _CODE.finditer(answer)]
    return [
        sentence
        for sentence in sentences(answer)
        if not any(start <= sentence.start < end for start, end in fences) and _is_claim(sentence.text)
    ]


def _is_claim(text: str) -> bool:
    if text.endswith(("?", "？")) or text.startswith(("#", "|--", "---")):
        return False
    if any(pattern.search(text) for pattern in (_GREETING, _OFFER, _REFUSAL, _OPINION)):
        return False
    return bool(content_words(words(text)))
