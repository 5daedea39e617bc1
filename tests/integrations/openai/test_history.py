"""What was said before a request that only names it: remembered, else fetched, else declared partial."""

from __future__ import annotations

from typing import Any

import pytest

import guardrail
from guardrail import Action
from tests.integrations.openai.clients import AZURE, BAD, BLOCK, GOOD, KINDS, RAISE, REGENERATE, Client, Make
from tests.integrations.openai.upstream import Json, Reply, Upstream, response, speaking

NEXT = "And of Italy?"


def respond(client: Client, text: str = NEXT, **more: Any) -> Any:
    return client.run(lambda c: c.responses.create(model="m", input=text, **more))


def seen(client: Client) -> list[tuple[str, str]]:
    """The conversation that the last answer was judged in."""
    return [(message.role, message.text) for message in client.verifier.checks[-1].conversation]


def said(role: str, text: str, id: str = "item") -> Json:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "id": id, "role": role, "content": [{"type": kind, "text": text}]}


def listing(*items: Json, more: bool = False) -> Json:
    return {"object": "list", "data": list(items), "has_more": more, "last_id": items[-1]["id"] if items else None}


def test_responses_that_passed_are_remembered(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(response(GOOD, id="resp_1")), Reply(response("Rome.", id="resp_2"))]
    respond(client, "Capital of France?", instructions="Be short.")
    respond(client, NEXT, previous_response_id="resp_1", instructions="Be long.")
    # Instructions are not carried over from one response to the next.
    assert seen(client) == [
        ("system", "Be long."),
        ("user", "Capital of France?"),
        ("assistant", GOOD),
        ("user", NEXT),
    ]
    assert upstream.fetched == []


def test_of_a_regenerated_answer_the_delivered_one_is_followed(make: Make, upstream: Upstream) -> None:
    client = make(REGENERATE)
    upstream.script = [Reply(response(BAD)), Reply(response(GOOD, id="resp_2")), Reply(response("Rome.", id="resp_3"))]
    first = respond(client, "Capital of France?")
    assert first.id == "resp_2"
    respond(client, NEXT, previous_response_id=first.id)
    assert seen(client) == [("user", "Capital of France?"), ("assistant", GOOD), ("user", NEXT)]


def test_a_regeneration_branches_off_from_the_same_response(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(response(BAD)), Reply(response(GOOD, id="resp_2"))]
    respond(client, previous_response_id="resp_0")
    assert [request["previous_response_id"] for request in upstream.requests] == ["resp_0", "resp_0"]
    # Its input is carried into every later response, so the rejected draft is not put there.
    assert upstream.requests[1]["input"] == NEXT
    assert BAD in upstream.requests[1]["instructions"]


@pytest.mark.parametrize("make", [*KINDS, *AZURE], indirect=True)
def test_a_response_that_is_not_known_is_fetched_with_what_it_follows(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(response("Rome.", id="resp_9"))]
    upstream.stored = {
        "responses/resp_2": response(GOOD, id="resp_2", previous_response_id="resp_1"),
        "responses/resp_2/input_items": listing(said("user", "Capital of France?")),
        "responses/resp_1": response("Hello!", id="resp_1"),
        "responses/resp_1/input_items": listing(said("user", "Hi.")),
    }
    answer = respond(client, NEXT, previous_response_id="resp_2")
    assert seen(client) == [
        ("user", "Hi."),
        ("assistant", "Hello!"),
        ("user", "Capital of France?"),
        ("assistant", GOOD),
        ("user", NEXT),
    ]
    assert not any("partial" in note for note in guardrail.report(answer).notes)
    upstream.fetched.clear()
    respond(client, "And of Spain?", previous_response_id="resp_2")
    assert upstream.fetched == []


def test_a_history_of_several_pages_is_read_to_its_end(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(response("Rome.", id="resp_9"))]
    pages = iter([listing(said("user", "One.", "a"), more=True), listing(said("user", "Two.", "b"))])
    upstream.stored = {"responses/resp_1": response(GOOD), "responses/resp_1/input_items": lambda: next(pages)}
    respond(client, NEXT, previous_response_id="resp_1")
    assert [text for _, text in seen(client)] == ["One.", "Two.", GOOD, NEXT]
    assert "after=a" in upstream.fetched[-1]


