"""What holds for every dialect."""

from __future__ import annotations

from typing import get_args

import pytest

from guardrail.errors import ConfigError, VerifierError
from guardrail.verdict import Cause, Status
from guardrail.verifiers.dialect_names import REFUSED, DialectName
from guardrail.verifiers.dialects import DIALECTS, Dialect, dialect_named
from guardrail.verifiers.dialects.grounded import Grounded
from tests.verifiers.asking import check

GROUNDED = [dialect for dialect in DIALECTS if isinstance(dialect, Grounded)]
every = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
grounded = pytest.mark.parametrize("dialect", GROUNDED, ids=lambda dialect: dialect.name)


def test_policies_know_the_dialects_that_there_are() -> None:
    names = [dialect.name for dialect in DIALECTS]
    assert sorted(names) == sorted(get_args(DialectName))
    assert [dialect_named(name) for name in names] == list(DIALECTS)


@every
@pytest.mark.parametrize(
    ("content", "finish", "cause"),
    [
        ("", "stop", Cause.EMPTY),
        (" \n", None, Cause.EMPTY),
        ("", "length", Cause.TRUNCATED),
        ("<think>Let me see", "length", Cause.TRUNCATED),
        ("<think>Let me see", "stop", Cause.EMPTY),
        ("We compare the answer with", "length", Cause.TRUNCATED),
        ("We compare the answer with", "stop", Cause.UNPARSABLE),
        ("I could not decide.", None, Cause.UNPARSABLE),
        ("This is unreliable. No, it is not. Yes, it FAILs: score 0 or 1 of 5.", "stop", Cause.UNPARSABLE),
        ("{" * 100_000, "stop", Cause.UNPARSABLE),
        ("<" * 100_000, "stop", Cause.UNPARSABLE),
    ],
)
def test_a_reply_without_a_verdict_says_why(dialect: Dialect, content: str, finish: str | None, cause: Cause) -> None:
    with pytest.raises(VerifierError) as caught:
        dialect.read(content, finish, check=check())
    assert caught.value.cause is cause


@grounded
def test_an_answer_without_a_claim_is_reliable_unasked(dialect: Dialect) -> None:
    settled = dialect.settled(check("Hello! How can I help?", "Paris is in France."))
    assert settled is not None
    assert (settled.status, settled.risk, settled.explanation) == (Status.RELIABLE, None, "no_claim")


@grounded
def test_without_evidence_the_verdict_is_unknown_unasked(dialect: Dialect) -> None:
    for asked in (check("Paris is in Spain."), check("Paris is in Spain.", " \n")):
        settled = dialect.settled(asked)
        assert settled is not None
        assert (settled.status, settled.cause) == (Status.UNKNOWN, Cause.NO_EVIDENCE)


@every
def test_a_claim_with_evidence_is_asked_about(dialect: Dialect) -> None:
    asked = check("Paris is in Spain.", "Paris is in France.")
    assert dialect.settled(asked) is None
    (piece,) = dialect.pieces(asked)
    body = dialect.request(piece.check)
    assert str(body).count("Paris is in Spain.") == 1
    assert "Paris is in France." in str(body)
    assert "model" not in body


@grounded
def test_a_plain_request_asks_the_same_in_the_same_words(dialect: Dialect) -> None:
    body = dialect.request(check("Paris is in Spain.", "Paris is in France."))
    plain = dialect.plain(body)
    assert plain is not None
    assert {key: body[key] for key in plain} == plain
    assert dialect.plain(plain) is None


@pytest.mark.parametrize("name", REFUSED)
def test_a_judge_of_something_else_is_refused_with_the_reason_and_a_remedy(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dialect_named(name)
    assert str(caught.value).startswith(f"the dialect {name!r} is refused: it is a") or "judges whether" in str(
        caught.value
    )
    assert any(remedy in str(caught.value) for remedy in ("minicheck", "structured", "kind: embedded", "of your own"))
