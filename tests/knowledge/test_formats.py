"""What files of each format say."""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import InputError, MissingExtra
from guardrail.knowledge.document import WORDS, Document, Section, passages
from guardrail.knowledge.formats import read
from tests.knowledge.files import HTML, MARKDOWN, pdf

needs_pypdf = pytest.mark.skipif(
    importlib.util.find_spec("pypdf") is None, reason="pypdf is not installed: the extra knowledge"
)


def said(name: str, content: bytes) -> tuple[str, list[tuple[str, tuple[str, ...], str]]]:
    document = read(Path(name), content)
    return document.title, [(one.heading, one.paragraphs, one.place) for one in document.sections]


def test_markdown_is_read_by_its_headings_without_its_marks() -> None:
    assert said("a.md", MARKDOWN) == (
        "The handbook",
        [
            ("Refunds", ("Refunds are possible within 30 days of delivery.",), ""),
            (
                "Refunds › Exceptions",
                ("Books: 14 days.", "Food: never.", "Day | Hours", "Monday | 9 to 5", "days = 30"),
                "",
            ),
            ("Shipping", ("Free above 50 euros.",), ""),
        ],
    )


def test_the_first_heading_is_the_title_where_there_is_no_other() -> None:
    title, sections = said("a.markdown", b"# Refunds\n\nNever.\n\n## Why\n\nSo.\n")
    assert (title, [heading for heading, _, _ in sections]) == ("Refunds", ["", "Why"])


def test_html_is_read_as_it_is_shown() -> None:
    assert said("a.html", HTML) == (
        "Ferry & fares",
        [
            ("Fares", ("A day return costs 9.40 pounds. Children pay half.",), ""),
            ("Fares › Dogs", ("Dogs travel free.", "Day | Price", "Monday | 3", "Loose text."), ""),
        ],
    )


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("<meta charset='iso-8859-1'><p>caf\xe9".encode("latin-1"), "café"),
        ("<p>café".encode("utf-16"), "café"),
        (b"<p>" * 5000 + b"deep", "deep"),
        (b"no tags at all", "no tags at all"),
        (b"https://shop.example/refunds", "https://shop.example/refunds"),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><p>strict</p></html>', "strict"),
        (b'<?xml version="1.0"?><doc><p>no page</p></doc>', "no page"),
    ],
)
def test_html_may_be_old_deep_or_bare(content: bytes, word: str) -> None:
    assert said("a.htm", content)[1][0][1] == (word,)


@pytest.mark.parametrize(
    "content",
    [b"One.\n\nTwo\nlines.\n", b"\xef\xbb\xbfOne.\r\n\r\nTwo\r\nlines.", "One.\n\nTwo\nlines.".encode("utf-16")],
)
def test_plain_text_is_read_by_its_paragraphs(content: bytes) -> None:
    assert said("a.txt", content) == ("", [("", ("One.", "Two\nlines."), "")])


@needs_pypdf
def test_pdf_is_read_by_its_pages() -> None:
    content = pdf("The pump delivers 12 litres.", "Replace the seal yearly.", title="The pump")
    assert said("a.pdf", content) == (
        "The pump",
        [
            ("", ("The pump delivers 12 litres.",), "#page=1"),
            ("", ("Replace the seal yearly.",), "#page=2"),
        ],
    )


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.txt", b"\xff\xffx", "it is not UTF-8 (byte 0)"),
        ("a.md", b"a\0b", "it is no text: it holds zero bytes"),
        ("a.txt", b"  \n\n ", "it holds no text"),
        ("a.html", b"<script>only()</script>", "it holds no text"),
        ("a.html", b"\x00\x01\x02", "it is no text: its encoding cannot be told"),
        pytest.param("a.pdf", b"%PDF-1.4 broken", "it is no PDF that can be read", marks=needs_pypdf),
        pytest.param("a.pdf", b"", "it is no PDF that can be read", marks=needs_pypdf),
        pytest.param("a.pdf", pdf("cut")[:200], "it is no PDF that can be read", marks=needs_pypdf),
        pytest.param("a.pdf", pdf(""), "it holds no text", marks=needs_pypdf),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        read(Path(name), content)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(("name", "module"), [("a.md", "markdown_it"), ("a.html", "bs4"), ("a.pdf", "pypdf")])
def test_a_missing_library_is_told_with_what_installs_it(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(wanted: str, *rest: Any, **more: Any) -> Any:
        if wanted.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return real(wanted, *rest, **more)

    for loaded in [one for one in sys.modules if one.startswith("guardrail.knowledge.formats.")]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=rf"^{name} needs {module}: pip install 'guardrail-llm\[knowledge\]'$"):
        read(Path(name), b"x")


@needs_pypdf
@given(st.binary(max_size=300))
def test_damaged_pdfs_are_refused_and_never_raise_anything_else(noise: bytes) -> None:
    whole = pdf("The pump delivers 12 litres.")
    for content in (noise, whole[:150] + noise, whole[:150] + noise + whole[150 + len(noise) :]):
        with contextlib.suppress(InputError):
            read(Path("a.pdf"), content)


# passages


def test_paragraphs_that_fit_together_make_one_passage() -> None:
    document = Document("T", (Section("A", ("one two", "three"), "#1"), Section("B", ("four",))))
    assert [(p.heading, p.text, p.place) for p in passages(document)] == [
        ("A", "one two\nthree", "#1"),
        ("B", "four", ""),
    ]


@given(st.lists(st.text(st.sampled_from("ab .\n"), max_size=900), max_size=6))
def test_nothing_is_lost_and_no_passage_is_longer_than_it_must(paragraphs: list[str]) -> None:
    document = Document("", (Section("", tuple(paragraphs)),))
    found = list(passages(document))
    assert " ".join(p.text for p in found).split() == " ".join(paragraphs).split()
    longest = max((len(s.split()) for p in paragraphs for s in p.replace("\n", ".").split(".")), default=0)
    assert all(len(p.text.split()) <= max(WORDS, longest) or "\n" not in p.text for p in found)


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    paragraph = " ".join(f"This is the sentence with the number {n}." for n in range(100))
    found = [p.text for p in passages(Document("", (Section("", (paragraph,)),)))]
    assert len(found) > 1
    assert all(text.startswith("This is") and text.endswith(".") and len(text.split()) <= WORDS for text in found)
