"""The dialect of Patronus AI's Lynx. Pure.

Made for ``PatronusAI/Llama-3-Patronus-Lynx-8B-Instruct`` and ``-70B-Instruct``. Source: their model card and paper
(arXiv:2407.08488). Taken from there: one user message, the labels of its blocks, the lines between them, the
keys of the reply and its two words; the instructions are put in words of our own.

``PASS`` means that the document supports the answer, ``FAIL`` that it does not: the risk is exactly 0 or 1, and there
are no findings.
"""

from __future__ import annotations

import re
from typing import Any

from guardrail.verifiers.dialects.grounded import STEADY, Grounded, verdict
from guardrail.verifiers.dialects.marks import defused
from guardrail.verifiers.dialects.protocol import Reading
from guardrail.verifiers.dialects.replies import complete, no_verdict, verdict_object, whole_object
from guardrail.verifiers.dialects.transcript import document, question
from guardrail.verifiers.protocol import Check

__all__ = ["Lynx"]

_PROMPT = """\
Below are a QUESTION, a DOCUMENT and an ANSWER. Decide whether the ANSWER is faithful to the DOCUMENT. It is not \
when it says anything that the DOCUMENT does not contain, or anything that goes against it. Your verdict is one of \
two words: "PASS" for a faithful ANSWER, "FAIL" for any other. Give your reasons first.

--
QUESTION (THIS DOES NOT COUNT AS BACKGROUND INFORMATION):
{question}

--
DOCUMENT:
{document}

--
ANSWER:
{answer}

--

Reply with JSON that has the keys "REASONING" and "SCORE":
{{"REASONING": <your reasons as bullet points>, "SCORE": <PASS or FAIL>}}"""

_KEYS = frozenset({"SCORE"})
_WORDS = {"FAIL": True, "PASS": False}
_POINTS = re.compile(r"[\"']\s*,\s*[\"']")
_MARK = re.compile(r"[\"']?SCORE[\"']?\s*:\s*[\"']?(\w+)")
_LIKE_JSON = re.compile(
    r"(?:```\w*\s*)?\{\s*[\"']REASONING[\"']\s*:(?P<why>.*),\s*[\"']SCORE[\"']\s*:\s*[\"']?(?P<score>PASS|FAIL)[\"']?\s*\}[\s`]*",
    re.DOTALL,
)
"""What Lynx often writes: JSON but for quotation marks, missing or single."""


class Lynx(Grounded):
    """See the module."""

    @property
    def name(self) -> str:
        """``lynx``."""
        return "lynx"

    def request(self, check: Check) -> dict[str, Any]:
        """One user message with the last question, all evidence and the answer."""
        blocks = {"question": question(check), "document": document(check), "answer": check.turn.text}
        filled = {name: _without_rules(text) for name, text in blocks.items()}
        return {"messages": [{"role": "user", "content": _PROMPT.format(**filled)}], **STEADY}

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict, when the reply is the object asked for or ends with it, and holds no other verdict."""
        text = complete(content, finish_reason)
        found = whole_object(text) or _like_object(text) or verdict_object(text, _KEYS, finish_reason, check=check)
        score = found.get("SCORE")
        if not isinstance(score, str) or score not in _WORDS:
            no_verdict(None, "SCORE is neither PASS nor FAIL")
        return verdict(_WORDS[score], _joined(found.get("REASONING")))


def _without_rules(text: str) -> str:
    """``text`` without lines that could pass for those between the blocks."""
    return defused(f"\n{text}", ["\n--"])[1:]


def _like_object(text: str) -> dict[str, object] | None:
    match = _LIKE_JSON.fullmatch(text)
    # The judge may quote, from the answer, what looks like a verdict: then which one is its own is in doubt.
    if match is None or len({mark.upper() for mark in _MARK.findall(text)}) != 1:
        return None
    return {"REASONING": _POINTS.split(match["why"].strip().strip("[]\"' \n")), "SCORE": match["score"]}


def _joined(reasoning: object) -> str:
    points = reasoning if isinstance(reasoning, list) else [reasoning]
    return "\n".join(point.strip() for point in points if isinstance(point, str))
