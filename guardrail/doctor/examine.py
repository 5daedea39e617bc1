"""Tries every surface of the installed SDK on a guarded client, with an answer that must not come through."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from guardrail import logs
from guardrail.doctor.surfaces import SURFACES, Surface
from guardrail.doctor.upstream import ANSWER, answer
from guardrail.errors import GuardrailError
from guardrail.guard import Guard
from guardrail.loopback import serve
from guardrail.policy.loading import load
from guardrail.policy.model import Policy
from guardrail.testing import ScriptedVerifier, unreliable
from guardrail.wrapping import wrap

__all__ = ["Seen", "Tried", "examine"]

Seen: TypeAlias = Literal["guarded", "passes", "loud", "absent", "leaks", "fails"]
"""``absent``: the SDK has no such surface; ``leaks``: the bad answer came through silently; ``fails``: an error."""
_PATIENCE = 20.0
"""Seconds for one call, all of them on this machine."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a surface did on a client and on its asynchronous twin."""

    surface: Surface
    sync: Seen
    async_: Seen
    details: tuple[str, ...] = ()
    """What went wrong, in words."""

    @property
    def kept(self) -> bool:
        """Whether guardrail's promise for this surface held."""
        return {self.sync, self.async_} <= {self.surface.expected, "absent"}


def examine() -> Iterator[Tried]:
    """Try one surface after the other. Needs the openai SDK; talks to this machine alone."""
    with serve(answer) as url, _quiet():
        for surface in SURFACES:
            (sync, one), (async_, two) = _tried(surface, url, twin=False), _tried(surface, url, twin=True)
            yield Tried(surface, sync, async_, tuple(text for text in (one, two) if text))


def _tried(surface: Surface, url: str, *, twin: bool) -> tuple[Seen, str]:
    verifier = ScriptedVerifier(unreliable(ANSWER), repeat=True)
    said: list[str] = []
    with Guard(_blocking(), verifiers={"main": verifier}) as guard, _heard(said):
        client = wrap(_client(surface, url, twin=twin), guard)
        try:
            released = asyncio.run(_called(surface, client))
        except GuardrailError as error:
            return "loud", str(error) if surface.expected != "loud" else ""
        except Exception as error:  # the SDK's own errors, and whatever else a surface may do
            if _has_not(error):
                return "absent", ""
            if type(error).__name__ == "ContentFilterFinishReasonError" and verifier.checks:
                return "guarded", ""  # how the SDK's stream helper tells of a blocked answer
            return "fails", f"{surface.name}: {type(error).__name__}: {error}"
    return _seen(surface, released, asked=bool(verifier.checks), warned=bool(said))


def _has_not(error: Exception) -> bool:
    """Whether ``error`` says that a client or a resource of the SDK lacks an attribute."""
    return isinstance(error, AttributeError) and type(error.obj).__module__.partition(".")[0] == "openai"


def _seen(surface: Surface, released: str, *, asked: bool, warned: bool) -> tuple[Seen, str]:
    if "Atlantis" in released:
        return "leaks", f"{surface.name}: an answer that the policy blocks came through"
    if asked:
        return "guarded", ""
    return ("loud" if warned else "passes"), ""


async def _called(surface: Surface, client: Any) -> str:
    try:
        return repr(await asyncio.wait_for(surface.try_(client), _PATIENCE))
    finally:
        closed = client.close()
        if closed is not None:
            await closed


def _client(surface: Surface, url: str, *, twin: bool) -> Any:
    import openai

    kind = getattr(openai, f"Async{surface.client}" if twin else surface.client)
    if surface.client == "AzureOpenAI":
        root = url.removesuffix("/v1")
        return kind(azure_endpoint=root, api_key="none", api_version="2024-10-21", max_retries=0)
    return kind(base_url=url, api_key="none", max_retries=0)


def _blocking() -> Policy:
    return load({"version": 1, "policies": {"default": {"on_unreliable": "block"}}})


@contextmanager
def _heard(said: list[str]) -> Iterator[None]:
    """Collect what guardrail warns about; what it says once a process is said again."""
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    with logs.forgotten():
        logs.logger.addHandler(handler)
        try:
            yield
        finally:
            logs.logger.removeHandler(handler)


@contextmanager
def _quiet() -> Iterator[None]:
    """What surfaces say on the way is told in the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
