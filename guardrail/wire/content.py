"""The content of one message: a string, null, or a list of typed parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from guardrail.wire.shapes import (
    as_mapping,
    fail,
    kind_of,
    optional_text,
    required_text,
    typename,
)

__all__ = ["Content", "read_content"]

_TEXT_KINDS = frozenset({"text", "input_text", "output_text", "summary_text", "reasoning_text"})
_REMEDY = 'write {"type": "text", "text": "..."}'


@dataclass(frozen=True, slots=True)
class Content:
    """What a message's content holds."""

    parts: tuple[str, ...] = ()
    refusal: str | None = None
    omitted: tuple[str, ...] = ()
    """The kinds of the parts that hold no text, in order."""


def read_content(content: object, where: str) -> Content:
    """Read chat content or the content of a Responses item.

    Args:
        content: A string, None, or a list (or tuple) of parts; each part is an object with a
            ``type``, or a bare string, which several frameworks write.
        where: The place named in errors, such as ``messages[3].content``.

    Raises:
        InputError: It is something else, or a text part holds no string.
    """
    if content is None:
        return Content()
    if isinstance(content, str):
        return Content((content,) if content else ())
    if isinstance(content, Mapping) or not isinstance(content, list | tuple):
        fail(where, f"expected a string, null or a list of parts, got {typename(content)}; {_REMEDY}")
    return _joined([_read_part(part, f"{where}[{place}]") for place, part in enumerate(content)])


def _joined(parts: list[Content]) -> Content:
    refusals = [part.refusal for part in parts if part.refusal]
    return Content(
        parts=tuple(text for part in parts for text in part.parts),
        refusal="\n".join(refusals) if refusals else None,
        omitted=tuple(kind for part in parts for kind in part.omitted),
    )


def _read_part(value: object, where: str) -> Content:
    if isinstance(value, str):
        return Content((value,))
    part = as_mapping(value, where, _REMEDY)
    kind = kind_of(part, where, _REMEDY)
    if kind in _TEXT_KINDS:
        return Content((required_text(part.get("text"), f"{where}.text"),))
    if kind == "refusal":
        return Content(refusal=optional_text(part.get("refusal"), f"{where}.refusal"))
    # A kind that is not known here is no error: providers add kinds; its text, if any, is read.
    text = part.get("text")
    return Content((text,)) if isinstance(text, str) and text else Content(omitted=(kind,))
