"""Which labelled rows a model can be trained on."""

from __future__ import annotations

from guardrail.conversation import Message, Turn
from guardrail.train.example import Example, usable
from guardrail.verifiers.protocol import Check
from tests.train.rows import example


def test_rows_that_the_verifier_would_not_read_are_left_out_and_counted() -> None:
    rows = [
        example(),
        example(file="again.jsonl"),
        example(evidence=[]),
        example("Hello!"),
        example("Она открылась в 1889 году."),
        example(evidence=["Она открылась в 1889 году у моря."]),
    ]
    found = usable(rows)
    assert len(found.examples) == 1
    assert found.left_out == {
        "repeated": 1,
        "without evidence": 1,
        "without a claim": 1,
        "not in the Latin script": 2,
    }


def test_a_row_with_both_labels_is_kept_and_told() -> None:
    found = usable([example(), example(unreliable=True), example("It opened in 1888.", unreliable=True)])
    assert len(found.examples) == 3
    assert found.contradictory == 2


def test_files_and_their_order_do_not_change_the_digest_and_a_label_does() -> None:
    one, two = example(), example("It opened in 1888.", unreliable=True)
    moved = example(file="other.jsonl", source="other")
    assert usable([one, two]).data == usable([two, moved]).data
    assert usable([one, two]).data != usable([one, example("It opened in 1888.")]).data


def test_evidence_in_the_conversation_counts_and_what_the_user_said_makes_no_context() -> None:
    said = (
        Message("user", ("<document>It opened in 1889.</document>",)),
        Message("user", ("My name is Ada and I live in Rome. When did it open?",)),
    )
    row = Example("rows.jsonl", "history", False, Check(said, Turn("In 1889.")))
    assert "It opened in 1889." in row.context
    assert row.pieces == {"it opened in 1889."}
