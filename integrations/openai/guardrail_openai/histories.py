"""What was said before a request that only names it: remembered as it passes, else fetched. Sans I/O."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from guardrail.conversation import Message
from guardrail.errors import InputError
from guardrail.recent import Recent
from guardrail.wire.exchange import Follows, Json
from guardrail.wire.messages import read_items
from guardrail.wire.responses import followed

__all__ = ["Fetch", "Fetching", "Histories", "History", "Step"]

_CAPACITY = 2048
"""So many responses are remembered; the oldest go first."""
_MOST_STEPS = 64
"""So many responses are gone back."""
_MOST_PAGES = 10
_PAGE = 100
"""The most items that the API gives at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One response."""

    asked: tuple[Message, ...]
    answer: tuple[Message, ...]
    follows: Follows | None

    @property
    def messages(self) -> tuple[Message, ...]:
        """All that was said in it."""
        return self.asked + self.answer


@dataclass(frozen=True, slots=True)
class History:
    """What was said before a request, as far as it could be found."""

    messages: tuple[Message, ...] = ()
    missing: Follows | None = None
    """What could not be read; None where the history is whole."""
    holds_request: bool = False
    """Whether ``messages`` end with what the request itself says."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the outcome must know."""
        if self.missing is None:
            return ()
        return (
            f"the history is partial: what was said before is kept under the {self.missing.kind} "
            f"{self.missing.id!r}, which could not be read",
        )


@dataclass(frozen=True, slots=True)
class Fetch:
    """A GET request to the API that the guarded request went to."""

    path: tuple[str, ...]
    """Below the API's root."""
    params: Mapping[str, str]


Fetching: TypeAlias = Generator[Fetch, Json | None, History]
"""Yields what to fetch, is sent the reply (None where there is none), and returns the history."""


class Histories:
    """The responses that passed lately, by id."""

    def __init__(self) -> None:
        self._steps: Recent[Step] = Recent(_CAPACITY)

    def keep(self, step: Step, *ids: str | None) -> None:
        """Remember a response."""
        self._steps.keep(step, *ids)

    def before(self, follows: Follows | None, *, answered: Collection[str] = ()) -> Fetching:
        """All that was said from the start up to ``follows``.

        ``answered``: ids of output items of the request's own answer, which a conversation may hold by now.
        """
        steps: list[tuple[Message, ...]] = []
        missing, holds_request = None, False
        while follows is not None:
            if follows.kind == "conversation":
                said, holds_request = yield from _conversation(follows.id, answered)
                steps.append(said or ())
                missing = follows if said is None else None
                break
            step = (yield from self._step(follows.id)) if len(steps) < _MOST_STEPS else None
            if step is None:
                missing = follows
                break
            steps.append(step.asked if follows.kind == "request" else step.messages)
            follows = step.follows
        return History(_joined(reversed(steps)), missing, holds_request and len(steps) == 1)

    def _step(self, id: str) -> Generator[Fetch, Json | None, Step | None]:
        if (known := self._steps.find(id)) is not None:
            return known
        step = yield from _fetched(id)
        if step is not None:
            self.keep(step, id)
        return step


def _fetched(id: str) -> Generator[Fetch, Json | None, Step | None]:
    reply = yield Fetch(("responses", id), {})
    if reply is None:
        return None
    items = yield from _pages(("responses", id, "input_items"))
    asked, answer = _read(items), _read(reply.get("output"))
    return None if asked is None or answer is None else Step(asked, answer, followed(reply))


def _conversation(
    id: str, answered: Collection[str]
) -> Generator[Fetch, Json | None, tuple[tuple[Message, ...] | None, bool]]:
    """What the conversation held before the answer, and whether the question is in it already."""
    items = yield from _pages(("conversations", id, "items"))
    if items is None:
        return None, False
    ends = [place for place, item in enumerate(items) if item.get("id") in answered]
    return _read(items[: ends[0]] if ends else items), bool(ends)


def _pages(path: tuple[str, ...]) -> Generator[Fetch, Json | None, list[Json] | None]:
    """All items of a list, oldest first; None where a page could not be had."""
    items: list[Json] = []
    after: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        page = yield Fetch(path, {"order": "asc", "limit": str(_PAGE), **after})
        data = page.get("data") if page is not None else None
        if page is None or not isinstance(data, list):
            return None
        items += [item for item in data if isinstance(item, dict)]
        last = page.get("last_id")
        if not page.get("has_more") or not isinstance(last, str):
            return items
        after = {"after": last}
    return None


def _read(items: object) -> tuple[Message, ...] | None:
    try:
        return None if items is None else read_items(items)
    except InputError:
        return None


def _joined(steps: Iterable[Sequence[Message]]) -> tuple[Message, ...]:
    """One step after the other. A server may repeat in a response's input all that came before it."""
    whole: tuple[Message, ...] = ()
    for step in steps:
        said = tuple(step)
        whole = said if said[: len(whole)] == whole else whole + said
    return whole
