"""A reliability service's own endpoint, as a policy names it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from guardrail.policy.caching import CacheSpec
from guardrail.policy.durations import SomeSeconds
from guardrail.policy.judges import KLUSTER, HttpUrl, Name, with_key
from guardrail.policy.part import Maybe, Part
from guardrail.policy.problems import Problem, refuse_all
from guardrail.policy.retries import Retry
from guardrail.policy.secrets import ApiKey, Headers

__all__ = ["DedicatedSpec"]


def _true_or_false(value: object) -> object:
    # A reference to the environment arrives as text; "yes" and 1 are no booleans in a policy.
    if value not in (True, False, "true", "false") or (isinstance(value, int | float) and not isinstance(value, bool)):
        raise refuse_all([Problem((), "must be true or false", True)])
    return value in (True, "true")


class DedicatedSpec(Part):
    """A reliability service's own endpoint, ``BASE_URL/verify/reliability``."""

    kind: Literal["dedicated"] = "dedicated"
    base_url: HttpUrl = KLUSTER["base_url"]
    """Where the service is, ``/v1`` included."""
    api_key: Maybe[ApiKey] = None
    """A reference to the key; none: no key is sent. Filled in for the hosted service's own address only."""
    model: Maybe[Name] = None
    """Sent along where it is given; the endpoint asks for none."""
    body: Literal["prompt", "messages"] = "prompt"
    """``prompt``: prompt, output and context; ``messages``: the conversation, the answer last."""
    search: Annotated[bool, BeforeValidator(_true_or_false)] = False
    """Whether to ask for the results of the searches that the service made; they become evidence."""
    timeout: SomeSeconds = 15.0
    """For one try. Longer than for ``chat``: without evidence the service searches the web."""
    retry: Retry = Retry()
    """Tries after failures of the transport."""
    cache: Maybe[CacheSpec] = None
    """Which verdicts to remember; none: every check is made anew."""
    fallback: Maybe[Name] = None
    """The name of the verifier that is asked when this one gives no verdict."""
    headers: Headers = Field(default_factory=dict)
    """Sent with each request."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        return with_key(data) if isinstance(data, Mapping) else data
