"""Judges by name: entry points that packages declare, and ``module:Class`` in code."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter
from typing import Any

from guardrail.errors import ConfigError
from guardrail.policy.problems import did_you_mean
from guardrail.verifiers.own import as_verifier
from guardrail.verifiers.protocol import Verifier

__all__ = ["GROUP", "names", "plugin", "verifier"]

GROUP = "guardrail.verifiers"
"""The group of entry points that name judges: classes, or functions that make one."""


def verifier(name: str, **options: Any) -> Verifier:
    """A judge of your own as a verifier, made with ``options``.

    ``name``: an entry point in the group ``guardrail.verifiers``, or ``package.module:Class``, which is imported. What
    it names is called with the options, and returns a `Verifier`, an object with ``verify`` only, or a function of the
    `Check`. Raises `ConfigError` when there is no such thing or it cannot be made.
    """
    return _made(name, _imported(name) if ":" in name else _loaded(name), options)


def plugin(name: str, **options: Any) -> Verifier:
    """The same for entry points only: what a policy may name."""
    return _made(name, _loaded(name), options)


def names() -> list[str]:
    """The names of the entry points that are installed, in alphabetical order."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def _loaded(name: str) -> Any:
    found = list({entry.value: entry for entry in entry_points(group=GROUP, name=name)}.values())
    if not found:
        there = names()
        near = did_you_mean(name, there) or f"; there are {', '.join(there) or 'none'}"
        raise ConfigError(f"no installed package has a judge {name!r} in the entry points {GROUP!r}{near}")
    if len(found) > 1:
        packages = ", ".join(sorted(_package(entry) for entry in found))
        raise ConfigError(f"several packages have a judge {name!r}: {packages}; uninstall all but one")
    try:
        return found[0].load()
    except Exception as error:  # foreign code, at its import
        raise ConfigError(f"the judge {name!r} ({found[0].value}) cannot be imported: {error!r}") from error


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _imported(place: str) -> Any:
    module, _, path = place.partition(":")
    try:
        return attrgetter(path)(import_module(module))
    except Exception as error:  # foreign code, at its import
        raise ConfigError(f"{place!r} cannot be imported: {error!r}; write package.module:Class") from error


def _made(name: str, make: Any, options: dict[str, Any]) -> Verifier:
    if not callable(make):
        raise ConfigError(f"{name!r} is neither a class nor a function that makes a judge")
    try:
        judge = make(**options)
    except Exception as error:  # foreign code
        given = f"options {', '.join(options)}" if options else "no options"
        raise ConfigError(f"the judge {name!r} cannot be made with {given}: {error!r}") from error
    return as_verifier(judge)
