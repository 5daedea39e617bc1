"""From a request to a `Job`: which rules apply, what the evidence is, what the verifier gets to see. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.conversation import Evidence, Message, Turn
from guardrail.flow import Job
from guardrail.grounding import collect, missing_note
from guardrail.history import trim
from guardrail.outcome import Mode
from guardrail.policy.kinds import looks_elsewhere
from guardrail.policy.model import Policy, Rules
from guardrail.policy.routing import RequestInfo, sampled

__all__ = ["job_for"]


def job_for(
    policy: Policy,
    *,
    id: str,
    conversation: tuple[Message, ...],
    turn: Turn | None,
    given: Sequence[Evidence],
    info: RequestInfo,
) -> Job:
    """The job of guarding one turn of ``conversation``; ``given`` is evidence from outside of it."""
    name, rules = policy.rules_for(info)
    evidence = collect(conversation, given)
    shown, cut = _shown(conversation, rules)
    missing = not evidence and not looks_elsewhere(policy.verifiers, rules.verify.with_)
    notes = tuple(note for note in (cut, missing_note() if missing else None) if note)
    return Job(
        id=id,
        conversation=conversation,
        rules=rules,
        turn=turn,
        evidence=evidence,
        shown=shown,
        policy=name,
        digest=policy.digest,
        notes=notes,
        mode=_mode(rules, info, conversation),
    )


def _shown(conversation: tuple[Message, ...], rules: Rules) -> tuple[tuple[Message, ...] | None, str | None]:
    history = rules.verify.history
    if history is None:
        return None, None
    return trim(conversation, max_tokens=history.max_tokens, keep=history.keep)


def _mode(rules: Rules, info: RequestInfo, conversation: tuple[Message, ...]) -> Mode:
    if sampled(rules.sample, info.key or _opening(conversation)):
        return rules.mode
    return "unsampled"


def _opening(conversation: tuple[Message, ...]) -> str:
    """What stays the same from turn to turn: the first thing that the user said."""
    return next((message.text for message in conversation if message.role == "user"), "")
