"""What is installed, which keys a policy asks for, and whether the embedded model works."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from guardrail.conversation import Evidence, Turn
from guardrail.errors import ConfigError
from guardrail.knowledge import Index
from guardrail.policy.model import CustomSpec, KnowledgeSpec, Policy
from guardrail.policy.problems import key_of
from guardrail.policy.secrets import SecretRef
from guardrail.verifiers.embedded import EmbeddedVerifier
from guardrail.verifiers.plugins import names
from guardrail.verifiers.protocol import Check

__all__ = ["IndexSeen", "JudgeSeen", "Key", "ModelSeen", "embedded_model", "indexes", "judges", "keys", "versions"]

_DISTRIBUTIONS = (
    "guardrail-llm",
    "openai",
    "httpx2",
    "httpx",
    "langchain-core",
    "tenacity",
    "pydantic",
    "onnxruntime",
    "tokenizers",
    "numpy",
)


def versions() -> dict[str, str | None]:
    """The version of Python and of each distribution that matters; None where it is not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _DISTRIBUTIONS}}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class Key:
    """A secret that a policy refers to. Its value is never looked at beyond whether it is there."""

    verifier: str
    setting: str
    """``api_key``, ``headers.NAME`` or ``options.NAME``."""
    variable: str
    present: bool
    needed: bool
    """Whether the verifier cannot be built without it."""


def keys(policy: Policy, env: Mapping[str, str]) -> list[Key]:
    """Every secret that the verifiers of ``policy`` refer to."""
    return [
        Key(name, setting, ref.variable, bool(env.get(ref.variable)), ref.default is None)
        for name, spec in policy.verifiers.items()
        for setting, ref in _references(spec)
    ]


def _references(spec: Any) -> Iterator[tuple[str, SecretRef]]:
    key = getattr(spec, "api_key", None)
    if isinstance(key, SecretRef):
        yield "api_key", key
    for name, value in getattr(spec, "headers", {}).items():
        if isinstance(value, SecretRef):
            yield f"headers.{name}", value
    if isinstance(spec, CustomSpec):
        for path, ref in spec.references():
            yield f"options.{key_of(path)}", ref


@dataclass(frozen=True, slots=True)
class JudgeSeen:
    """A judge of the user's own that a policy names."""

    verifier: str
    name: str
    present: bool
    """Whether an installed package has an entry point of this name. It is not imported."""


def judges(policy: Policy) -> list[JudgeSeen]:
    """Every entry point that the verifiers of ``policy`` name."""
    there = names()
    return [
        JudgeSeen(verifier, spec.name, spec.name in there)
        for verifier, spec in policy.verifiers.items()
        if isinstance(spec, CustomSpec)
    ]


@dataclass(frozen=True, slots=True)
class IndexSeen:
    """An index of documents that a policy names."""

    verifier: str
    path: str
    files: int = 0
    passages: int = 0
    problem: str = ""
    """Why it cannot be searched; empty where it can."""


def indexes(policy: Policy) -> list[IndexSeen]:
    """Every index that the verifiers of ``policy`` name."""
    return [_index(name, spec.index) for name, spec in policy.verifiers.items() if isinstance(spec, KnowledgeSpec)]


def _index(verifier: str, path: str) -> IndexSeen:
    try:
        facts = Index(path).facts()
    except ConfigError as error:
        return IndexSeen(verifier, path, problem=str(error))
    return IndexSeen(verifier, path, facts.files, facts.passages)


@dataclass(frozen=True, slots=True)
class ModelSeen:
    """How the embedded model did on one sentence that is wrong."""

    version: str
    seconds: float
    """For loading it and a first verdict."""
    works: bool
    problem: str = ""


def embedded_model() -> ModelSeen:
    """Load the shipped model and ask it about a wrong number."""
    started = time.perf_counter()
    verifier = EmbeddedVerifier()
    held = Evidence("The tower is 300 metres tall and was built in 1889.", "caller")
    try:
        verdict = verifier.verify(Check((), Turn("The tower is 900 metres tall."), (held,)))
    except ConfigError as error:
        return ModelSeen("", time.perf_counter() - started, False, str(error))
    seen = bool(verdict.findings)
    problem = "" if seen else "it did not see a wrong number"
    return ModelSeen(verifier.version, time.perf_counter() - started, seen, problem)
