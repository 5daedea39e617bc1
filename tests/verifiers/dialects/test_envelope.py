"""Bodies of chat completions, streamed or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Usage
from guardrail.verifiers.dialects.envelope import Envelope, read_envelope
from guardrail.verifiers.dialects.protocol import Token


def body(message: Any, **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], **more}).encode()


def event(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (body({"content": "x"}, usage=USAGE), Envelope("x", "stop", Usage(3, 2))),
        (b"\xef\xbb\xbf" + body({"content": "x"}), Envelope("x", "stop")),
        (body({"content": None}), Envelope("", "stop")),
        (body({"content": [{"type": "text", "text": "x"}, {"type": "odd"}, 3]}), Envelope("x", "stop")),
        (body({"content": "x"}, usage={"prompt_tokens": "3"}), Envelope("x", "stop", Usage(0, 0))),
        (event({"content": "x"}) + event({"content": "y"}, "stop") + b"data: [DONE]\n\n", Envelope("xy", "stop")),
        (event({"content": "x"}, "stop") + event({"content": "z"}, index=1), Envelope("x", "stop")),
        (b": hello\n\n" + event({"content": "x"}) + b"data: [DONE]\n\n", Envelope("x", None)),
        (event({"content": "x"}), Envelope("x", "length")),
        (b"data: [DONE]\n\n", Envelope("", None)),
        (b"data: " + body("odd") + b"\n\n", Envelope("", "stop")),
        (b"data: " + body({"content": "x"}) + b"\n\n", Envelope("x", "stop")),
    ],
)
def test_a_completion_is_read(raw: bytes, expected: Envelope) -> None:
    assert read_envelope(raw) == expected


TOP = [{"token": "Yes", "logprob": -0.5}, {"token": "No", "logprob": -1}]


@pytest.mark.parametrize(
    ("logprobs", "expected"),
    [
        ({"content": [{"token": "Yes", "top_logprobs": TOP}]}, (Token("Yes", (("Yes", -0.5), ("No", -1.0))),)),
        ({"content": [{"token": "Yes", "logprob": -0.5}]}, (Token("Yes", (("Yes", -0.5),)),)),
        ({"content": [{"token": "Yes", "logprob": -0.5, "top_logprobs": []}]}, (Token("Yes", (("Yes", -0.5),)),)),
        ({"content": [{"token": "Yes", "logprob": -(10**400)}]}, (Token("Yes", ()),)),
        ({"content": [{"token": "Yes", "logprob": float("nan")}]}, (Token("Yes", ()),)),
        ({"content": [{"token": "Yes", "logprob": "-1"}, {"token": 3}, 4, None]}, (Token("Yes", ()),)),
        ({"content": [{"token": "Yes", "top_logprobs": [1, None, {"token": None}]}]}, (Token("Yes", ()),)),
        ({"content": None}, ()),
        ({"tokens": ["Yes"], "token_logprobs": [-0.5]}, ()),
        ("odd", ()),
        (None, ()),
    ],
)
def test_the_probabilities_of_tokens_are_read_where_they_are_told(logprobs: Any, expected: tuple[Token, ...]) -> None:
    choice = {"message": {"content": "Yes"}, "finish_reason": "stop", "logprobs": logprobs}
    whole = json.dumps({"choices": [choice]}).encode()
    chunk = {"index": 0, "delta": {"content": "Yes"}, "finish_reason": "stop", "logprobs": logprobs}
    streamed = b"data: " + json.dumps({"choices": [chunk]}).encode() + b"\n\ndata: [DONE]\n\n"
    assert read_envelope(whole) == read_envelope(streamed) == Envelope("Yes", "stop", tokens=expected)


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"", Cause.EMPTY),
        (b" \n", Cause.EMPTY),
        (b'{"choices": []}', Cause.EMPTY),
        (b"<html>", Cause.UNPARSABLE),
        (b"[]", Cause.UNPARSABLE),
        (b"null", Cause.UNPARSABLE),
        (b'{"error": {"message": "x"}}', Cause.UNPARSABLE),
        (b'{"choices": [{}]}', Cause.UNPARSABLE),
        (b'{"choices": [{"message": "x"}]}', Cause.UNPARSABLE),
        (b"\xff\xfe{}", Cause.UNPARSABLE),
        (b"[" * 100_000, Cause.UNPARSABLE),
        (b"data: {\n\n", Cause.UNPARSABLE),
    ],
)
def test_what_is_no_completion_says_so(raw: bytes, cause: Cause) -> None:
    with pytest.raises(VerifierError) as caught:
        read_envelope(raw)
    assert caught.value.cause is cause


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["choices", "message", "content", "delta", "index", "usage"]), x)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_body_raises_anything_but_a_verifier_error(raw: bytes) -> None:
    for form in (raw, b"data: " + raw + b"\n\n"):
        assert outcome(form) in ("read", Cause.EMPTY, Cause.UNPARSABLE)


def outcome(raw: bytes) -> object:
    try:
        content: object = read_envelope(raw).content
    except VerifierError as error:
        return error.cause
    return "read" if isinstance(content, str) else content