def test_what_cannot_be_fetched_makes_the_history_partial(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(response("Rome.", id="resp_2"))]
    answer = respond(client, NEXT, previous_response_id="resp_lost")
    assert seen(client) == [("user", NEXT)]
    [note] = [note for note in guardrail.report(answer).notes if "partial" in note]
    assert "'resp_lost'" in note


def test_what_is_not_stored_is_not_remembered(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(response(GOOD))]
    respond(client, "Capital of France?", store=False)
    answer = respond(client, NEXT, previous_response_id="resp_1")
    assert any("partial" in note for note in guardrail.report(answer).notes)


@pytest.mark.parametrize("conversation", ["conv_1", {"id": "conv_1"}])
def test_a_conversation_is_fetched_without_the_answer_that_it_holds_by_now(
    make: Make, upstream: Upstream, conversation: Any
) -> None:
    client, upstream.script = make(), [Reply(response("Rome."))]
    items = [said("user", "Hi."), said("assistant", "Hello!"), said("user", NEXT), said("assistant", "Rome.", "msg_1")]
    upstream.stored = {"conversations/conv_1/items": listing(*items)}
    answer = respond(client, NEXT, conversation=conversation, instructions="Be short.")
    assert seen(client) == [("system", "Be short."), ("user", "Hi."), ("assistant", "Hello!"), ("user", NEXT)]
    assert not any("partial" in note for note in guardrail.report(answer).notes)


