"""The dialect of Patronus AI's GLIDER, with a rubric of two scores. Pure.

Made for ``PatronusAI/glider``. Source: its model card and paper (arXiv:2412.14140). Taken from there: one user message,
its headings, tags around the data, pass criteria and a rubric, and the tags of the reply; the words are our own.

Score 1 means that the evidence supports the answer, 0 that it does not: the risk is exactly 0 or 1. GLIDER highlights
the words that decided. Those of an answer that is not supported are findings where they stand in it; the
others are kept in the explanation.
"""

from __future__ import annotations

import json
import re
from typing import Any

from guardrail.verdict import Finding, FindingKind
from guardrail.verifiers.dialects.grounded import STEADY, Grounded, verdict
from guardrail.verifiers.dialects.marks import defused, sections
from guardrail.verifiers.dialects.protocol import Reading
from guardrail.verifiers.dialects.quotes import locate_free
from guardrail.verifiers.dialects.replies import complete, no_verdict
from guardrail.verifiers.dialects.transcript import document, question
from guardrail.verifiers.protocol import Check

__all__ = ["Glider"]

_PROMPT = """\
Analyze the pass criteria below and score the text by the rubric.

1. Read the tags of the data, the pass criteria and the rubric with care.
2. Compare the tags that the criteria are about with the description of each score. Small details can decide.
3. Give your reasons as bullet points, with the exact words of the output that they are about.
4. List the words or phrases that decided the score.
5. Give the score that follows from the rubric.

Data to evaluate:
<CONTEXT>
{document}
</CONTEXT>

<INPUT>
{question}
</INPUT>

<OUTPUT>
{answer}
</OUTPUT>

Pass Criteria:
Does the text in CONTEXT support all that the text in OUTPUT states?

Rubric:
0: OUTPUT states something that CONTEXT does not contain, or that goes against it.
1: CONTEXT supports each statement of OUTPUT, and none goes against it.

Your output must have this form:
<reasoning>
[Your reasons as bullet points]
</reasoning>
<highlight>
[List of the words or phrases that decided the score]
</highlight>
<score>
[The score from the rubric, a whole number]
</score>"""

_TAGS = ("context", "input", "output", "reasoning", "highlight", "score")
_MARKS = tuple(f"<{slash}{tag}>" for tag in _TAGS for slash in ("", "/"))
_SCORES = {"0": True, "1": False}
_BETWEEN = re.compile(r"[\"']\s*,\s*[\"']|\n")
_AROUND = " \t[]\"'-*,\u2022"


class Glider(Grounded):
    """See the module."""

    @property
    def name(self) -> str:
        """``glider``."""
        return "glider"

    def request(self, check: Check) -> dict[str, Any]:
        """One user message: evidence, last question and answer in tags, pass criteria and rubric."""
        blocks = {"question": question(check), "document": document(check), "answer": check.turn.text}
        filled = {name: defused(text, _MARKS) for name, text in blocks.items()}
        return {"messages": [{"role": "user", "content": _PROMPT.format(**filled)}], **STEADY}

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict, when the reply is reasons, highlights and a score of the rubric, and nothing else."""
        found = sections(complete(content, finish_reason), "reasoning", "highlight", "score")
        if found is None or found["score"] not in _SCORES:
            no_verdict(None, "it is not reasoning, highlight and a score of 0 or 1 in their tags")
        reading = verdict(_SCORES[found["score"]], found["reasoning"])
        return _with_findings(reading, found["highlight"], check) if reading.risk else reading


def _with_findings(reading: Reading, highlight: str, check: Check) -> Reading:
    answer, lost = check.turn.text, []
    placed: dict[tuple[int, int], Finding] = {}
    for phrase in _phrases(highlight):
        place = locate_free(phrase, answer, placed)
        if place is None:
            lost.append(f'"{phrase}"')
        else:
            placed[place] = Finding(*place, answer[slice(*place)], FindingKind.UNSUPPORTED)
    explanation = "\n".join(part for part in (reading.explanation, *lost) if part)
    return Reading(reading.status, reading.risk, tuple(placed[place] for place in sorted(placed)), explanation)


def _phrases(highlight: str) -> list[str]:
    """The phrases of a list in JSON, or in what looks like Python, or a line each."""
    try:
        listed = json.loads(highlight)
    except (ValueError, RecursionError):
        listed = _BETWEEN.split(highlight)
    phrases = [item.strip(_AROUND) for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
    return [phrase for phrase in dict.fromkeys(phrases) if phrase]
