"""The bodies of ``POST /verify/reliability``, a reliability service's own endpoint. Pure.

Asked with a prompt, an output and a context, or with messages. The reply is an object with ``is_hallucination``,
``usage``, and perhaps ``explanation`` and ``search_results``. Source: the service's public API description and
published runs of 2025; its MCP server wraps the same in other keys, which are read too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from guardrail.conversation import Evidence
from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Status, Usage, Verdict
from guardrail.verifiers.dialects.kluster import Kluster
from guardrail.verifiers.dialects.replies import verdict_object
from guardrail.verifiers.dialects.transcript import flatten, rendered
from guardrail.verifiers.protocol import Check

__all__ = ["context", "messages_body", "prompt_body", "read_reply"]

_NO_PROMPT = "fact check this:"
"""What stands for the prompt where nobody asked anything, as it must not be empty; the service's own words."""
_WORDS = {"true": True, "1": True, "false": False, "0": False}
_LEAKED = frozenset({"HALLUCINATION"})


def prompt_body(check: Check) -> dict[str, Any]:
    """``prompt``, ``output`` and, where there is evidence, ``context``."""
    held = _joined(context(check))
    body = {"prompt": _prompt(check), "output": check.turn.text}
    return {**body, "context": held} if held else body


def messages_body(check: Check) -> dict[str, Any]:
    """``messages``: the conversation, the answer last. The endpoint wants two at least."""
    messages = Kluster().request(check)["messages"]
    if len(messages) < 2:
        messages = [{"role": "user", "content": _NO_PROMPT}, *messages]
    return {"messages": messages}


def context(check: Check) -> tuple[Evidence, ...]:
    """The evidence that the service is to judge by, instead of by what it knows and finds.

    What the user says stands in the prompt, and alone is no document to judge by.
    """
    pieces = tuple(piece for piece in check.evidence if piece.text.strip())
    return pieces if any(piece.origin != "user" for piece in pieces) else ()


def _prompt(check: Check) -> str:
    lines = flatten(check.conversation)
    if not lines:
        return _NO_PROMPT
    if len(lines) == 1 and lines[0].role == "user":
        return lines[0].text
    return "\n\n".join(f"{line.role}: {line.text}" for line in lines)


def _joined(pieces: tuple[Evidence, ...]) -> str:
    alone = len(pieces) == 1 and not (pieces[0].title or pieces[0].url)
    return pieces[0].text if alone else rendered(pieces)


def read_reply(body: bytes, check: Check, *, held: Iterable[Evidence] = ()) -> Verdict:
    """The verdict in a reply with status 200; ``held`` is the evidence that was sent.

    Raises `VerifierError` ``empty`` or ``unparsable``. The results of searches follow ``held`` in the verdict.
    """
    reply = _object(body)
    flag = _flag(reply)
    usage = reply.get("usage", reply.get("confidence"))
    return Verdict(
        Status.UNRELIABLE if flag else Status.RELIABLE,
        risk=float(flag),
        explanation=_explanation(reply.get("explanation"), flag, check),
        evidence=(*held, *_found(reply.get("search_results"))),
        usage=_usage(usage) if isinstance(usage, Mapping) else None,
    )


def _object(body: bytes) -> Mapping[str, Any]:
    if not body.strip():
        raise VerifierError(Cause.EMPTY, "the service's reply has no body")
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise VerifierError(Cause.UNPARSABLE, "the service's reply is not JSON") from error
    if not isinstance(reply, dict):
        raise VerifierError(Cause.UNPARSABLE, "the service's reply is no JSON object")
    return reply


def _flag(reply: Mapping[str, Any]) -> bool:
    """Whether the answer is unreliable. ``is_accurate``, of the first MCP replies, means the opposite."""
    said = [_truth(reply["is_hallucination"])] if "is_hallucination" in reply else []
    if "is_accurate" in reply:
        accurate = _truth(reply["is_accurate"])
        said.append(None if accurate is None else not accurate)
    if not said or None in said or len(set(said)) != 1:
        raise VerifierError(Cause.UNPARSABLE, "the reply holds no verdict: no is_hallucination, true or false")
    return bool(said[0])


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {0: False, 1: True}.get(value)
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None


def _explanation(text: object, flag: bool, check: Check) -> str:
    """The explanation; where the raw reply of the judge behind the service leaked into it, the reasons in that.

    A leaked verdict that says the opposite puts both in doubt, and what is in doubt is no verdict.
    """
    if not isinstance(text, str):
        return ""
    try:
        leaked = verdict_object(text, _LEAKED, None, check=check)
    except VerifierError:
        return text.strip()
    if _truth(leaked["HALLUCINATION"]) is not flag:
        raise VerifierError(Cause.UNPARSABLE, "the service's verdict and its explanation contradict each other")
    reasons = leaked.get("REASONING")
    if isinstance(reasons, list):
        reasons = "\n".join(item for item in reasons if isinstance(item, str))
    return reasons.strip() if isinstance(reasons, str) and reasons.strip() else text.strip()


def _found(results: object) -> Iterable[Evidence]:
    for result in results if isinstance(results, list) else ():
        if isinstance(result, dict):
            title, snippet, link = (_text(result.get(key)) for key in ("title", "snippet", "link"))
            if snippet or title:
                yield Evidence(snippet or title, "search", title or None, link or None)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _usage(usage: Mapping[str, Any]) -> Usage:
    return Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
