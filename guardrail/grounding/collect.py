"""Collecting the grounding that a conversation holds.

Each message is read on its own: first what stands between tags, then documents in Python's spelling or in
JSON, then sections under headings and introductions, then numbered passages; what is left of a user's message
is searched for quotations, tables, and what the user states. Everything runs in time linear in the length of the text.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from guardrail.conversation import Evidence, Message, Origin
from guardrail.grounding.blocks import set_off
from guardrail.grounding.documents import documents_in, documents_of
from guardrail.grounding.passages import numbered_alone, pieces
from guardrail.grounding.sections import REQUESTED, Section, names_grounding, sections
from guardrail.grounding.spelled import spelled_out
from guardrail.grounding.statements import only_requests, stated
from guardrail.grounding.tags import tagged

__all__ = ["collect", "missing_note"]

_JSON_START = re.compile(r"^[ \t]{0,8}(?:\[\s{0,40})?\{\s{0,40}\"", re.MULTILINE)
_JSON_TRIES = 8
"""Places of one message where a JSON value is tried: each try may read to the end of the text."""
_LONGEST = 16_384
"""Characters of a text whose evidence is remembered: a bound on the memory that it takes."""


def collect(conversation: Sequence[Message], given: Sequence[Evidence] = ()) -> tuple[Evidence, ...]:
    """The evidence at hand, each piece labelled with its origin.

    Args:
        conversation: The history, oldest first, without the answer under judgement.
        given: What the caller gave; it comes first and keeps its origin.

    Returns:
        Pieces without repetition, in the order given, tool, retrieved, user; within an origin in the
        order of the conversation. Answers of the assistant and instructions are never evidence.
    """
    tool = _from_tools(conversation)
    told = [piece for message in conversation for piece in _from_prompt(message)]
    retrieved = (piece for piece in told if piece.origin == "retrieved")
    user = (piece for piece in told if piece.origin == "user")
    return _unique(chain(given, tool, retrieved, user))


def missing_note() -> str:
    """What to tell a user whose request held no evidence."""
    return (
        "no evidence was found in the conversation to verify the answer against;"
        " supply it with one line: `with guardrail.evidence(docs): ...`"
    )


def _from_tools(conversation: Sequence[Message]) -> Iterator[Evidence]:
    names = {call.id: call.name for message in conversation for call in message.tool_calls if call.id}
    for message in conversation:
        if message.role == "tool":
            name = message.name or names.get(message.tool_call_id or "")
            for part in message.parts:
                yield from documents_in(part, "tool") or _whole(part, name)


def _whole(text: str, name: str | None) -> tuple[Evidence, ...]:
    return (Evidence(text.strip(), "tool", title=name),) if text.strip() else ()


def _from_prompt(message: Message) -> Iterator[Evidence]:
    if message.role in ("tool", "assistant") or (message.name or "").startswith("example"):
        return
    for part in message.parts:
        yield from (_remembered if len(part) <= _LONGEST else _found)(part, message.role == "user")


@functools.lru_cache(maxsize=512)
def _remembered(text: str, states: bool) -> tuple[Evidence, ...]:
    """`_found`, which is most of what guarding costs: all messages but the newest were seen before."""
    return _found(text, states)


def _found(text: str, states: bool) -> tuple[Evidence, ...]:
    return tuple(_from_text(text, states=states))


def _from_text(text: str, *, states: bool) -> Iterator[Evidence]:
    found = tagged(text)
    for block in found.blocks:
        yield from pieces(block.text, "retrieved", title=block.title, url=block.url)
    documents, rest = spelled_out(found.rest, "retrieved")
    yield from documents
    listed, rest = _json(rest)
    yield from listed
    for section in sections(rest):
        yield from _from_section(section, states=states)


def _json(text: str) -> tuple[list[Evidence], str]:
    """The documents of the JSON values in ``text``, and the text without those values."""
    documents: list[Evidence] = []
    kept: list[str] = []
    done = 0
    for start in islice(_JSON_START.finditer(text), _JSON_TRIES):
        if start.start() < done:
            continue
        try:
            value, end = json.JSONDecoder().raw_decode(text, start.end() - len(start[0].lstrip()))
        except (ValueError, RecursionError):
            continue
        if found := documents_of(value, "retrieved") or tuple(_fields(value)):
            documents += found
            kept.append(text[done : start.start()])
            done = end
    return documents, "".join([*kept, text[done:]])


def _fields(value: object) -> Iterator[Evidence]:
    """What an object such as ``{"context": ..., "question": ...}`` holds under the names of grounding."""
    if isinstance(value, Mapping):
        for name, content in value.items():
            if names_grounding(name):
                for item in content if isinstance(content, list) else [content]:
                    yield from pieces(item, "retrieved") if isinstance(item, str) else ()


def _from_section(section: Section, *, states: bool) -> Iterator[Evidence]:
    if section.kind == "context":
        kept = pieces(section.text, "retrieved", title=section.title)
        # Under a heading of a system prompt there may stand orders just as well.
        yield from kept if states or section.fenced else (p for p in kept if not only_requests(p.text))
    elif section.kind == "pasted" and (states or (section.fenced and section.name != REQUESTED)):
        yield from _pasted(section, "user" if states else "retrieved")
    elif section.kind in ("free", "question"):
        passages, rest = numbered_alone(section.text)
        yield from (Evidence(text, "retrieved") for text in passages if states or not only_requests(text))
        if states:
            blocks, rest = set_off(rest)
            yield from (Evidence(text, "user") for text in (*blocks, *stated(rest)))


def _pasted(section: Section, origin: Origin) -> Iterator[Evidence]:
    """A text that the user pasted, whole; a mere phrase to be worked on holds no facts."""
    text = section.text
    if section.fenced or (len(text) >= 40 and not only_requests(text)):
        yield from pieces(text, origin)


def _unique(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """One of each text: a document that comes twice counts once."""
    seen: dict[str, Evidence] = {}
    for piece in found:
        seen.setdefault(" ".join(piece.text.split()), piece)
    return tuple(seen.values())
