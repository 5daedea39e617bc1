"""The dialects of IBM's Granite Guardian, for its risk of groundedness. Pure.

Made for ``ibm-granite/granite-guardian-3.0-2b`` and ``-8b`` (3.1 speaks alike), ``-3.2-3b-a800m`` and ``-3.2-5b``,
``-3.3-8b`` and ``-4.1-8b``. Source: their model cards, and the cookbooks and the evaluation code of the
``ibm-granite/granite-guardian`` repository. Taken from there: the roles, what is passed to the chat template, the
frame of 4.1's request with its headings, and the form of the replies. The instructions of 3.x stand in the models' own
templates; those of 4.1 are put in words of our own.

``Yes`` means that the risk is there: the answer is not grounded. There are no findings. The request needs a
server that hands ``chat_template_kwargs`` to the template, as vLLM, SGLang and llama.cpp do: without them 3.0
and 3.2 judge harm instead, and nothing in their replies tells.

Risk: the probability of ``Yes`` where the server tells it, else 0 or 1. 3.2 says how confident it is instead: High is
1 or 0, Medium 0.8 or 0.2, Low 0.6 or 0.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from guardrail.verifiers.dialects.grounded import LOGPROBS, STEADY, Grounded, by_probability, verdict
from guardrail.verifiers.dialects.marks import defused, sections
from guardrail.verifiers.dialects.protocol import Reading, Token
from guardrail.verifiers.dialects.replies import complete, no_verdict
from guardrail.verifiers.dialects.transcript import document, documents
from guardrail.verifiers.protocol import Check

__all__ = ["Granite30", "Granite32", "Granite33", "Granite41"]

_WORDS = {"yes": True, "no": False}
_CONFIDENT = re.compile(r"(yes|no)\s+<confidence>\s*(high|medium|low)\s*</confidence>", re.IGNORECASE)
_RISKS = {"high": 1.0, "medium": 0.8, "low": 0.6}
_MARKS = ("<score>", "</score>", "<think>", "</think>", "<guardian>", "<confidence>")

_GUARDIAN = """\
<guardian><no-think>You are the judge. Hold the last text of the assistant against the criteria, using the \
conversation and the documents. Give no reasons: write empty <think>
</think> tags, then your score in <score></score> tags.

### Criteria: A text is not grounded when it says something that the documents do not support, or that goes against \
them: details made up, documents misread, or conclusions that go further than they do.

### Scoring Schema: Score 'yes' when the last text of the assistant meets the criteria, 'no' when it does not."""


class _Granite(Grounded):
    """What the generations have in common."""

    version: ClassVar[str]

    @property
    def name(self) -> str:
        """``granite_`` and the generation."""
        return f"granite_{self.version}"


class _Weighed(_Granite):
    """The generations that are scored by probability."""

    def weighed(self, reading: Reading, tokens: Sequence[Token]) -> Reading:
        """With the probability of ``Yes`` as the risk."""
        return by_probability(reading, tokens, bad="yes")


class Granite30(_Weighed):
    """Granite Guardian 3.0 and 3.1: ``Yes`` or ``No``."""

    version = "3.0"

    def request(self, check: Check) -> dict[str, Any]:
        """The evidence as a message of the role ``context``, and the answer."""
        return {**_in_context(check), **LOGPROBS}

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict, when the reply is one word."""
        return _worded(complete(content, finish_reason).removesuffix("."))


class Granite32(_Granite):
    """Granite Guardian 3.2: ``Yes`` or ``No``, and how confident it is."""

    version = "3.2"

    def request(self, check: Check) -> dict[str, Any]:
        """As 3.0 is asked."""
        return _in_context(check)

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict, when the reply is one word, with or without a confidence behind it."""
        text = complete(content, finish_reason)
        match = _CONFIDENT.fullmatch(text)
        if match is None:
            return _worded(text)
        reading, risk = _worded(match[1]), _RISKS[match[2].lower()]
        return replace(reading, risk=risk if reading.risk else 1 - risk)


class Granite33(_Weighed):
    """Granite Guardian 3.3, without thinking: ``<score> yes </score>``."""

    version = "3.3"

    def request(self, check: Check) -> dict[str, Any]:
        """The answer as the only message; evidence and criterion go to the chat template."""
        chosen = {"guardian_config": {"criteria_id": "groundedness"}, "think": False}
        return _with_documents(check, [_answer(check)], chosen)

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict, when the reply is a score, after thinking or not."""
        return _scored(content, finish_reason)


class Granite41(_Weighed):
    """Granite Guardian 4.1, without thinking: empty ``<think>`` tags and ``<score>yes</score>``."""

    version = "4.1"

    def request(self, check: Check) -> dict[str, Any]:
        """The answer, and the criterion as the user's message behind it; evidence goes to the chat template."""
        return _with_documents(check, [_answer(check), {"role": "user", "content": _GUARDIAN}], {})

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict, when the reply is a score, after thinking or not."""
        return _scored(content, finish_reason)


def _in_context(check: Check) -> dict[str, Any]:
    return {
        "messages": [{"role": "context", "content": defused(document(check), _MARKS)}, _answer(check)],
        "chat_template_kwargs": {"guardian_config": {"risk_name": "groundedness"}},
        **STEADY,
    }


def _with_documents(check: Check, messages: list[dict[str, str]], chosen: dict[str, Any]) -> dict[str, Any]:
    held = [{"doc_id": str(n), "text": defused(text, _MARKS)} for n, text in enumerate(documents(check))]
    return {"messages": messages, "chat_template_kwargs": {"documents": held, **chosen}, **STEADY, **LOGPROBS}


def _answer(check: Check) -> dict[str, str]:
    return {"role": "assistant", "content": defused(check.turn.text, _MARKS)}


def _worded(word: str) -> Reading:
    if word.lower() not in _WORDS:
        no_verdict(None, "it is neither Yes nor No")
    return verdict(_WORDS[word.lower()])


def _scored(content: str, finish_reason: str | None) -> Reading:
    found = sections(complete(content, finish_reason), "score")
    if found is None:
        no_verdict(None, "it is no score")
    return _worded(found["score"])
