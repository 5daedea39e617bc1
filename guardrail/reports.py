"""`report()`: from an object that a guarded client returned to the outcome behind it.

Outcomes are kept in one table a process, under their own id (which a guarded answer carries as ``guardrail.id``)
and under the id of the answer; the table holds the newest `CAPACITY` names. Nothing is attached to messages: users send
those back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from guardrail.errors import BlockedError, NoReport
from guardrail.outcome import Outcome
from guardrail.recent import Recent

__all__ = ["CAPACITY", "keep", "report"]

CAPACITY = 2048
"""How many names of outcomes are remembered."""

_table: Recent[Outcome] = Recent(CAPACITY)


def keep(outcome: Outcome, *names: str | None) -> None:
    """Remember ``outcome`` under its id and under ``names``; the oldest are forgotten."""
    _table.keep(outcome, outcome.id, *names)


def report(answer: object) -> Outcome:
    """The `Outcome` behind ``answer``: a completion, a response, a chunk or an event, a stream, a raw response.

    Also behind a message of LangChain's, and behind a `BlockedError`.

    Raises `NoReport` when no guard has seen it, when a stream has not ended yet, or when more than `CAPACITY`
    answers have passed since.
    """
    if isinstance(answer, Outcome):
        return answer
    if isinstance(answer, BlockedError):
        return answer.outcome
    for name in _names(answer):
        if (outcome := _table.find(name)) is not None:
            return outcome
    raise NoReport(
        f"no guard has a report on this {type(answer).__name__}; was it made by a client from "
        "guardrail.wrap(), and has its stream been read to the end?"
    )


def _names(answer: object) -> Iterable[str]:
    """What ``answer`` may be known by, the surest first: the guard's mark, its key, and then ids."""
    known = [answer, *_within(answer)]
    for value in known:
        for extra in (_extra(value), getattr(value, "response_metadata", None)):  # LangChain keeps such things there
            if isinstance(extra, Mapping) and isinstance(mark := extra.get("guardrail"), Mapping):
                yield str(mark.get("id"))
        extensions = getattr(value, "extensions", None)
        if isinstance(extensions, Mapping) and "guardrail" in extensions:
            yield str(extensions["guardrail"])
    for value in known:
        name = value.get("id") if isinstance(value, Mapping) else getattr(value, "id", None)
        if isinstance(name, str):
            yield name


def _extra(value: object) -> Mapping[object, object]:
    """What ``value`` holds beside its declared fields."""
    extra = value if isinstance(value, Mapping) else getattr(value, "model_extra", None)
    return extra if isinstance(extra, Mapping) else {}


def _within(answer: object) -> Iterable[object]:
    """The HTTP response that an object of an SDK came in, or the response that an event tells of."""
    opened = getattr(answer, f"_{type(answer).__name__}__stream", None)  # what the context of a stream has opened
    for holder in (answer, opened):
        for name in ("response", "_response", "http_response"):
            if (inner := getattr(holder, name, None)) is not None:
                yield inner