def test_a_conversation_that_cannot_be_read_makes_the_history_partial(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(), [Reply(response("Rome."))]
    answer = respond(client, NEXT, conversation="conv_1")
    assert any("partial" in note and "'conv_1'" in note for note in guardrail.report(answer).notes)


def test_in_a_conversation_that_the_server_keeps_nothing_is_regenerated(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(response(BAD))]
    outcome = guardrail.report(respond(client, NEXT, conversation="conv_1"))
    assert (outcome.action, len(upstream.requests)) == (Action.BLOCK, 1)
    assert "cannot be removed" in outcome.notes[-1]


def test_a_streamed_response_is_remembered_too(make: Make, upstream: Upstream) -> None:
    client, upstream.answer = make(), speaking(GOOD)
    client.items(respond(client, "Capital of France?", stream=True))
    respond(client, NEXT, previous_response_id="resp_1")
    assert seen(client)[:2] == [("user", "Capital of France?"), ("assistant", GOOD)]


# responses that are made in the background


def background(client: Client, upstream: Upstream, text: str = BAD) -> Any:
    upstream.script = [Reply(response("", status="queued", output=[], background=True))]
    begun = respond(client, "Capital of France?", background=True)
    assert (begun.output_text, client.verifier.checks) == ("", [])
    upstream.stored = {"responses/resp_1": response(text)}
    return begun


def retrieve(client: Client, id: str = "resp_1", **more: Any) -> Any:
    return client.run(lambda c: c.responses.retrieve(id, **more))


def test_a_background_response_is_judged_when_it_is_fetched(make: Make, upstream: Upstream) -> None:
    client = make(BLOCK)
    background(client, upstream)
    answer = retrieve(client)
    assert "London" not in answer.model_dump_json()
    assert (answer.id, answer.status, answer.output[0].content[0].type) == ("resp_1", "completed", "refusal")
    assert guardrail.report(answer).action is Action.BLOCK
    assert seen(client) == [("user", "Capital of France?")]


def test_it_cannot_be_asked_for_again(make: Make, upstream: Upstream) -> None:
    client = make(REGENERATE)
    background(client, upstream)
    outcome = guardrail.report(retrieve(client))
    assert (outcome.action, len(upstream.requests)) == (Action.BLOCK, 1)
    assert "in the background" in outcome.notes[-1]


@pytest.mark.parametrize("text", [BAD, GOOD])
def test_however_often_it_is_fetched_it_is_judged_once(make: Make, upstream: Upstream, text: str) -> None:
    client = make(BLOCK)
    background(client, upstream, text)
    answers = [retrieve(client).model_dump_json() for _ in range(3)]
    assert len(set(answers)) == 1
    assert ("London" in answers[0], "Paris" in answers[0]) == (False, text == GOOD)
    assert len(client.verifier.checks) == 1


def test_so_it_is_where_a_blocked_answer_raises(make: Make, upstream: Upstream) -> None:
    client, upstream.stored["responses/resp_1"] = make(RAISE), response(BAD)
    outcomes = []
    for _ in range(3):
        with pytest.raises(guardrail.BlockedError) as caught:
            client.run(lambda c: c.responses.retrieve("resp_1"))
        outcomes.append(caught.value.outcome)
    assert (len({outcome.id for outcome in outcomes}), len(client.verifier.checks)) == (1, 1)


def test_another_text_under_the_same_id_is_judged_anew(make: Make, upstream: Upstream) -> None:
    client = make(BLOCK)
    background(client, upstream, GOOD)
    retrieve(client)
    upstream.stored = {"responses/resp_1": response(BAD)}
    assert "London" not in retrieve(client).model_dump_json()
    assert len(client.verifier.checks) == 2


def test_a_response_that_was_judged_when_it_was_made_is_not_judged_again(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(BLOCK), [Reply(response(BAD))]
    respond(client, "Capital of France?")
    upstream.stored = {"responses/resp_1": response(BAD)}
    assert "London" not in retrieve(client).model_dump_json()
    assert len(client.verifier.checks) == 1


def test_a_rejected_draft_that_is_fetched_does_not_come_through(make: Make, upstream: Upstream) -> None:
    client, upstream.script = make(REGENERATE), [Reply(response(BAD)), Reply(response(GOOD, id="resp_2"))]
    respond(client, "Capital of France?")
    upstream.stored = {"responses/resp_1": response(BAD), "responses/resp_2": response(GOOD, id="resp_2")}
    assert retrieve(client, "resp_2").output_text == GOOD
    assert "London" not in retrieve(client, "resp_1").model_dump_json()


@pytest.mark.parametrize("after", [None, 3])
def test_it_may_be_fetched_as_a_stream(make: Make, upstream: Upstream, after: int | None) -> None:
    client = make(BLOCK)
    background(client, upstream)
    whole = speaking(BAD)({"input": "", "stream": True}, 0).body
    assert isinstance(whole, bytes)
    events = whole.split(b"\n\n")
    rest = b"\n\n".join(events[0:1] + events[2 + after :] if after is not None else events)
    upstream.stored = {"responses/resp_1": Reply(rest, headers={"content-type": "text/event-stream"})}
    more: dict[str, Any] = {} if after is None else {"starting_after": after}
    got = client.items(retrieve(client, stream=True, **more))
    assert not any("London" in event.model_dump_json() for event in got)
    assert (got[0].sequence_number, got[-1].type) == (0 if after is None else after + 1, "response.completed")
    client.items(retrieve(client, stream=True, **more))
    assert len(client.verifier.checks) == 1


def test_a_response_that_another_client_began_is_judged_by_what_the_server_kept(make: Make, upstream: Upstream) -> None:
    client = make(BLOCK)
    upstream.stored = {
        "responses/resp_1": response(BAD),
        "responses/resp_1/input_items": listing(said("user", "Capital of France?")),
    }
    assert "London" not in retrieve(client).model_dump_json()
    assert seen(client) == [("user", "Capital of France?")]


def test_what_follows_a_fetched_response_is_judged_with_it(make: Make, upstream: Upstream) -> None:
    client = make()
    upstream.stored = {
        "responses/resp_1": response(GOOD),
        "responses/resp_1/input_items": listing(said("user", "Capital of France?")),
    }
    retrieve(client)
    upstream.script = [Reply(response("Rome.", id="resp_2"))]
    answer = respond(client, NEXT, previous_response_id="resp_1")
    assert seen(client) == [("user", "Capital of France?"), ("assistant", GOOD), ("user", NEXT)]
    assert not any("partial" in note for note in guardrail.report(answer).notes)


def test_one_that_is_still_in_the_making_passes(make: Make, upstream: Upstream) -> None:
    client = make(BLOCK)
    background(client, upstream)
    upstream.stored = {"responses/resp_1": response("", status="in_progress", output=[])}
    assert retrieve(client).status == "in_progress"
    upstream.stored = {"responses/resp_1": response(BAD)}
    assert "London" not in retrieve(client).model_dump_json()
    assert seen(client) == [("user", "Capital of France?")]


def test_a_cancelled_one_is_judged_by_what_it_holds(make: Make, upstream: Upstream) -> None:
    client = make(BLOCK)
    background(client, upstream)
    upstream.script = [Reply(response(BAD, status="cancelled"))]
    answer = client.run(lambda c: c.responses.cancel("resp_1"))
    assert "London" not in answer.model_dump_json()
    assert guardrail.report(answer).action is Action.BLOCK
