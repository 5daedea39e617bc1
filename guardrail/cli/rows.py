"""Reading rows: from the text of one JSON row to a `Check`. Pure.

A row is a conversation (``{"messages": [...]}``, or the bare list of messages) whose last assistant message
is judged, or ``{"context", "question", "answer"}``. Whatever cannot be read becomes a `BadRow`, never an
exception.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import ConfigError, InputError
from guardrail.grounding import as_evidence
from guardrail.sampling import Recorded
from guardrail.verifiers.protocol import Check
from guardrail.wire.messages import read_messages, split_last_answer

__all__ = ["BadRow", "Row", "RowId", "parse_json", "qa_check", "read_row"]

RowId: TypeAlias = str | int | float
"""A row's own ``id``, or the number of its line."""

_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_KNOWN_KEYS = ("messages", "answer", "question", "context", "evidence", "samples", "id")
_EXPECTED = 'expected "messages", or "answer" with "question" and "context"'


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to judge."""

    id: RowId
    line: int
    """Where it stands in its file, from 1."""
    check: Check
    model: str | None = None
    """The model that a logged request names; routes of the policy look at it."""
    other: Mapping[str, object] = field(default_factory=dict)
    """The keys that say nothing about the conversation, unread."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be judged."""

    id: RowId
    line: int
    problem: str
    """What is wrong, and the remedy."""


def read_row(text: str, *, line: int, given: Sequence[Evidence] = ()) -> Row | BadRow:
    """The row that stands in ``text``.

    Args:
        text: One JSON value.
        line: The line it begins on, from 1; it serves as id where the row has none.
        given: Evidence for every row, besides its own.
    """
    row_id: RowId = line
    try:
        value = parse_json(text)
        row_id = _row_id(value, line)
        check = _check(value, tuple(given))
        return Row(row_id, line, check, _model(value), _other(value))
    except (InputError, ConfigError) as error:
        return BadRow(row_id, line, str(error))


def parse_json(text: str) -> object:
    """The value of ``text``, read strictly.

    Raises:
        InputError: It is no JSON (with line and column), holds NaN or Infinity, one key twice, or
            half a character, or is nested too deeply.
    """
    try:
        value: object = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twice)
    except json.JSONDecodeError as error:
        raise InputError(_where(error, text)) from error
    except RecursionError as error:
        raise InputError("the JSON is nested too deeply to be read") from error
    except ValueError as error:
        # Python refuses to read integers of thousands of digits.
        raise InputError("a number has too many digits to be read") from error
    if _HALF_PAIR.search(text):
        _refuse_half_characters(value, "")
    return value


def qa_check(*, answer: str, question: str = "", evidence: Sequence[Evidence] = ()) -> Check:
    """The `Check` of an answer with the question that it answers.

    Raises:
        InputError: The answer is empty.
    """
    if not answer.strip():
        raise InputError("answer: empty; expected the text to be judged")
    asked = (Message("user", (question,)),) if question.strip() else ()
    return Check(asked, Turn(answer), tuple(evidence))


def _where(error: json.JSONDecodeError, text: str) -> str:
    place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno}"
    problem = (error.msg[:1].lower() + error.msg[1:]).removesuffix(" at").removesuffix(" starting")
    cut_off = (
        "; it ends too early: is it cut off?" if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg else ""
    )
    return f"invalid JSON at {place}: {problem}{cut_off}"


def _no_constant(name: str) -> object:
    raise InputError(f"{name} is not JSON; write null or a number")


def _no_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the key {twice!r} stands twice in one object; keep one of them")
    return found


