"""Cutting a conversation to what a verifier should be sent. Pure; never silent.

Tokens are estimated without a tokenizer: four characters are one token, a Chinese, Japanese or Korean
character is one by itself. Real counts differ by tens of per cent; leave room in ``max_tokens``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from guardrail.conversation import Message
from guardrail.grounding import collect

__all__ = ["estimated_tokens", "trim"]

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_CUT = "\n[...]\n"


def estimated_tokens(text: str) -> int:
    """About how many tokens ``text`` has: a quarter of its characters, CJK characters counted whole."""
    wide = len(_CJK.findall(text))
    return wide + -(-(len(text) - wide) // 4)


def trim(
    conversation: Sequence[Message], *, max_tokens: int, keep: Sequence[str]
) -> tuple[tuple[Message, ...], str | None]:
    """Cut ``conversation`` to an estimated ``max_tokens``.

    The oldest messages go first. A tool call and its result go together or stay together. If what
    is kept alone is too long, the longest of its texts lose their middle.

    Args:
        conversation: The history, oldest first.
        max_tokens: At least 1; estimated tokens of texts, refusals, and names and arguments of calls.
        keep: What never goes: ``system`` (developer messages too), ``last_user``, ``evidence`` (tool
            results, and messages that evidence was found in).

    Returns:
        The messages in their order, and a note of what was cut; the note is None if nothing was.
        Only calls and refusals, which are never shortened, can leave the result above ``max_tokens``.
    """
    sizes = [_size(message) for message in conversation]
    excess = sum(sizes) - max_tokens
    if excess <= 0:
        return tuple(conversation), None
    kept = _kept(conversation, keep)
    gone: set[int] = set()
    for group in _groups(conversation):
        if excess <= 0:
            break
        if not kept.intersection(group):
            gone.update(group)
            excess -= sum(sizes[place] for place in group)
    left = [message for place, message in enumerate(conversation) if place not in gone]
    shortened, tokens = _shortened(left, max_tokens) if excess > 0 else (left, 0)
    dropped = sum(sizes[place] for place in gone)
    return tuple(shortened), _note(len(gone), dropped, tokens, max_tokens)


def _note(messages: int, dropped: int, shortened: int, max_tokens: int) -> str | None:
    cuts = []
    if messages:
        cuts.append(f"{messages} message{'s' * (messages != 1)} of about {dropped} tokens")
    if shortened:
        cuts.append(f"about {shortened} tokens from the middle of the longest texts kept")
    if not cuts:
        return None
    return f"the history sent to the verifier was cut to {max_tokens} tokens: {' and '.join(cuts)} left out"


def _size(message: Message) -> int:
    calls = [text for call in message.tool_calls for text in (call.name, call.arguments)]
    return sum(estimated_tokens(text) for text in (*message.parts, message.refusal or "", *calls))


def _kept(conversation: Sequence[Message], keep: Sequence[str]) -> set[int]:
    places: set[int] = set()
    for place, message in enumerate(conversation):
        if "system" in keep and message.role in ("system", "developer"):
            places.add(place)
        if "evidence" in keep and (message.role == "tool" or _holds_evidence(message)):
            places.add(place)
    users = [place for place, message in enumerate(conversation) if message.role == "user"]
    if "last_user" in keep and users:
        places.add(users[-1])
    return places


def _holds_evidence(message: Message) -> bool:
    return bool(collect((message,)))


def _groups(conversation: Sequence[Message]) -> list[list[int]]:
    """What goes or stays together, oldest first: a message, or calls with their results."""
    groups: list[list[int]] = []
    by_call: dict[str, list[int]] = {}
    pending: list[int] | None = None  # The last message with calls, for results that name none.
    for place, message in enumerate(conversation):
        group = by_call.get(message.tool_call_id or "") if message.role == "tool" else None
        if group is None and message.role == "tool" and not message.tool_call_id:
            group = pending
        if group is None:
            group = []
            groups.append(group)
        group.append(place)
        if message.tool_calls:
            pending = group
            by_call.update({call.id: group for call in message.tool_calls if call.id})
    return groups


def _shortened(messages: list[Message], max_tokens: int) -> tuple[list[Message], int]:
    """Cut the longest texts to one common length, so that all fit; and how many tokens that took."""
    texts = [estimated_tokens(part) for message in messages for part in message.parts]
    fixed = sum(_size(message) for message in messages) - sum(texts)
    limit = _common_limit(texts, max_tokens - fixed)
    cut = [replace(message, parts=tuple(_middle_out(part, limit) for part in message.parts)) for message in messages]
    cut = [replace(message, parts=tuple(part for part in message.parts if part)) for message in cut]
    return cut, sum(map(_size, messages)) - sum(map(_size, cut))


def _common_limit(texts: Sequence[int], room: int) -> int:
    """The greatest length such that the texts, each cut to it, fit into ``room`` together."""
    left, waiting = max(room, 0), len(texts)
    for size in sorted(texts):
        if size * waiting > left:
            return left // waiting
        left -= size
        waiting -= 1
    return max(texts, default=0)


def _middle_out(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` tokens: its beginning and its end."""
    if estimated_tokens(text) <= limit:
        return text
    room = limit - estimated_tokens(_CUT) - 2  # Two: both halves and the mark are rounded up at most once.
    if room < 2:
        return _prefix(text, limit)
    head = _prefix(text, room - room // 2)
    tail = _prefix(text[::-1], room // 2)[::-1]
    return f"{head}{_CUT}{tail}"


def _prefix(text: str, limit: int) -> str:
    """The longest beginning of ``text`` of at most ``limit`` tokens."""
    low, high = 0, min(len(text), 4 * limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if estimated_tokens(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]
