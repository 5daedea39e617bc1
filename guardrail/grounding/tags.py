"""Grounding between tags: ``<document>``, ``<context>``, ``<source id="1">`` and their kin.

This is no XML parser: prompts are not XML. Tags are matched with a stack in one pass; what does
not match is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from guardrail.grounding.words import EXAMPLE_WORDS, words

__all__ = ["Block", "Element", "Tagged", "tagged"]

# Both quantifiers are bounded, so a hostile run of "<" costs a constant for each character.
_TAG = re.compile(r"<(/?)([A-Za-z][\w.:-]{0,60})((?:\s[^<>]{0,500})?)>")
_ATTRIBUTE = re.compile(
    r"([A-Za-z][\w:-]{0,40})\s{0,3}=\s{0,3}(?:\"([^\"]{0,400})\"|'([^']{0,400})'|([^\s\"'>]{1,400}))"
)

_DOCUMENT_WORDS = words(
    "document documents doc docs context contexts source sources passage"
    " passages article articles excerpt excerpts"
    " chunk chunks reference references result results snippet snippets background knowledge evidence facts"
    " quote quotes transcript email file files page pages webpage report"
    " faq record records paragraph paragraphs"
    " text data information retrieved kontext quelle contexte contexto contesto"
    " manual handbook wiki kb product products catalog catalogue inventory order orders customer profile"
)
_NOT_DOCUMENT_WORDS = words(
    "instruction instructions rules rule format output question query answer answers"
    " thinking role task style tone"
    " persona guidelines schema tool tools response"
)
_TEXT_CHILDREN = words("document_content content text body page_content contents doc_content snippet")
_SINGULAR = words("document doc passage article excerpt chunk result snippet reference file page webpage record item")
_TITLE_KEYS = ("title", "name", "filename", "file_name")
_URL_KEYS = ("url", "link", "source", "href", "uri", "src", "path")
_META_CHILDREN = frozenset(
    (
        *_TITLE_KEYS,
        *_URL_KEYS,
        "id",
        "date",
        "author",
        "score",
        "metadata",
        "index",
        "page_number",
        "published",
    )
)


@dataclass(slots=True)
class Element:
    """A matched pair of tags, with the pairs inside."""

    name: str
    attributes: str
    start: int
    inner: int
    """Where its content begins; it ends at ``outer``."""
    outer: int = 0
    end: int = 0
    children: list[Element] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Block:
    """The text of one document between tags."""

    text: str
    title: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Tagged:
    """What tags mark in a text, and the text without it."""

    blocks: tuple[Block, ...]
    rest: str


def tagged(text: str) -> Tagged:
    """Find the documents between tags. Examples (few-shot) are taken out and are no documents."""
    if "</" not in text:
        return Tagged((), text)
    taken = list(_outermost(_elements(text)))
    blocks = tuple(block for element in taken if not _is_example(element) for block in _blocks(text, element))
    return Tagged(blocks, _without(text, 0, len(text), taken, gap="\n\n"))


def _elements(text: str) -> list[Element]:
    roots: list[Element] = []
    stack: list[Element] = []
    open_names: dict[str, int] = {}
    for found in _TAG.finditer(text):
        closing, name, attributes = found[1], found[2].lower(), found[3]
        if attributes.endswith("/"):
            continue
        if not closing:
            stack.append(Element(name, attributes, found.start(), found.end()))
            open_names[name] = open_names.get(name, 0) + 1
        elif open_names.get(name):
            _close(stack, open_names, roots, name, found.start(), found.end())
    # What stays open is no element; the pairs inside of it are.
    return sorted((*roots, *(child for left in stack for child in left.children)), key=lambda e: e.start)


def _close(
    stack: list[Element], open_names: dict[str, int], roots: list[Element], name: str, outer: int, end: int
) -> None:
    """Close the nearest element called ``name``; those left open inside of it hand up their children."""
    left_open: list[Element] = []
    while True:
        element = stack.pop()
        open_names[element.name] -= 1
        if element.name == name:
            break
        left_open.append(element)
    for inner in reversed(left_open):
        element.children += inner.children
    element.outer, element.end = outer, end
    (stack[-1].children if stack else roots).append(element)


def _words(name: str) -> frozenset[str]:
    return frozenset(re.split(r"[_.:\-\d]+", name))


def _is_example(element: Element) -> bool:
    return bool(_words(element.name) & EXAMPLE_WORDS)


def _is_document(element: Element) -> bool:
    parts = _words(element.name)
    return bool(parts & _DOCUMENT_WORDS) and not parts & _NOT_DOCUMENT_WORDS


def _outermost(elements: list[Element]) -> Iterator[Element]:
    """The outermost documents and examples."""
    waiting = list(reversed(elements))
    while waiting:
        element = waiting.pop()
        if _is_document(element) or _is_example(element):
            yield element
        else:
            waiting += reversed(element.children)


def _blocks(text: str, element: Element) -> Iterator[Block]:
    """The innermost documents of ``element``: containers give their children."""
    waiting = [element]
    while waiting:
        current = waiting.pop()
        inner = [child for child in current.children if _is_piece(child, current)]
        if inner:
            waiting += reversed(inner)
        else:
            block = _block(text, current)
            if block.text:
                yield block


def _is_piece(child: Element, parent: Element) -> bool:
    """Whether ``child`` is a document of its own, rather than text or a property of ``parent``."""
    if child.name in ("document", "doc", "item", "passage", "result", "chunk"):
        return True
    if _words(parent.name) & _SINGULAR or parent.name == "source":
        return False
    return _is_document(child) and child.name not in _TEXT_CHILDREN


def _block(text: str, element: Element) -> Block:
    facts = dict(_attributes(element.attributes))
    facts |= {
        child.name: text[child.inner : child.outer].strip()
        for child in element.children
        if child.name in _META_CHILDREN
    }
    bodies = [child for child in element.children if child.name in _TEXT_CHILDREN]
    if bodies:
        body = "\n\n".join(text[child.inner : child.outer].strip() for child in bodies)
    else:
        dropped = [child for child in element.children if child.name in _META_CHILDREN]
        body = _without(text, element.inner, element.outer, dropped, gap="")
    return Block(body.strip(), _first(facts, _TITLE_KEYS), _first(facts, _URL_KEYS))


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    for found in _ATTRIBUTE.finditer(text):
        yield found[1].lower(), (found[2] or found[3] or found[4] or "").strip()


def _first(facts: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    return next((facts[key] for key in keys if facts.get(key)), None)


def _without(text: str, start: int, end: int, elements: list[Element], *, gap: str) -> str:
    kept: list[str] = []
    for element in elements:
        kept += (text[start : element.start], gap)
        start = element.end
    return "".join([*kept, text[start:end]])
