"""What all tests share: settings of hypothesis, and two promises that hold for every test."""

from __future__ import annotations

import sys

import pytest
from hypothesis import settings

from guardrail import given

settings.register_profile("ci", deadline=None, print_blob=True)
settings.load_profile("ci")

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _stay_here(event: str, args: tuple[object, ...]) -> None:
    """Whatever opens a connection, in any library, must stay on this machine."""
    if event == "socket.connect" and isinstance(address := args[1], tuple):
        host = address[0]
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name and not name.startswith(LOOPBACK):
        raise RuntimeError(f"tests are offline, and this one wants to reach {name!r}")


sys.addaudithook(_stay_here)


@pytest.fixture(autouse=True)
def _no_evidence_left_over() -> None:
    """Evidence given in one test must not reach another."""
    assert given.given() == ()
