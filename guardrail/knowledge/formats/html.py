"""HTML, by Beautiful Soup and the parser of the standard library."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.dammit import UnicodeDammit
from bs4.element import NavigableString, PageElement, Tag

from guardrail.errors import InputError
from guardrail.knowledge.document import Document
from guardrail.knowledge.formats.headings import Heading, outlined

__all__ = ["read"]

_ASIDE = (
    "script",
    "style",
    "template",
    "noscript",
    "svg",
    "nav",
    "footer",
    "aside",
    "form",
    "button",
    "select",
    "head",
)
"""What is not part of what a page says."""
_BLOCKS = frozenset(
    "address article blockquote body caption dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 h5 h6 header"
    " hr html li main ol p pre section summary table tbody tfoot thead tr ul".split()
)
_HEADING = re.compile(r"h([1-6])")
_CELLS = ("td", "th")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>")


def read(content: bytes) -> Document:
    """Headings and blocks of text; the title is that of the page."""
    found = UnicodeDammit(content, is_html=True)
    if found.unicode_markup is None or "\0" in found.unicode_markup:
        raise InputError("it is no text: its encoding cannot be told")
    # The library would warn of a text that looks like an address, or like XML.
    soup = BeautifulSoup("\n" + _DECLARATION.sub("", found.unicode_markup), "html.parser")
    title = _plain(soup.title.get_text()) if soup.title else ""
    for tag in soup.find_all(_ASIDE):
        tag.decompose()
    return outlined(_blocks(soup), title=title)


def _blocks(soup: Tag) -> Iterator[Heading | str]:
    """What stands between the borders of blocks, in order."""
    run = list[str]()
    for border, text in _walked(soup):
        run.append(text)
        if border is None:
            continue
        if said := _plain("".join(run)):
            heading = _HEADING.fullmatch(border)
            yield Heading(int(heading[1]), said) if heading else said
        run.clear()
    if said := _plain("".join(run)):
        yield said


def _walked(soup: Tag) -> Iterator[tuple[str | None, str]]:
    """Texts, and borders: the name of a block where it ends, ``""`` where it begins. Without recursion: pages nest."""
    left: list[tuple[PageElement, bool]] = [(soup, False)]
    while left:
        node, ended = left.pop()
        if isinstance(node, NavigableString):
            yield None, str(node) if type(node) is NavigableString else ""
        elif isinstance(node, Tag) and ended:
            yield (node.name, "") if node.name in _BLOCKS else (None, " | " if node.name in _CELLS else "")
        elif isinstance(node, Tag):
            yield ("", "") if node.name in _BLOCKS else (None, "\n" if node.name == "br" else "")
            left.append((node, True))
            left.extend((child, False) for child in reversed(list(node.children)))


def _plain(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return " ".join(line for line in lines if line).removesuffix(" |").strip()
