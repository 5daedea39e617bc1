"""From a policy to the verifiers that it names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from guardrail.errors import PolicyError
from guardrail.events import Retrying
from guardrail.policy.model import ChatSpec, EmbeddedSpec, Policy
from guardrail.resilience.fallback import FallbackVerifier
from guardrail.resilience.retry import RetryVerifier
from guardrail.verifiers.protocol import Verifier

__all__ = ["build"]


def build(
    policy: Policy,
    *,
    without: Mapping[str, Verifier] | None = None,
    env: Mapping[str, str] | None = None,
    on_retry: Callable[[Retrying], None] | None = None,
) -> dict[str, Verifier]:
    """The verifiers of ``policy``, by name, ready to be asked.

    ``without``: names that need not be built, with the verifiers that stand in for them. ``env``: where
    references to
    secrets are looked up; None: the process's environment. Raises `PolicyError` when a variable is not set.
    """
    env = os.environ if env is None else env
    ready = dict(without or {})
    built: dict[str, Verifier] = {}

    def made(name: str) -> Verifier:
        if name not in ready:
            ready[name] = built[name] = _with_fallback(name)
        return ready[name]

    def _with_fallback(name: str) -> Verifier:
        spec = policy.verifiers[name]
        if isinstance(spec, EmbeddedSpec):
            return _embedded(spec)
        verifier: Verifier = RetryVerifier(_chat(name, spec, env), spec.retry, on_retry=on_retry)
        return verifier if spec.fallback is None else FallbackVerifier(verifier, made(spec.fallback))

    for name in policy.verifiers:
        made(name)
    return built


def _embedded(spec: EmbeddedSpec) -> Verifier:
    from guardrail.verifiers.embedded import EmbeddedVerifier

    return EmbeddedVerifier(spec.path, threads=spec.threads)


def _chat(name: str, spec: ChatSpec, env: Mapping[str, str]) -> Verifier:
    from guardrail.verifiers.chat import ChatVerifier
    from guardrail.verifiers.dialects import dialect_named

    try:
        key = None if spec.api_key is None else spec.api_key.resolve(env)
        headers = spec.header_values(env)
    except PolicyError as error:
        raise PolicyError(error.problem, key=f"verifiers.{name}.{error.key or 'api_key'}") from error
    return ChatVerifier(
        dialect=dialect_named(spec.dialect),
        model=spec.model,
        base_url=spec.base_url,
        api_key=key,
        timeout=spec.timeout,
        headers=headers,
    )
