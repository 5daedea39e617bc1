"""`wrap`: one verb for every client. Adapters are entry points, and only the matching one is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Protocol, TypeVar, cast

from guardrail.errors import ConfigError
from guardrail.events import Listener
from guardrail.guard import Guard
from guardrail.policy.model import Policy
from guardrail.verifiers.own import Judge

__all__ = ["Adapter", "wrap"]

GROUP = "guardrail.adapters"
Client = TypeVar("Client")


class Adapter(Protocol):
    """What an entry point in the group ``guardrail.adapters`` names: it guards one kind of client.

    The entry's own name is the root module of the clients that it is for, such as ``openai``.
    """

    def __call__(self, client: Client, guard: Guard, /, *, owns_guard: bool) -> Client:
        """A client of the same type that is guarded, and that closes the guard with itself if it owns it.

        Raises `ConfigError` for what it cannot guard.
        """
        ...


def wrap(
    client: Client,
    policy: Policy | str | Path | Guard | None = None,
    *,
    verifiers: Mapping[str, Judge] | None = None,
    listeners: Sequence[Listener] = (),
) -> Client:
    """A guarded client of the same type as ``client``.

    ``policy``: a `Policy`, a policy file, a preset's name, a `Guard` to share, or None for the default: the
    embedded verifier, no network. ``client`` itself stays unguarded. Raises `ConfigError` when nothing
    here knows how to guard such a client, and `PolicyError` for a policy that cannot be used.
    """
    adapter = _adapter(client)
    if isinstance(policy, Guard):
        if verifiers or listeners:
            raise ConfigError("verifiers= and listeners= belong to the Guard that was given; set them there")
        return adapter(client, policy, owns_guard=False)
    return adapter(client, Guard(policy, verifiers=verifiers, listeners=listeners), owns_guard=True)


def _adapter(client: object) -> Adapter:
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    homes = [client.__name__] if isinstance(client, ModuleType) else [kind.__module__ for kind in type(client).__mro__]
    for root in (home.partition(".")[0] for home in homes):
        if root in known:
            return _loaded(known[root])
    kind_name = f"{type(client).__module__}.{type(client).__qualname__}"
    raise ConfigError(
        f"guardrail.wrap() cannot guard a {kind_name}; it knows the clients of: {', '.join(sorted(known)) or 'none'}. "
        "Use guardrail.Guard(...).run(generate, messages) around any other LLM."
    )


def _loaded(entry: EntryPoint) -> Adapter:
    return cast(Adapter, entry.load())
