"""Markdown, by markdown-it-py."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from guardrail.knowledge.document import Document
from guardrail.knowledge.formats.decoding import decoded
from guardrail.knowledge.formats.headings import Heading, outlined

__all__ = ["read"]

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*(['\"]?)(?P<title>.+?)\1[ \t]*$", re.MULTILINE)


def read(content: bytes) -> Document:
    """Headings, paragraphs, items, rows of tables and code; front matter gives the title only."""
    text = decoded(content)
    front = _FRONT_MATTER.match(text)
    named = _TITLE.search(front[0]) if front else None
    tokens = MarkdownIt("commonmark").enable("table").parse(text[front.end() :] if front else text)
    return outlined(_blocks(tokens), title=named["title"] if named else "")


def _blocks(tokens: list[Token]) -> Iterator[Heading | str]:
    level, in_cell, cells = 0, False, list[str]()
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1:])
        elif token.type in ("td_open", "th_open"):
            in_cell = True
        elif token.type == "tr_close":
            yield " | ".join(cells)
            cells.clear()
        elif token.type in ("fence", "code_block"):
            yield token.content
        elif token.type == "inline":
            said = _said(token)
            if level:
                yield Heading(level, said)
                level = 0
            elif in_cell:
                cells.append(said)
                in_cell = False
            else:
                yield said


def _said(token: Token) -> str:
    """The words of an inline token, without marks and addresses."""
    return "".join(_word(child) for child in token.children or ()).strip()


def _word(child: Token) -> str:
    if child.type in ("softbreak", "hardbreak"):
        return "\n" if child.type == "hardbreak" else " "
    return child.content if child.type in ("text", "code_inline", "image") else ""
