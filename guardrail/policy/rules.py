"""What to do: one policy's rules, from verdicts to actions. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from guardrail.action import Action
from guardrail.policy.durations import SomeSeconds
from guardrail.policy.part import Count, Maybe, Part, Share
from guardrail.policy.problems import Problem, refuse, refuse_all, unknown_key
from guardrail.policy.retries import Stop, Wait
from guardrail.policy.thresholds import EMBEDDED_THRESHOLD, Threshold, read_threshold
from guardrail.verdict import Cause

__all__ = [
    "Budget",
    "History",
    "Hold",
    "Messages",
    "OnError",
    "Rules",
    "Step",
    "Steps",
    "StepsLike",
    "Stream",
    "Verify",
    "steps",
]

ACTIONS = tuple(action.value for action in Action)
_AGAIN = (Action.REGENERATE, Action.FALLBACK)


class History(Part):
    """How much of the conversation the verifier is sent. What is cut is noted in the Outcome."""

    max_tokens: Count
    """About so many tokens at most."""
    keep: tuple[Literal["system", "last_user", "evidence"], ...] = ("system", "last_user", "evidence")
    """What is never cut."""


class Verify(Part):
    """How answers are verified."""

    with_: str = "main"
    """The name of the verifier. Written ``with`` in files."""
    threshold: Annotated[Maybe[Threshold], read_threshold] = EMBEDDED_THRESHOLD
    """none: the verifier's own."""
    history: Maybe[History] = None
    """none: the whole conversation is sent."""


