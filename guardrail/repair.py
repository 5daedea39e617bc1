"""An answer without its bad sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.claims.segment import Sentence, sentences
from guardrail.verdict import Finding

__all__ = ["without"]


def without(text: str, findings: Sequence[Finding]) -> str:
    """``text`` without the sentences that ``findings`` are in; empty where they do not say which, or none is left.

    Of the white space around a sentence that is left out, that with more line ends stays.
    """
    if not findings:
        return ""
    kept, gap, at = "", "", 0
    for sentence in sentences(text):
        lead, at = text[at : sentence.start], sentence.end
        wider = max(gap, lead, key=lambda space: space.count("\n")) if gap else lead
        if any(_touches(finding, sentence) for finding in findings):
            gap = wider or gap
        else:
            kept, gap = kept + (wider if kept else "") + sentence.text, ""
    return kept


def _touches(finding: Finding, sentence: Sentence) -> bool:
    return finding.start < sentence.end and sentence.start < finding.end
