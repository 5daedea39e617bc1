"""POST /completions, the legacy API: a prompt in, text that continues it out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.conversation import Message, Turn
from guardrail.errors import InputError
from guardrail.wire.choices import choices_of, head_of, index_of, restreamed, text_or_none
from guardrail.wire.exchange import Asked, Json, Settled, drawn
from guardrail.wire.logprobs import parallel
from guardrail.wire.sse import Event, encode

__all__ = ["CompletionsCodec"]

_OF_THE_REPLY = ("id", "created", "model", "system_fingerprint")
_ONLY_FIRST = ("n", "best_of", "stream", "stream_options")
"""Fields of a request that make no sense when one answer of it is asked for again."""
_NOT_ASIDE = ("seed", "logprobs")
"""Fields that make further answers the same as the first, or dearer."""


class CompletionsCodec:
    """The legacy completions API.

    A request may hold several prompts; each has ``n`` choices of its own, in the order of the prompts.
    """

    def read_request(self, body: Json) -> Asked:
        """Raises `InputError` when the prompt is none."""
        conversations = [_conversation(prompt) for prompt in _prompts(body.get("prompt"))]
        each = tuple(one for one in conversations for _ in range(_choices_each(body)))
        return Asked(
            conversation=conversations[0],
            model=text_or_none(body.get("model")),
            stream=body.get("stream") is True,
            wants_json=False,
            metadata={},
            each=each if len(conversations) > 1 else (),
        )

    def read_turns(self, reply: Json) -> tuple[Turn, ...]:
        """One turn a choice, in the order of their indices."""
        return tuple(_turn(choice) for choice in choices_of(reply))

    def ask_again(
        self, body: Json, rejected: Turn | None, feedback: str | None, model: str | None, *, index: int = 0
    ) -> Json:
        """The request for one choice, with the rejected text and the feedback behind its prompt.

        A prompt of tokens, one with a ``suffix`` and one that is echoed stay as they are: the LLM is just asked
        once more.
        """
        again = {key: value for key, value in body.items() if key not in _ONLY_FIRST}
        if model is not None:
            again["model"] = model
        prompt = _prompt_of(body, index)
        again["prompt"] = prompt
        fixed = body.get("suffix") or body.get("echo")
        if rejected is not None and isinstance(prompt, str) and not fixed:
            again["prompt"] = f"{prompt}{rejected.text}\n\n{feedback}\n\n"
        return again

    def ask_aside(self, body: Json, *, max_tokens: int | None, temperature: float | None, index: int = 0) -> Json:
        """The request for another text behind the same prompt."""
        again = {key: value for key, value in body.items() if key not in (*_ONLY_FIRST, *_NOT_ASIDE)}
        again["prompt"] = _prompt_of(body, index)
        return {**again, **drawn(body, "max_tokens", max_tokens=max_tokens, temperature=temperature)}

    def write(self, reply: Json, settled: Sequence[Settled], *, wants_json: bool) -> Json:
        """The reply with every replaced choice in its place, indices kept."""
        choices = list(choices_of(reply))
        for place, end in enumerate(settled):
            if end.replaced:
                choices[place] = _replacement(choices[place], end)
        whole = {**reply, "choices": choices}
        if len(settled) == 1 and settled[0].source is not None:
            source = settled[0].source
            whole.update({key: source[key] for key in _OF_THE_REPLY if key in source})
        return whole

    def assemble(self, events: Sequence[Event]) -> Json | None:
        """The completion that the chunks add up to."""
        texts: dict[int, list[str]] = {}
        ends: dict[int, object] = {}
        for choice in (choice for event in events for choice in choices_of(event.json() or {})):
            texts.setdefault(index_of(choice), []).append(text_or_none(choice.get("text")) or "")
            ends[index_of(choice)] = choice.get("finish_reason") or ends.get(index_of(choice))
        if not texts:
            return None
        choices = [
            {"index": index, "text": "".join(texts[index]), "logprobs": None, "finish_reason": ends[index]}
            for index in sorted(texts)
        ]
        return {**head_of(events), "object": "text_completion", "choices": choices}

    def restream(
        self, events: Sequence[Event], reply: Json, settled: Sequence[Settled], wants_json: bool
    ) -> list[bytes]:
        """The stream's own bytes, but for the choices that are replaced."""
        final = self.write(reply, settled, wants_json=wants_json)
        return restreamed(events, reply, final, settled, _chunks)


def _prompts(prompt: object) -> list[object]:
    """The prompts of a request: strings, or lists of tokens."""
    if not isinstance(prompt, list) or not prompt:
        return [prompt]
    if all(isinstance(token, int) for token in prompt):
        return [prompt]
    return prompt


def _conversation(prompt: object) -> tuple[Message, ...]:
    if isinstance(prompt, str):
        return (Message("user", (prompt,) if prompt else ()),)
    if isinstance(prompt, list):
        return (Message("user", omitted=("tokens",)),)
    if prompt is None:
        return ()
    raise InputError(f"prompt: expected a string, or a list of strings or tokens, got {type(prompt).__name__}")


def _choices_each(body: Json) -> int:
    n = body.get("n")
    return n if isinstance(n, int) and n > 0 else 1


def _prompt_of(body: Json, index: int) -> object:
    prompts = _prompts(body.get("prompt"))
    place = index // _choices_each(body)
    return prompts[place] if place < len(prompts) else prompts[0]


def _turn(choice: Json) -> Turn:
    logprobs = choice.get("logprobs")
    given = logprobs if isinstance(logprobs, dict) else {}
    known = parallel(given.get("tokens"), given.get("token_logprobs"))
    return Turn(
        text=text_or_none(choice.get("text")) or "",
        index=index_of(choice),
        finish_reason=text_or_none(choice.get("finish_reason")),
        logprobs=known.values if known else None,
        tokens=known.tokens if known else (),
    )


def _replacement(choice: Json, end: Settled) -> Json:
    if end.source is not None:
        return {**choices_of(end.source)[0], "index": index_of(choice)}
    text = end.outcome.text
    if end.repaired:
        return {**choice, "text": text, "logprobs": None}
    return {"index": index_of(choice), "text": text, "logprobs": None, "finish_reason": "content_filter"}


def _chunks(reply: Json, choice: Json) -> list[bytes]:
    """A whole choice as the one chunk of a stream."""
    head = {key: value for key, value in reply.items() if key not in ("choices", "usage")}
    return [encode({**head, "object": "text_completion", "choices": [choice]})]