class Step(Part):
    """One thing to do about an answer. In files also just the action's name."""

    do: Action
    """The action: pass, flag, regenerate, repair, fallback or block."""
    stop: Stop | None = None
    """When to stop asking the LLM again; the answer at hand counts as the first attempt. Default: after 2."""
    wait: Wait | None = None
    """How long to wait before asking the LLM again. Default: not at all."""
    model: Annotated[str, Field(min_length=1)] | None = None
    """For ``fallback``: the model that the same request goes to."""
    feedback: str | None = None
    """For ``regenerate``: what the LLM is told; ``{findings}`` stands for the list of them."""
    how: Literal["delete"] | None = None
    """For ``repair``: the bad sentences are deleted; there is no other way. An answer that has no others is blocked."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        if isinstance(data, str | bool) or data is None:
            _check_action(data)
            data = {"do": data}
        if not isinstance(data, Mapping):
            return data
        if "do" in data:
            _check_action(data["do"], "do")
        if data.get("do") in _AGAIN:
            defaults = {"stop": {"after_attempt": 2}, "wait": "none"}
            return {**data, **{k: v for k, v in defaults.items() if data.get(k) is None}}
        if data.get("do") == Action.REPAIR and data.get("how") is None:
            return {**data, "how": "delete"}
        return data

    @model_validator(mode="after")
    def _fits(self) -> Step:
        problems = [*self._misplaced(), *self._mistaken()]
        if problems:
            raise refuse_all(problems)
        return self

    def _misplaced(self) -> list[Problem]:
        homes = {"stop": _AGAIN, "wait": _AGAIN, "model": _AGAIN[1:], "feedback": _AGAIN[:1], "how": (Action.REPAIR,)}
        return [
            Problem(
                (key,),
                f"goes with {' and '.join(a.value for a in home)} only, not with {self.do.value}: remove it",
            )
            for key, home in homes.items()
            if getattr(self, key) is not None and self.do not in home
        ]

    def _mistaken(self) -> list[Problem]:
        found = []
        if self.do is Action.FALLBACK and self.model is None:
            found.append(Problem(("model",), "the key 'model' is missing: fallback needs the model to go to"))
        if self.stop is not None and self.stop.after_attempt == 1:
            message = "would never ask again, as the answer at hand is the first attempt: write 2 for one more"
            found.append(Problem(("stop", "after_attempt"), message))
        for name in re.findall(r"\{([A-Za-z_]+)\}", self.feedback or ""):
            if name != "findings":
                found.append(Problem(("feedback",), f"knows only the placeholder {{findings}}, not {{{name}}}"))
        return found

    @model_serializer(mode="wrap")
    def _dump(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in inner(self).items() if value is not None}

    @property
    def stop_rule(self) -> Stop:
        """When to stop asking again, with the default filled in."""
        return self.stop or Stop(after_attempt=2)

    @property
    def wait_rule(self) -> Wait:
        """How long to wait, with the default filled in."""
        return self.wait or Wait()


def _check_action(value: object, *path: str) -> None:
    if value in ACTIONS:
        return
    if isinstance(value, bool) or value is None or str(value).lower() in ("no", "off", "none", "on", "yes"):
        raise refuse_all([Problem(path, _NO_ACTION, True)])
    raise refuse_all([Problem(path, f"must be one of {', '.join(ACTIONS)}", True)])


_NO_ACTION = f"must be one of {', '.join(ACTIONS)} (pass lets the answer through, flag has it reported as well)"


def _read_steps(value: object) -> object:
    """A list of steps, out of one step or many; what follows a last word is refused."""
    items = list(value) if isinstance(value, list | tuple) else [value]
    if not items:
        raise refuse("needs at least one step: write pass to let the answer through")
    final = {action.value for action in Action if action not in _AGAIN}
    for place, item in enumerate(items[:-1]):
        do = item.do if isinstance(item, Step) else item.get("do") if isinstance(item, Mapping) else item
        if isinstance(do, str) and do in final:
            raise refuse(f"is never reached: {str(do)!r} before it ends the list", place + 1)
    return items


Steps = Annotated[tuple[Step, ...], BeforeValidator(_read_steps)]
"""What to do, one step after the other as long as the answer stays bad. In files: one step, or a list."""


ActionName: TypeAlias = Literal["pass", "flag", "regenerate", "repair", "fallback", "block"]
StepsLike: TypeAlias = Step | ActionName | Sequence[Step | ActionName]
"""What Python may write for steps."""


def steps(*names: ActionName | Step) -> tuple[Step, ...]:
    """Steps in Python: ``steps("block")``, ``steps(Step(do=Action.REGENERATE), "flag")``."""
    return tuple(name if isinstance(name, Step) else Step(do=Action(name)) for name in names)


def _read_on_error(value: object) -> object:
    """A mapping by cause, with ``default``, out of any of the short forms."""
    if not isinstance(value, Mapping) or "do" in value:
        return {"default": value}
    allowed = ["default", *(cause.value for cause in Cause)]
    wrong = [key for key in value if key not in allowed]
    if wrong:
        raise refuse_all([Problem((str(key),), unknown_key(str(key), allowed), about_key=True) for key in wrong])
    return {"default": "flag", **value}


OnError = Annotated[dict[Cause | Literal["default"], Steps], BeforeValidator(_read_on_error)]
"""What to do without a verdict, by cause; ``default`` for all others."""


def _flag_errors() -> dict[Cause | Literal["default"], tuple[Step, ...]]:
    return {"default": steps("flag")}


class Budget(Part):
    """How long guarding may take."""

    added: Maybe[SomeSeconds] = 60.0
    """From the first answer on; none: without bound."""
    total: Maybe[SomeSeconds] = None
    """From the request on, the first answer included; none: without bound."""


class Messages(Part):
    """What the policy says itself."""

    blocked: Annotated[str, Field(min_length=1)] = "I am sorry, I could not give a reliable answer to this."
    """Stands in the place of a blocked answer."""


class Hold(Part):
    """How long streamed text is held back at most."""

    time: SomeSeconds = 30.0
    """From the end of a sentence until its verdict; after that there is none, with the cause ``timeout``."""
    size: Count = 4000
    """Characters of a sentence, or of sentences that are verified together; a longer one is cut."""


class Stream(Part):
    """How streamed answers are guarded."""

    mode: Literal["sentence", "whole", "optimistic"] = "sentence"
    """``sentence``: a sentence goes out when its verdict and those of all before it are in. ``whole``: held back until
    the verdict on the whole answer is in. ``optimistic``: out at once, verified behind, and retracted."""
    hold: Hold = Hold()
    in_flight: Count = 4
    """Verifications of one answer at the same time. Sentences that end meanwhile are verified together."""
    verifications: Count = 100
    """Verifications of one answer; the last one is of all that is left."""


class Rules(Part):
    """One policy. The defaults are those of the preset ``balanced``."""

    verify: Verify = Verify()
    on_unreliable: Steps = (Step(do=Action.REGENERATE), Step(do=Action.FLAG))
    on_unknown: Steps = (Step(do=Action.FLAG),)
    on_error: OnError = Field(default_factory=_flag_errors)
    """A cause that is named here goes before ``on_unknown`` too."""
    budget: Budget = Budget()
    messages: Messages = Messages()
    on_block: Literal["answer", "raise"] = "answer"
    """``answer``: the message stands in the place of the answer; ``raise``: `BlockedError`."""
    stream: Stream = Stream()
    mode: Literal["enforce", "shadow"] = "enforce"
    """``shadow``: decide and report, never act."""
    sample: Share = 1.0
    """The share of conversations that is verified; always the same ones."""

    if TYPE_CHECKING:
        # What the validators above take besides the fields' own types.
        def __init__(
            self,
            *,
            verify: Verify = ...,
            on_unreliable: StepsLike = ...,
            on_unknown: StepsLike = ...,
            on_error: StepsLike | Mapping[str, StepsLike] = ...,
            budget: Budget = ...,
            messages: Messages = ...,
            on_block: Literal["answer", "raise"] = ...,
            stream: Stream = ...,
            mode: Literal["enforce", "shadow"] = ...,
            sample: float = ...,
        ) -> None: ...
