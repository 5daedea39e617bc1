"""Splitting a delimited block into its documents: JSON, numbered passages, records with properties."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from guardrail.conversation import Evidence, Origin
from guardrail.grounding.documents import documents_in
from guardrail.grounding.words import words

__all__ = ["is_numbered", "numbered_alone", "pieces"]

_MARK = re.compile(
    r"[ \t]{0,8}(?:\[(?:\w{1,9} )?(?P<square>\d{1,3})\]:?|\((?P<round>\d{1,3})\)|(?P<dot>\d{1,3})[.)])"
    r"[ \t]+(?=\S)"
)
_PROPERTY = re.compile(r"[ \t]{0,8}(?P<key>[A-Za-z_]{2,20})[ \t]?:[ \t]*(?P<value>\S.*)?$")
_RULE = re.compile(r"\s{0,8}(?:-{3,}|={3,}|\*{3,}|_{3,})\s{0,8}$")
_TITLE_KEYS = words("title name file_name filename")
_URL_KEYS = words("source url link file_path path uri")
_OTHER_KEYS = words("page page_label date author id score doc_id chunk_id published")
_BODY_KEYS = words("content text body passage snippet excerpt")


def pieces(block: str, origin: Origin, *, title: str | None = None, url: str | None = None) -> Iterator[Evidence]:
    """The documents of a block, verbatim, each with the title and address found beside it."""
    documents = documents_in(block, origin)
    if documents:
        yield from documents
        return
    for record in _records(block.split("\n")):
        piece = _with_properties(record, origin, title, url)
        if any(character.isalnum() for character in piece.text):
            yield piece


def numbered_alone(text: str) -> tuple[tuple[str, ...], str]:
    """Passages such as ``[1] ...`` that stand in running text without heading, and the text without them.

    There must be two at least, counted up from 0 or 1. Such a passage ends with its paragraph.
    """
    lines = text.split("\n")
    found = _marked(lines, square_only=True)
    if len(found) < 2:
        return (), text
    passages: list[str] = []
    taken: set[int] = set()
    for place, following in zip(found, [*found[1:], len(lines)], strict=True):
        end = next((at for at in range(place, following) if not lines[at].strip()), following)
        passages.append(_unmarked("\n".join(lines[place:end])))
        taken.update(range(place, end))
    return tuple(passages), "\n".join(line for place, line in enumerate(lines) if place not in taken)


def is_numbered(line: str) -> bool:
    """Whether a line begins a passage as ``[1] ...`` or ``[Document 1] ...`` does."""
    mark = _MARK.match(line)
    return mark is not None and mark.lastgroup == "square"


def _records(lines: list[str]) -> Iterator[list[str]]:
    marks = _marked(lines)
    if marks and not "".join(lines[: marks[0]]).strip():
        for place, following in zip(marks, [*marks[1:], len(lines)], strict=True):
            yield _unmarked("\n".join(lines[place:following])).split("\n")
    else:
        yield from _between_rules(lines)


def _marked(lines: Sequence[str], *, square_only: bool = False) -> list[int]:
    """The lines that begin passage 1, 2, 3 ... (or 0, 1, 2 ...) in one style of numbering."""
    found: list[int] = []
    style: str | None = None
    number = 0
    for place, line in enumerate(lines):
        mark = _MARK.match(line)
        if mark is None or (square_only and mark.lastgroup != "square"):
            continue
        value = int(mark[str(mark.lastgroup)])
        if (style is None and value in (0, 1)) or (mark.lastgroup == style and value == number + 1):
            style, number = mark.lastgroup, value
            found.append(place)
    return found if len(found) > 1 or style == "square" else []


def _unmarked(text: str) -> str:
    mark = _MARK.match(text)
    return text[mark.end() :] if mark else text


def _between_rules(lines: list[str]) -> Iterator[list[str]]:
    """Records end at a rule (``---``) and where the properties of a next one begin after a blank line."""
    record: list[str] = []
    has_body = False
    for place, line in enumerate(lines):
        rule, owned = bool(_RULE.match(line)), _is_property(line)
        opens = owned and (place == 0 or not lines[place - 1].strip())
        if rule or (opens and has_body):
            yield record
            record, has_body = [], False
        if not rule:
            record.append(line)
            has_body = has_body or (bool(line.strip()) and not owned)
    yield record


def _key(line: str) -> str | None:
    found = _PROPERTY.match(line) if len(line) < 500 else None
    return found["key"].lower() if found else None


def _is_property(line: str) -> bool:
    return _key(line) in _TITLE_KEYS | _URL_KEYS | _OTHER_KEYS


def _with_properties(lines: list[str], origin: Origin, title: str | None, url: str | None) -> Evidence:
    """The text under the leading properties (``Title: ...``), and what those say."""
    place = 0
    while place < len(lines) and (not lines[place].strip() or _is_property(lines[place])):
        found = _PROPERTY.match(lines[place])
        if found and (value := (found["value"] or "").strip()):
            key = found["key"].lower()
            title = value if key in _TITLE_KEYS else title
            url = value if key in _URL_KEYS else url
        place += 1
    keys = [_key(line) for line in lines[place:] if line.strip()]
    if all(keys) and not _BODY_KEYS.intersection(keys):
        # Nothing but keys and values: a record, of which all is the text.
        return Evidence("\n".join(lines).strip(), origin)
    body = "\n".join(lines[place:])
    if place and _key(lines[place]) in _BODY_KEYS:
        body = body.split(":", 1)[1]
    return Evidence(body.strip(), origin, title=title, url=url)
