"""Where a quotation stands in an answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["locate", "locate_free"]

_DOUBLE, _SINGLE, _DASHES = "\u201c\u201d\u201e\u00ab\u00bb", "\u2018\u2019\u201a", "\u2010\u2011\u2013\u2014"
_ALIKE = ((_DOUBLE, '"'), (_SINGLE, "'"), (_DASHES, "-"))
_SAME = str.maketrans({letter: plain for letters, plain in _ALIKE for letter in letters})
_MARKS = "\"'" + _DOUBLE + _SINGLE


def locate(quote: str, answer: str, *, start: int = 0) -> tuple[int, int] | None:
    """``(start, end)`` of the first place of ``quote`` in ``answer`` from ``start`` on, in characters.

    Tried word for word, then with white space, quotation marks and dashes made equal, then without the
    marks around it. None when it stands nowhere: a place is never guessed.
    """
    wanted = quote.strip()
    if not wanted:
        return None
    at = answer.find(wanted, start)
    if at >= 0:
        return at, at + len(wanted)
    plain, places = _plain(answer, start)
    for candidate in (wanted, _unquoted(wanted), wanted.strip(_MARKS).strip()):
        needle = _plain(candidate, 0)[0]
        at = plain.find(needle) if needle else -1
        if at >= 0:
            return places[at], places[at + len(needle) - 1] + 1
    return None


def locate_free(quote: str, answer: str, taken: Mapping[tuple[int, int], object]) -> tuple[int, int] | None:
    """Where ``quote`` stands; the same words quoted again mean their next place, if there is one not ``taken``."""
    place = locate(quote, answer)
    while place is not None and place in taken and (following := locate(quote, answer, start=place[1])):
        place = following
    return place


def _unquoted(text: str) -> str:
    """``text`` without one pair of marks around it."""
    return text[1:-1] if len(text) > 2 and text[0] in _MARKS and text[-1] in _MARKS else text


def _plain(text: str, start: int) -> tuple[str, list[int]]:
    """``text`` from ``start`` with runs of white space as one space, and where each character came from."""
    letters: list[str] = []
    places: list[int] = []
    for place in range(start, len(text)):
        letter = " " if text[place].isspace() else text[place]
        if letter == " " and letters and letters[-1] == " ":
            continue
        letters.append(letter)
        places.append(place)
    return "".join(letters).translate(_SAME), places
