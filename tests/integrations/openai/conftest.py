"""A server, and clients of both kinds that run the same test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from upstream import Upstream, serve  # noqa: E402


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serve() as running:
        yield running
