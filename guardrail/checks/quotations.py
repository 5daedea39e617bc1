"""Quotations whose words stand in no source. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrail.checks.aside import BLANK
from guardrail.checks.case import Case
from guardrail.verdict import Finding, FindingKind

__all__ = ["quotations"]

_MARKS = re.compile(
    r"“([^“”\n]{3,1000})[”\"]|„([^„“”\n]{3,1000})[“”]|«\s?([^«»\n]{3,1000}?)\s?»|(?<![\w'’])‘([^‘\n]{3,600}?)’(?![\w])"
    r"|(?<![\w'])'([^'\n]{2,600}(?:'\w[^'\n]{0,600}){0,9})'(?!\w)"
)
_STRAIGHT = re.compile(r"(?<![\w\"])\"([^\"\n]{3,1000})\"(?![\w\"])")
_BLOCK = re.compile(r"(?:^>[ \t]?.*(?:\n|\Z))+", re.MULTILINE)
_SAYS = re.compile(
    r"\b(?:sa(?:id|ys|ying)|stat(?:es?|ed|ing)|wr(?:ote|ites?|itten)|reads?|quot\w+|according|not(?:es|ed)|call(?:s|ed)|"
    r"promis\w+|warn\w*|claim\w*|argu\w+|add(?:s|ed)|ask(?:s|ed)|repl\w+|answer\w*|declar\w+|describ\w+|told|tells?|"
    r"explain\w*|mention\w*|announc\w+|insist\w*|admit\w*|stress\w*|conclud\w+|words?|ends?|clos\w+|open(?:s|ed) with|"
    r"remark\w*|comment\w*|report\w*|phras\w*|text|section|clause|article|policy|manual|sign|letter|rul\w+|requir\w+|provides?|runs?|goes|messages?|errors?|(?:abort|stop|fail|respond|greet|answer|display)\w* with|shows?)\b|:\s*\W?\Z",
    re.IGNORECASE,
)
_LABELS = re.compile(
    r"\b(?:label\w*|says|reads|said|stat(?:es|ed)|(?<!so-)called|messages?|errors?|motto|slogan|button|sign|titled|named|marked|press|click|choose|select|tap)"
    r"(?: is| was| reads)?\W{0,3}\Z", re.IGNORECASE,
)  # fmt: skip
_LABELLED = re.compile(r"\W{0,3} ?(?:button|option|tab|link|menu|message|error|field|sign|label)\b", re.IGNORECASE)
"""What makes two words in quotes a quotation of what is written somewhere."""
_GAP = re.compile(r"\s*(?:\[[^\]\n]*\]|\(?\.\.\.\)?|…|" + BLANK + r"+)\s*")
_WORD = re.compile(r"[^\W_]+")
_LONG = 6
"""A quotation of so many words is one, whatever stands around it."""


def quotations(case: Case) -> list[Finding]:
    """Quotations of three words or more whose words, in their order, stand in no evidence and no message.

    Case, white space, punctuation and the form of quotes do not count; "..." and "[...]" stand for anything.
    """
    if not case.evidence:
        return []
    known = _known(case)
    return [
        case.finding(start, end, FindingKind.QUOTATION)
        for start, end, text in _quoted(case)
        if _is_quotation(case, start, end, text) and not _stands_in(text, known)
    ]


def _known(case: Case) -> str:
    texts = [f"{piece.title or ''}\n{piece.text}" for piece in case.evidence]
    texts += [message.text for message in case.conversation]
    return "".join(f" {_words(text)} \n" for text in texts)


def _words(text: str) -> str:
    text = re.sub(r"\s+n['’]t\b", "nt", text.casefold())
    text = re.sub(r"\s?['’]\s?(?=(?:s|t|re|ve|ll|d|m|til)\b)|(?<=\w)['’`](?=\w)", "", text)
    return " ".join(_WORD.findall(text))


def _quoted(case: Case) -> Iterator[tuple[int, int, str]]:
    text = case.prose
    for match in _BLOCK.finditer(text):
        body = match[0].strip()
        start = match.start() + match[0].index(body)
        inner = body.lstrip("> \t")
        start += len(body) - len(inner)
        yield start, start + len(inner), re.sub(r"\n>[ \t]?", " ", inner)
    for pattern in (_MARKS, _STRAIGHT):
        for match in pattern.finditer(text):
            group = next(at for at, value in enumerate(match.groups(), 1) if value is not None)
            yield match.start(group), match.end(group), match[group]


def _is_quotation(case: Case, start: int, end: int, text: str) -> bool:
    """Whether it repeats somebody's words, rather than naming a title or keeping a word at arm's length."""
    words = list(re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text))
    claim = case.claim_at(start)
    if len(words) < 2:
        return False
    if claim is None or (not case.answer[:start].strip(" \n\"“'") and not case.answer[end:].strip(" \n\"”'.")):
        return False
    capital = [word for word in words if word[0].isupper()]
    small = [word for word in words if word[0].islower() and len(word) > 3]
    if len(capital) > 1 and not small:
        return False
    before, after = case.prose[max(0, claim.start - 100) : start], case.prose[end : claim.end]
    if len(words) == 2:
        return bool(_LABELS.search(before) or _LABELLED.match(after))
    return len(words) >= _LONG or bool(_SAYS.search(before) or _SAYS.search(after))


def _stands_in(text: str, known: str) -> bool:
    text = re.sub(r"\[(\w)\](?=\w)", r"\1", text)  # "[h]ad": only the case was changed
    return all(f" {_words(part)} " in known for part in _GAP.split(text) if _words(part))
