"""What an answer claims: its sentences, which of them can be checked, and their words. Pure."""

from guardrail.claims.checkworthy import claims
from guardrail.claims.place import bad_clause
from guardrail.claims.question import asks, with_question
from guardrail.claims.segment import Sentence, sentences

__all__ = ["Sentence", "asks", "bad_clause", "claims", "sentences", "with_question"]
