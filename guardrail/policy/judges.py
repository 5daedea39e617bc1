"""How to check: single verifiers that a policy may name. Pure: descriptions, from which others build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from guardrail.policy.caching import CacheSpec
from guardrail.policy.durations import SomeSeconds
from guardrail.policy.part import Count, Maybe, Part
from guardrail.policy.problems import Problem, refuse, refuse_all
from guardrail.policy.retries import Retry
from guardrail.policy.secrets import ApiKey, Headers, is_secret_header
from guardrail.verifiers.dialect_names import DialectName, refusal

__all__ = ["BOX", "KLUSTER", "ChatSpec", "EmbeddedSpec", "HttpUrl", "Name", "with_key"]

KLUSTER: Mapping[str, str] = {
    "model": "klusterai/verify-reliability",
    "base_url": "https://api.kluster.ai/v1",
    "api_key": "${KLUSTER_API_KEY}",
}
"""What ``dialect: kluster`` fills in."""

Name = Annotated[str, Field(min_length=1)]
BOX = "embedded"
"""The name of the verifier in the box, where a policy gives it to no other."""


CheckName = Literal["arithmetic", "consistency", "quotations", "citations", "dates", "numbers", "names"]
"""The deterministic checks, as `guardrail.checks` has them."""


def _some_checks(value: object) -> object:
    if value is False or value == "off":  # YAML reads a bare `off` as false
        return ()
    return get_args(CheckName) if value == "all" else value


CheckNames = Annotated[
    tuple[CheckName, ...],
    BeforeValidator(_some_checks, json_schema_input_type=tuple[CheckName, ...] | Literal["all", "off", False]),
]


def with_key(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is written of a verifier, with the hosted service's key filled in where it stands at that address.

    The key is for that service: another address gets it only when the policy says so.
    """
    at_home = str(data.get("base_url", KLUSTER["base_url"])).rstrip("/") == KLUSTER["base_url"]
    return {"api_key": KLUSTER["api_key"], **data} if at_home else data


class EmbeddedSpec(Part):
    """The verifier in the box: no network."""

    kind: Literal["embedded"] = "embedded"
    path: Maybe[Name] = None
    """A folder with other weights, relative to the policy file; none: the ones that are shipped."""
    threads: Maybe[Count] = None
    """How many threads one check may use; none: one a core."""
    checks: CheckNames = ()
    """The deterministic checks beside the model, by name; ``all``, or ``off``: the model alone."""
    cache: Maybe[CacheSpec] = None
    """Which verdicts to remember; none: every check is made anew."""
    fallback: Maybe[Name] = None
    """The name of the verifier that is asked when this one says unknown, or gives no verdict."""


def _http_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname, parts.username or parts.password, parts.port
    except ValueError:
        raise refuse("must be a URL such as https://api.example.com/v1") from None
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in url):
        raise refuse("must be a URL such as https://api.example.com/v1")
    if user:
        raise refuse("must not hold a user or password: use api_key or headers, with a reference")
    if any(is_secret_header(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise refuse("must not hold a key in its query: use api_key or headers, with a reference")
    return url


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""Where an endpoint is: http or https, without a user, a password or a key."""


def _not_refused(dialect: object) -> object:
    why = refusal(dialect) if isinstance(dialect, str) else None
    if why is not None:
        raise refuse(why)
    return dialect


_NEED_AN_ADDRESS = tuple(name for name in get_args(DialectName) if name != "kluster")


class ChatSpec(Part):
    """A verifier behind an OpenAI-compatible chat endpoint."""

    kind: Literal["chat"] = "chat"
    dialect: Annotated[DialectName, BeforeValidator(_not_refused)]
    """How the judge is asked and read: the one that its model was made for, or ``structured`` for any strong LLM."""
    model: Name = KLUSTER["model"]
    """The name of the model; it must be given for every dialect but ``kluster``."""
    base_url: HttpUrl = KLUSTER["base_url"]
    """Where the endpoint is; it must be given for every dialect but ``kluster``."""
    api_key: Maybe[ApiKey] = None
    """A reference to the key; none: no key is sent. Filled in for ``kluster`` at its own address only."""
    timeout: SomeSeconds = 8.0
    """For one try."""
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
        if not isinstance(data, Mapping):
            return data
        missing = [key for key in ("model", "base_url") if key not in data]
        if missing and data.get("dialect") in _NEED_AN_ADDRESS:
            raise refuse_all([Problem((), f"the key {key!r} is missing: add it") for key in missing])
        return with_key(data) if data.get("dialect") == "kluster" else data
