"""The sentences of a text that is still being written. Pure.

An end is declared as soon as no further text can change it. Each decision looks at a bounded piece of text around the
place, chosen by the text alone, so that any chunking gives the same sentences in linear time.
"""

from __future__ import annotations

import re
from typing import Literal

from sentencex import segment

from guardrail.claims.segment import PLAIN, Sentence

__all__ = ["SentenceStream"]

_LONGEST = 2000
_BACK = 300
"""How much of a sentence, before a full stop, is looked at to judge it. Characters."""
_QUOTED = 240
"""How far behind an opening quotation mark or bracket its counterpart is looked for. Characters."""

_LINE = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""What ends a line; as `str.splitlines` has it."""
_BLANK = rf"[^\S{_LINE}]"
_NATIVE = "。！？｡।॥؟۔።፧။᠃᠉។៕"
"""Stops that need no white space behind them."""
_CLOSER = r"[\"'”’»›)\]}*_`」』】》〉）］]|\[\d{1,3}\]|【[^】\s]{1,40}】"
_STOP = re.compile(rf"[{_LINE}]|([{_NATIVE}.!?…‥]{{1,32}})(?:{_CLOSER}){{0,8}}")
_REFERENCE = re.compile(r"(?:\[\d{0,3}|【[^】\s]{0,40})?")
"""A mark that belongs to the sentence before it, as far as it has come."""
_AHEAD = re.compile(rf"{_BLANK}{{1,16}}(?:[^\w\s]{{0,4}}\w{{1,14}}\W|\S{{20}}|\S{{1,19}}\s)|{_BLANK}{{17}}")
"""White space and the word behind it: what the next sentence would begin with."""
_NEXT = re.compile(rf"{_BLANK}{{1,16}}[\"'“‘«(\[*_]{{0,4}}(\w)")
_LIKELY_NOT = " Smith"
"""What an abbreviation stands before more often than before any other word: where this begins a sentence, all would."""
_NATIVE_AHEAD = re.compile(rf"{_BLANK}{{0,16}}\S|{_BLANK}{{17}}")
_AT_LINE_END = re.compile(rf"{_BLANK}{{0,16}}[{_LINE}]")

_BEFORE_NAMES = frozenset({"Ms", "Mx", "Ft"})
_BEFORE_NUMBERS = frozenset(
    "approx avg ch chs def ed eds eq eqs est ex exs figs incl max par prop secs tab tel thm vol vols".split()
)
"""Abbreviations that the library does not know, by what they stand before."""
_WORD = re.compile(r"[A-Za-z]{1,8}$")
_LAST_WORD = re.compile(r"(?:^|[\s\"'“‘«(\[*_])(?:[^\W\d_][^\W\d_'’-]*[^\W\d_]|\d{4})[\"'”’»)\]*_%]*$")
"""A word or a year as it stands before the end of a sentence."""
_MARKER = re.compile(r"[\s>*_#+-]*\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})[.)]+[*_]*")
"""The mark of an item of a list, as it stands before the item."""
_LINE_START = re.compile(rf"{_BLANK}{{0,80}}(```|~~~|\||)")
"""What tells a block of code and a table."""
_PAIRS = {"“": "”", "«": "»", "„": "“", "(": ")", "[": "]", "「": "」", "『": "』", "（": "）", "《": "》", "`": "`"}
_MARKS = re.compile("[" + re.escape('"' + "".join({*_PAIRS, *_PAIRS.values()})) + "]")
_OPENS_AFTER = frozenset("([{*_-–—/“‘«「『（")
"""A straight quotation mark behind one of these, or behind white space, opens."""

_SOFT = tuple(
    re.compile(pattern)
    for pattern in (rf"[{_LINE}]", rf"[.!?](?={_BLANK})|[{_NATIVE}]", r"[,;:–—](?=\s)|[，；：、]", r"\S(?=\s)")
)
"""Where a text may be cut that has no end of a sentence, best first."""


class SentenceStream:
    """Takes a text in pieces and gives its sentences as they are completed.

    A line's end is a sentence's; a table is one sentence, and so is a block of code between fences. ``longest``: a
    sentence that grows beyond it, in characters, is cut at a soft place.
    """

    def __init__(self, *, longest: int = _LONGEST) -> None:
        self._longest = longest
        self._text = ""
        self._base = 0
        self._at = 0
        """From where on stops are not yet decided."""
        self._line = 0
        self._kind: Literal["prose", "table", "code", "fence"] | None = None
        """Of the line at hand; None: not known yet."""
        self._fence = ""
        """What opened the block of code at hand."""

    @property
    def pending(self) -> str:
        """The text that is in no sentence yet."""
        return self._text

    @property
    def length(self) -> int:
        """How much was fed, in characters."""
        return self._base + len(self._text)

    def feed(self, text: str) -> list[Sentence]:
        """The sentences that ``text`` completes, with their places in the whole text."""
        is_decided = self._at == len(self._text)
        self._text += text
        if is_decided and len(self._text) <= self._longest and _STOP.search(text) is None:
            self._at = len(self._text)  # as most words do, it ends nothing
            return []
        return self._sentences(final=False)

    def flush(self) -> list[Sentence]:
        """The rest, when the text is over."""
        found = self._sentences(final=True)
        if (rest := self._take(len(self._text))) is not None:
            found.append(rest)
        return found

    def cut(self) -> Sentence | None:
        """What is pending up to the best soft place, as if a sentence ended there; None where there is no such place.

        For one that waits no longer: when it is called, and so where it cuts, is not a matter of the text alone.
        """
        whole_lines = self._text[: self._line]  # of a line that has only begun it is not known what it will be
        text = self._text if len(self._text[self._line :].strip()) > len("```") else whole_lines
        end = _soft_end(text, 0)
        return None if end is None else self._take(end)

    # a text that has fallen silent

    @property
    def rests(self) -> bool:
        """Whether the text at hand would be a sentence if nothing followed: it ends with a stop that is likely an end.

        Not one behind a short number, a letter, or what may be an address.
        """
        if self._at == len(self._text):
            return False
        if (stop := self._last_stop()) is None or self._kind_of_line() != "prose":
            return False
        word = _LAST_WORD.search(self._text, max(0, stop.start() - 40), stop.start())
        is_native = any(char in _NATIVE for char in stop[0])
        if not (word or is_native) or _MARKER.fullmatch(self._text, 0, stop.end()):
            return False
        begun = max(0, stop.start() - _BACK)
        if _unclosed(self._text, begun, stop.end()) is not None:
            return False
        return _is_end(self._text[begun : stop.end(1)] + _LIKELY_NOT, stop.start() - begun)

    def rest(self) -> Sentence | None:
        """The sentence that the text at hand is, where it `rests`. When it is called is no matter of the text alone."""
        stop = self._last_stop()
        return None if stop is None or not self.rests else self._take(stop.end())

    def _last_stop(self) -> re.Match[str] | None:
        """The stop behind which there is nothing yet."""
        stop = _STOP.match(self._text, self._at)
        is_last = stop is not None and stop[0] not in _LINE and not self._text[stop.end() :].strip()
        return stop if is_last else None

    # ends

    def _sentences(self, *, final: bool) -> list[Sentence]:
        found = []
        while (end := self._next_end(final)) is not None:
            if (sentence := self._take(end)) is not None:
                found.append(sentence)
        return found

    def _next_end(self, final: bool) -> int | None:
        """Where the next sentence ends, in the text at hand; None where that is not known yet."""
        while (stop := _STOP.search(self._text, self._at)) is not None and stop.start() < self._longest:
            is_line = stop[0] in _LINE
            ends = self._line_ends(stop, final) if is_line else self._stop_ends(stop, final)
            if ends is None:
                self._at = stop.start()
                return None
            self._at = stop.end()
            if is_line:
                self._line, self._kind = self._at, None
            if ends:
                return self._at
        if len(self._text) > self._longest:
            return _soft_end(self._text[: self._longest], self._longest // 2) or self._longest
        self._at = len(self._text)
        return None

    def _take(self, end: int) -> Sentence | None:
        """Cut the text at hand at ``end``; None where there was only white space."""
        if end > self._line:
            self._kind = self._kind or self._kind_of_line()
        piece, base = self._text[:end], self._base
        self._text, self._base = self._text[end:], base + end
        self._at, self._line = max(0, self._at - end), max(0, self._line - end)
        if not (text := piece.strip()):
            return None
        start = base + piece.index(text)
        return Sentence(start, start + len(text), text)

    # lines

    def _kind_of_line(self) -> Literal["prose", "table", "code", "fence"]:
        mark = self._mark_of_line()
        if self._fence:
            return "fence" if mark == self._fence else "code"
        return "table" if mark == "|" else "fence" if mark else "prose"

    def _mark_of_line(self) -> str:
        found = _LINE_START.match(self._text, self._line)
        return found[1] if found else ""

    def _line_ends(self, stop: re.Match[str], final: bool) -> bool | None:
        """Whether a line's end is a sentence's; None: not known yet."""
        kind = self._kind or self._kind_of_line()
        if kind == "fence":
            self._fence = "" if self._fence else self._mark_of_line()
            return not self._fence
        if kind == "table":
            following = self._text[stop.end() : stop.end() + 80].lstrip(" \t")
            return not following.startswith("|") if following or final else None
        return kind == "prose"

    # stops

    def _stop_ends(self, stop: re.Match[str], final: bool) -> bool | None:
        """Whether a full stop, or whatever stands in its place, ends a sentence; None: not known yet."""
        self._kind = self._kind or self._kind_of_line()
        if self._kind != "prose":
            return False
        if _REFERENCE.fullmatch(self._text, stop.end()):
            return False if final else None
        if _AT_LINE_END.match(self._text, stop.end()):
            return False  # the line's end will do
        is_native = any(char in _NATIVE for char in stop[0])
        if not is_native and not self._text[stop.end()].isspace():
            return False
        if _MARKER.fullmatch(self._text, 0, stop.end()) or _MARKER.fullmatch(self._text, self._line, stop.end()):
            return False
        begun = max(0, stop.start() - _BACK)
        inside = self._is_quoted(begun, stop, final)
        if inside or inside is None:
            return None if inside is None else False
        return self._ends_before_next(begun, stop, is_native, final)

    def _ends_before_next(self, begun: int, stop: re.Match[str], is_native: bool, final: bool) -> bool | None:
        """The same by what the next sentence would begin with."""
        before, closers = self._text[begun : stop.end(1)], self._text[stop.end(1) : stop.end()]
        place, following = stop.start() - begun, _NEXT.match(self._text, stop.end())
        if following is not None and following[1].isupper() and _is_end(before + _LIKELY_NOT, place):
            return True  # whatever the word will be
        ahead = (_NATIVE_AHEAD if is_native else _AHEAD).match(self._text, stop.end())
        if ahead is None and not final:
            return None
        behind = self._text[stop.end() : ahead.end() if ahead else None]
        if _is_end(before + closers + behind, place):
            return True
        # The library takes a sentence in brackets for a part of the next one.
        return bool(closers) and not behind.lstrip()[:1].islower() and _is_end(before + behind, place)

    def _is_quoted(self, begun: int, stop: re.Match[str], final: bool) -> bool | None:
        """Whether quotation marks or brackets around the stop are closed only behind it; None: not known yet."""
        if (mark := _unclosed(self._text, begun, stop.end())) is None:
            return False
        opened, closer = mark
        limit = max(stop.end(), opened + _QUOTED)
        if (closed := self._text.find(closer, stop.end(), limit)) < 0:
            closed = limit
        over = re.compile(f"[{_LINE}]").search(self._text, stop.end(), closed)
        if over is not None or closed == limit:
            return False if over is not None or len(self._text) >= limit or final else None
        return True


def _is_end(window: str, stop: int) -> bool:
    """Whether the library sees a sentence end at the ``stop`` in ``window``, with the next word behind it."""
    if _is_abbreviation(window, stop):
        return False
    pieces = segment("en", window.translate(PLAIN))
    return len(pieces) > 1 and len(window) - len(pieces[-1]) > stop


def _is_abbreviation(window: str, stop: int) -> bool:
    """Whether the ``stop`` ends one that the library does not know."""
    word = _WORD.search(window, max(0, stop - 8), stop)
    if word is None or window[stop] != ".":
        return False
    following = window[stop + 1 :].lstrip()[:1]
    if following.isdigit():
        return word[0].lower() in _BEFORE_NUMBERS
    return word[0] in _BEFORE_NAMES and following.isalpha()


def _unclosed(text: str, start: int, end: int) -> tuple[int, str] | None:
    """The outermost quotation mark or bracket that is open at ``end``, and what would close it."""
    open_marks: list[tuple[int, str]] = []
    for mark in _MARKS.finditer(text, start, end):
        char, at = mark[0], mark.start()
        closing = next((n for n, (_, closer) in enumerate(open_marks) if closer == char), None)
        if closing is not None:
            del open_marks[closing:]
        elif char in _PAIRS:
            open_marks.append((at, _PAIRS[char]))
        elif char == '"' and (at == start or text[at - 1].isspace() or text[at - 1] in _OPENS_AFTER):
            open_marks.append((at, '"'))
    return open_marks[0] if open_marks else None


def _soft_end(text: str, least: int) -> int | None:
    """The best place to cut ``text`` behind ``least``; None where there is none."""
    for soft in _SOFT:
        places = [match.end() for match in soft.finditer(text, least)]
        if places:
            return places[-1]
    return None
