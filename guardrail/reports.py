"""`report()`: from an object that a guarded client returned to the outcome behind it.

Outcomes are kept in one table a process, under their own id (which a guarded answer carries as ``guardrail.id``)
and under the id of the answer; the table holds the newest `CAPACITY` names. Nothing is attached to messages: users send
those back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from guardrail.errors import NoReport
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
    """The `Outcome` behind ``answer``: a completion, a response, a chunk, a stream or a raw response.

    Raises `NoReport` when no guard has seen it, when a stream has not ended yet, or when more than `CAPACITY`
    answers have passed since.
    """
    if isinstance(answer, Outcome):
        return answer
    for name in _names(answer):
        if (outcome := _table.find(name)) is not None:
            return outcome
    raise NoReport(
        f"no guard has a report on this {type(answer).__name__}; was it made by a client from "
        "guardrail.wrap(), and has its stream been read to the end?"
    )


def _names(answer: object) -> Iterable[str]:
    """What ``answer`` may be known by, the surest first."""
    extra = getattr(answer, "model_extra", None)
    if extra is None and isinstance(answer, Mapping):
        extra = answer
    if isinstance(extra, Mapping) and isinstance(mark := extra.get("guardrail"), Mapping):
        yield str(mark.get("id"))
    for response in (answer, getattr(answer, "response", None), getattr(answer, "http_response", None)):
        extensions = getattr(response, "extensions", None)
        if isinstance(extensions, Mapping) and "guardrail" in extensions:
            yield str(extensions["guardrail"])
    name = answer.get("id") if isinstance(answer, Mapping) else getattr(answer, "id", None)
    if isinstance(name, str):
        yield name
