"""Answers without their bad sentences, through every kind of client."""

from __future__ import annotations

import guardrail
from guardrail import Action
from tests.integrations.openai.clients import ASKED, BAD, GOOD, Make, create, streamed, text_of
from tests.integrations.openai.upstream import (
    Reply,
    Upstream,
    chunks,
    completion,
    response,
    response_events,
    text_completion,
)

REPAIR = {
    "version": 1,
    "policies": {
        "default": {"on_unreliable": "repair", "messages": {"blocked": "Withheld."}, "stream": {"mode": "whole"}}
    },
}
TEXT = f"{BAD} {GOOD}"


def test_a_bad_sentence_is_left_out(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REPAIR), [Reply(completion(TEXT))]
    answer = create(client)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (GOOD, "stop")
    assert BAD not in answer.model_dump_json()
    assert guardrail.report(answer).action is Action.REPAIR


def test_so_it_is_of_a_stream_that_is_held_whole(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REPAIR), [chunks("London.\nParis.")]  # the helper loses blanks
    stream, items = streamed(client)
    assert text_of(items) == "Paris."
    assert guardrail.report(stream).action is Action.REPAIR


def test_so_it_is_of_a_response(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REPAIR), [Reply(response(TEXT))]
    answer = client.run(lambda c: c.responses.create(model="m", input="Capital of France?"))
    assert answer.output_text == GOOD
    assert BAD not in answer.model_dump_json()


def test_and_of_its_stream(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REPAIR), [response_events(TEXT)]
    events = client.items(client.run(lambda c: c.responses.create(model="m", input="Capital?", stream=True)))
    assert BAD not in "".join(event.model_dump_json() for event in events)
    assert events[-1].response.output_text == GOOD


def test_and_of_a_legacy_completion(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REPAIR), [Reply(text_completion(TEXT))]
    answer = client.run(lambda c: c.completions.create(model="m", prompt="Capital?"))
    assert answer.choices[0].text == GOOD


def test_json_is_never_cut_into_prose(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REPAIR), [Reply(completion(TEXT))]
    answer = client.run(
        lambda c: c.chat.completions.create(model="m", messages=ASKED, response_format={"type": "json_object"})
    )
    assert answer.choices[0].message.content is None
    assert BAD not in answer.model_dump_json()


def test_where_nothing_is_left_the_answer_is_blocked(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REPAIR), [Reply(completion(BAD))]
    answer = create(client)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Withheld.", "content_filter")