def _refuse_half_characters(value: object, where: str) -> None:
    """Half a surrogate pair is no text: nothing can encode it."""
    if isinstance(value, str):
        half = next((place for place, char in enumerate(value) if 0xD800 <= ord(char) <= 0xDFFF), None)
        if half is not None:
            raise InputError(
                f"{where or 'the text'}: half of a surrogate pair (\\u{ord(value[half]):04x}) at character"
                f" {half}; write the whole character"
            )
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _refuse_half_characters(key, where)
            _refuse_half_characters(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            _refuse_half_characters(inner, f"{where}[{place}]")


def _row_id(value: object, line: int) -> RowId:
    found = value.get("id") if isinstance(value, Mapping) else None
    if found is None:
        return line
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise InputError(f"id: expected a string or a number, got {_kind(found)}")
    if isinstance(found, float) and not math.isfinite(found):
        raise InputError("id: the number is too large")
    return found


def _model(value: object) -> str | None:
    """The model that a logged OpenAI request names; other rows may use the key as they like."""
    if not isinstance(value, Mapping) or "messages" not in value:
        return None
    model = value.get("model")
    if model is not None and not isinstance(model, str):
        raise InputError(f"model: expected a string, got {_kind(model)}")
    return model


def _other(value: object) -> dict[str, object]:
    if not isinstance(value, Mapping):
        return {}
    return {key: found for key, found in value.items() if key not in _KNOWN_KEYS}


def _check(value: object, given: tuple[Evidence, ...]) -> Check:
    if isinstance(value, list):
        _refuse_rows(value)
        return _conversation_check(value, given)
    if not isinstance(value, Mapping):
        raise InputError(f"a row is an object, not {_kind(value)}; {_EXPECTED}")
    if "messages" in value and "answer" in value:
        raise InputError('a row has either "messages" or "answer", not both; remove one')
    evidence = (*_documents(value, "context"), *_documents(value, "evidence"), *given)
    sampler = _samples(value)
    if "messages" in value:
        return replace(_conversation_check(value["messages"], evidence), sampler=sampler)
    if "answer" not in value:
        raise InputError(f'"answer" is missing; {_EXPECTED}{_meant(value)}')
    check = qa_check(answer=_text(value, "answer"), question=_text(value, "question"), evidence=evidence)
    return replace(check, sampler=sampler)


def _conversation_check(messages: object, evidence: Sequence[Evidence]) -> Check:
    conversation, turn = split_last_answer(read_messages(messages))
    return Check(conversation, turn, tuple(evidence))


def _refuse_rows(value: Sequence[object]) -> None:
    first = value[0] if value else None
    if isinstance(first, Mapping) and "role" not in first and ("messages" in first or "answer" in first):
        raise InputError(
            f"an array of {len(value)} row(s); write one row a line (JSONL), for example with"
            " `jq -c '.[]' FILE | guardrail check -`"
        )


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    if found is None and key != "answer":
        return ""
    if not isinstance(found, str):
        raise InputError(f"{key}: expected a string, got {_kind(found)}")
    return found


def _samples(value: Mapping[str, object]) -> Recorded | None:
    """Further answers of the LLM that are recorded in the row."""
    found = value.get("samples")
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise InputError("samples: expected a list of strings, further answers of the LLM to the same")
    return Recorded(tuple(found))


def _documents(value: Mapping[str, object], key: str) -> tuple[Evidence, ...]:
    """The evidence under ``key``: a text, a document, or a list of either; none where it is empty."""
    found = value.get(key)
    if found is None or (isinstance(found, str) and not found.strip()):
        return ()
    if isinstance(found, str | Mapping):
        return (_document(found, key),)
    if not isinstance(found, list):
        raise InputError(f"{key}: expected a string or a list of documents, got {_kind(found)}")
    return tuple(_document(item, f"{key}[{place}]") for place, item in enumerate(found))


def _document(item: object, where: str) -> Evidence:
    if not isinstance(item, str | Mapping):
        raise InputError(f"{where}: expected a string or an object with a text, got {_kind(item)}")
    try:
        return as_evidence(item)
    except ConfigError as error:
        raise InputError(f"{where}: {error}") from error


def _meant(value: Iterable[object]) -> str:
    keys = [str(key) for key in value]
    if not keys:
        return "; this row is empty"
    for key in keys:
        if key not in _KNOWN_KEYS and (close := difflib.get_close_matches(key, _KNOWN_KEYS, n=1)):
            return f"; did you mean {close[0]!r} by {key!r}?"
    return f"; this row has {', '.join(keys[:8])}{', ...' if len(keys) > 8 else ''}"


def _kind(value: object) -> str:
    kinds: dict[type, str] = {
        type(None): "null",
        bool: "true or false",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), "a number")
