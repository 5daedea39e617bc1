"""The dialect of models made to judge reliability, as kluster's `verify-reliability` was. Pure.

Asked with the conversation itself, ending with the answer under review. Replies are text
(``Hallucination: Yes|No``, then ``Explanation: ...``) or JSON with ``REASONING`` and ``HALLUCINATION``,
bare, fenced or after prose; also JSON with ``is_hallucination`` and ``explanation``. ``Yes``, 1 and true mean
unreliable. Source: the service's public documentation and published runs of 2025.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from guardrail.verdict import Status
from guardrail.verifiers.dialects.protocol import Dialect, Reading
from guardrail.verifiers.dialects.replies import no_verdict, said, verdict_object
from guardrail.verifiers.dialects.transcript import Line, flatten, outside, rendered
from guardrail.verifiers.protocol import Check

__all__ = ["Kluster"]

_TEXT = re.compile(r"\**Hallucination:\**[ \t]*\**(yes|no)\**\.?\**[ \t]*(?:\r?\n|$)", re.IGNORECASE)
_EXPLANATION = re.compile(r"\s*\**Explanation:\**\s*", re.IGNORECASE)
_KEYS = frozenset({"HALLUCINATION", "is_hallucination"})
_WORDS = {"1": True, "yes": True, "0": False, "no": False}


class Kluster(Dialect):
    """See the module. Verdicts are yes or no: the risk is exactly 1 or 0, and there are no findings."""

    @property
    def name(self) -> str:
        """``kluster``."""
        return "kluster"

    def request(self, check: Check) -> dict[str, Any]:
        """System, user and assistant messages, the answer last.

        There is no field for documents in this dialect: evidence that is not in the conversation already
        stands at the end of the system message.
        """
        lines = flatten(check.conversation)
        system = [line.text for line in lines if line.role == "system"]
        if given := outside(check):
            system.append(f"Evidence for the answer:\n\n{rendered(given)}")
        first = [Line("system", "\n\n".join(system))] if system else []
        spoken = _merged(line for line in lines if line.role != "system")
        # The answer is never merged with what stands before it: it alone is under review.
        everything = [*first, *spoken, Line("assistant", check.turn.text)]
        return {"messages": [{"role": line.role, "content": line.text} for line in everything]}

    def plain(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """None: the request is as plain as can be."""
        return None

    def read(self, content: str, finish_reason: str | None, *, check: Check) -> Reading:
        """The verdict; nothing is read out of the words of prose."""
        text = said(content, finish_reason)
        if match := _TEXT.match(text):
            return _reading(_WORDS[match[1].lower()], _EXPLANATION.sub("", text[match.end() :], count=1))
        found = verdict_object(text, _KEYS, finish_reason, check=check)
        values = [_flag(found[key]) for key in sorted(_KEYS & found.keys())]
        if None in values or len(set(values)) != 1:
            no_verdict(None, "its value is none of 0, 1, true, false, yes, no")
        return _reading(bool(values[0]), _joined(found.get("REASONING", found.get("explanation"))))


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {0: False, 1: True}.get(value)
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None


def _reading(unreliable: bool, explanation: str) -> Reading:
    status = Status.UNRELIABLE if unreliable else Status.RELIABLE
    return Reading(status, risk=float(unreliable), explanation=explanation.strip())


def _joined(reasoning: object) -> str:
    if isinstance(reasoning, list):
        return "\n".join(item for item in reasoning if isinstance(item, str))
    return reasoning if isinstance(reasoning, str) else ""


def _merged(lines: Iterable[Line]) -> list[Line]:
    """Neighbours of one role as one message: results of several tools, say."""
    merged: list[Line] = []
    for line in lines:
        if merged and merged[-1].role == line.role:
            line = Line(line.role, f"{merged.pop().text}\n\n{line.text}")
        merged.append(line)
    return merged
