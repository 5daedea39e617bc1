"""Results as JUnit XML, which CI systems read. Pure.

The elements and attributes are those that Jenkins, GitLab, GitHub's reporters and pytest's ``xunit1`` family share.
They are so few that the standard library writes them; a library for it would bring more than it saves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from guardrail.policy.documents import Place
from guardrail.rehearsal.rehearse import Rehearsed

__all__ = ["junit"]

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def junit(name: str, results: Sequence[tuple[Rehearsed, Place]]) -> str:
    """The XML of one test suite called ``name``.

    An expectation that was not met is a ``failure``; a test that could not be played to its end is an ``error``. Times
    are in seconds.
    """
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite", _counts(name, [result for result, _ in results]))
    for result, place in results:
        _add_case(suite, name, result, place)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _counts(name: str, results: Sequence[Rehearsed]) -> dict[str, str]:
    return {
        "name": _plain(name),
        "tests": str(len(results)),
        "failures": str(sum(bool(result.mismatches) for result in results)),
        "errors": str(sum(result.problem is not None for result in results)),
        "skipped": "0",
        "time": _time(sum(result.seconds for result in results)),
    }


def _add_case(suite: ElementTree.Element, name: str, result: Rehearsed, place: Place) -> None:
    where = {"file": _plain(place.file or name), "line": str(place.line or 1)}
    facts = {"classname": _plain(name), "name": _plain(result.case.name), "time": _time(result.seconds)}
    case = ElementTree.SubElement(suite, "testcase", {**facts, **where})
    wrong = [result.problem] if result.problem else [str(unmet) for unmet in result.mismatches]
    if wrong:
        kind = "error" if result.problem else "failure"
        told = ElementTree.SubElement(case, kind, {"message": _plain(wrong[0]), "type": kind})
        told.text = _plain("\n".join(wrong))


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _plain(text: str) -> str:
    return _NOT_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
