"""A server for real clients to talk to, and the clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integrations.openai.clients import KINDS, Client, Make
from tests.integrations.openai.upstream import Upstream, serve


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serve() as running:
        yield running


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, upstream: Upstream) -> Iterator[Make]:
    clients: list[Client] = []

    def build(policy: Any = None) -> Client:
        clients.append(Client(request.param, upstream, policy))
        return clients[-1]

    yield build
    for client in clients:
        client.close()
