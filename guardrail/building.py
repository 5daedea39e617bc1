"""From a policy to the verifiers that it names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from guardrail.errors import ConfigError, PolicyError
from guardrail.events import Retrying
from guardrail.policy.judges import BOX
from guardrail.policy.kinds import VerifierSpec
from guardrail.policy.model import (
    CacheSpec,
    CascadeSpec,
    ChatSpec,
    ConsistencySpec,
    CustomSpec,
    DedicatedSpec,
    EmbeddedSpec,
    KnowledgeSpec,
    PanelSpec,
    Policy,
    Retry,
)
from guardrail.policy.problems import did_you_mean
from guardrail.policy.secrets import header_values
from guardrail.resilience.cache import CacheVerifier, in_memory
from guardrail.resilience.deadline import DeadlineVerifier
from guardrail.resilience.fallback import FallbackVerifier
from guardrail.resilience.retry import RetryVerifier
from guardrail.verifiers.protocol import Verifier

__all__ = ["build", "stale"]

T = TypeVar("T")
OnRetry: TypeAlias = Callable[[Retrying], None] | None


def build(
    policy: Policy,
    *,
    without: Mapping[str, Verifier] | None = None,
    env: Mapping[str, str] | None = None,
    on_retry: OnRetry = None,
) -> dict[str, Verifier]:
    """The verifiers of ``policy``, by name, ready to be asked.

    ``without``: names that need not be built, with the verifiers that stand in for them. ``env``: where
    references to secrets are looked up; None: the process's environment. Raises `PolicyError` when a variable is
    not set, or a judge of the user's own is not installed or cannot be made; `ConfigError` when ``without`` has a
    name that the policy has not.
    """
    for name in without or {}:
        if name not in policy.verifiers:
            meant = did_you_mean(name, policy.verifiers)
            raise ConfigError(f"the policy has no verifier {name!r}{meant}; it has {', '.join(policy.verifiers)}")
    builder = _Builder(policy, dict(without or {}), os.environ if env is None else env, on_retry)
    for name in policy.verifiers:
        builder.made(name)
    return builder.built


def stale(policy: Policy, verifiers: Mapping[str, Verifier]) -> Iterator[tuple[str, str]]:
    """The names of rules whose verifier is not the one that their threshold was calibrated for, with what to tell.

    ``verifiers``: the policy's, by name. Nothing is told of one that cannot say its version: it has no verdicts either.
    """
    for name, rules in policy.policies.items():
        threshold, verifier = rules.verify.threshold, verifiers.get(rules.verify.with_)
        if threshold is None or threshold.calibrated is None or verifier is None:
            continue
        try:
            note = threshold.calibrated.changed(verifier.id, verifier.version)
        except ConfigError:
            continue
        if note is not None:
            yield name, note


class _Builder:
    """Builds each verifier once, those before it that it refers to."""

    def __init__(self, policy: Policy, ready: dict[str, Verifier], env: Mapping[str, str], on_retry: OnRetry) -> None:
        self.specs, self.ready, self.env, self.on_retry = policy.verifiers, ready, env, on_retry
        self.built: dict[str, Verifier] = {}

    def made(self, name: str) -> Verifier:
        if name not in self.ready:
            self.ready[name] = self.built[name] = self._with_fallback(name, self.specs[name])
        return self.ready[name]

    def _with_fallback(self, name: str, spec: VerifierSpec) -> Verifier:
        verifier = self._alone(name, spec)
        if spec.fallback is None:
            return verifier
        # These say unknown where they have nothing to go by: whoever else knows more is asked then.
        unknown = isinstance(spec, EmbeddedSpec | KnowledgeSpec)
        return FallbackVerifier(verifier, self.made(spec.fallback), unknown=unknown)

    def _alone(self, name: str, spec: VerifierSpec) -> Verifier:
        match spec:
            case EmbeddedSpec() | ChatSpec() | DedicatedSpec() | CustomSpec():
                return _remembering(self._single(name, spec), spec.cache)
            case CascadeSpec():
                return self._cascade(spec)
            case PanelSpec():
                return self._panel(spec)
            case ConsistencySpec():
                return self._consistency(spec)
            case KnowledgeSpec():
                return _placed(name, lambda: self._knowledge(spec))

    def _single(self, name: str, spec: EmbeddedSpec | ChatSpec | DedicatedSpec | CustomSpec) -> Verifier:
        match spec:
            case EmbeddedSpec():
                return _embedded(spec)
            case ChatSpec():
                return self._retried(_placed(name, lambda: _chat(name, spec, self.env)), spec.retry)
            case DedicatedSpec():
                return self._retried(_placed(name, lambda: _dedicated(name, spec, self.env)), spec.retry)
            case CustomSpec():
                # A foreign judge may know no deadline; the built ones keep theirs.
                return self._retried(DeadlineVerifier(_custom(name, spec, self.env), timeout=spec.timeout), spec.retry)

    def _retried(self, verifier: Verifier, retry: Retry | None) -> Verifier:
        return verifier if retry is None else RetryVerifier(verifier, retry, on_retry=self.on_retry)

    def _cascade(self, spec: CascadeSpec) -> Verifier:
        from guardrail.verifiers.cascade import CascadeVerifier

        return CascadeVerifier(self.made(spec.first), self.made(spec.then), between=spec.between)

    def _panel(self, spec: PanelSpec) -> Verifier:
        from guardrail.verifiers.panel import PanelVerifier

        return PanelVerifier({name: self.made(name) for name in spec.members}, spec.combine)

    def _consistency(self, spec: ConsistencySpec) -> Verifier:
        from guardrail.verifiers.consistency import ConsistencyVerifier

        return ConsistencyVerifier(
            self._inner(spec.verifier),
            samples=spec.samples,
            temperature=spec.temperature,
            max_tokens=spec.max_tokens,
            concurrency=spec.concurrency,
            timeout=spec.timeout,
            logprobs=spec.logprobs,
        )

    def _knowledge(self, spec: KnowledgeSpec) -> Verifier:
        from guardrail.knowledge import Index
        from guardrail.verifiers.knowledge import KnowledgeVerifier

        return KnowledgeVerifier(Index(spec.index), self._inner(spec.verifier), top=spec.top)

    def _inner(self, name: str) -> Verifier:
        """The verifier ``name``, which is the one in the box where the policy calls no other by its name."""
        if name == BOX and name not in self.specs and name not in self.ready:
            return _embedded(EmbeddedSpec())
        return self.made(name)


def _remembering(verifier: Verifier, spec: CacheSpec | None) -> Verifier:
    return verifier if spec is None else CacheVerifier(verifier, in_memory(spec.entries, spec.ttl))


def _embedded(spec: EmbeddedSpec) -> Verifier:
    from guardrail.verifiers.embedded import EmbeddedVerifier

    return EmbeddedVerifier(spec.path, threads=spec.threads, checks=spec.checks)


def _chat(name: str, spec: ChatSpec, env: Mapping[str, str]) -> Verifier:
    from guardrail.verifiers.chat import ChatVerifier
    from guardrail.verifiers.dialects import dialect_named

    key, headers = _secrets(name, spec, env)
    return ChatVerifier(
        dialect=dialect_named(spec.dialect),
        model=spec.model,
        base_url=spec.base_url,
        api_key=key,
        timeout=spec.timeout,
        headers=headers,
    )


def _dedicated(name: str, spec: DedicatedSpec, env: Mapping[str, str]) -> Verifier:
    from guardrail.verifiers.dedicated import DedicatedVerifier

    key, headers = _secrets(name, spec, env)
    return DedicatedVerifier(
        base_url=spec.base_url,
        api_key=key,
        model=spec.model,
        body=spec.body,
        search=spec.search,
        timeout=spec.timeout,
        headers=headers,
    )


def _secrets(name: str, spec: ChatSpec | DedicatedSpec, env: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
    """The key and the headers of a remote verifier."""
    ref = spec.api_key
    key = None if ref is None else _resolved(name, "api_key", lambda: ref.resolve(env))
    return key, _resolved(name, "headers", lambda: header_values(spec.headers, env))


def _placed(name: str, make: Callable[[], Verifier]) -> Verifier:
    """What ``make`` gives; the error of a key or header that cannot be sent is told with the verifier's name."""
    try:
        return make()
    except PolicyError:
        raise
    except ConfigError as error:
        raise PolicyError(str(error), key=f"verifiers.{name}") from error


def _resolved(name: str, setting: str, resolve: Callable[[], T]) -> T:
    """What ``resolve`` gives; the error of a variable that is not set is told with its place in the policy."""
    try:
        return resolve()
    except PolicyError as error:
        raise PolicyError(error.problem, key=f"verifiers.{name}.{setting}") from error


def _custom(name: str, spec: CustomSpec, env: Mapping[str, str]) -> Verifier:
    from guardrail.verifiers.plugins import plugin

    options = _resolved(name, "options", lambda: spec.option_values(env))
    try:
        return plugin(spec.name, **options)
    except ConfigError as error:
        # The words are the judge's, and may repeat a secret that it was made with.
        words = _without_secrets(str(error), spec, env)
        raise PolicyError(words, key=f"verifiers.{name}.name") from (error if words == str(error) else None)


def _without_secrets(words: str, spec: CustomSpec, env: Mapping[str, str]) -> str:
    for _, reference in spec.references():
        secret = reference.resolve(env)
        words = words.replace(secret, str(reference)) if secret else words
    return words
