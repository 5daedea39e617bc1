"""A server for real clients to talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.openai.upstream import Upstream, serve


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serve() as running:
        yield running
