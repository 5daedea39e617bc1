"""Matrices in 4 bits: what comes back, and what a model folder with them says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import InputError
from guardrail.train.pack import GROUP, packed
from guardrail.verifiers.embedded.packed import read, unpacked, write

WEIGHTS = np.random.default_rng(3).normal(size=(4 * GROUP, 10)).astype("float32")


def test_weights_come_back_within_half_a_step_or_clipped() -> None:
    back = packed(WEIGHTS, turned=False).plain()
    largest = np.abs(WEIGHTS.reshape(4, GROUP, 10)).max(axis=1).repeat(GROUP, axis=0)
    assert np.abs(back - WEIGHTS).max() <= largest.max() * 0.26
    assert np.sqrt(((back - WEIGHTS) ** 2).mean()) < 0.11 * WEIGHTS.std()


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_the_error_grows_with_the_weights_and_never_beyond_them(seed: int, size: float) -> None:
    weights = (np.random.default_rng(seed).standard_t(3, size=(GROUP, 3)) * size).astype("float32")
    back = packed(weights, turned=False).plain()
    assert np.isfinite(back).all()
    assert np.abs(back - weights).max() <= np.abs(weights).max() * 0.3


def test_what_is_zero_stays_so() -> None:
    assert (packed(np.zeros((GROUP, 2), "float32"), turned=False).plain() == 0).all()


def test_the_whole_matrix_is_the_plain_one_by_its_rows_and_columns() -> None:
    rows = np.linspace(0.5, 2, len(WEIGHTS), dtype="float32")[:, None]
    stored = packed(WEIGHTS, turned=False)
    columns = (np.abs(stored.plain() * rows).max(axis=0) / 127).astype("float32")
    whole = replace(stored, rows=rows, columns=columns).whole()
    assert whole.dtype == np.int8
    assert np.abs(whole).max() == 127
    assert np.abs(whole * columns - stored.plain() * rows).max() <= columns.max() * 0.501


def test_a_turned_matrix_runs_the_other_way_round() -> None:
    stored = replace(packed(WEIGHTS, turned=False), columns=np.full(10, 0.05, "float32"))
    assert (replace(stored, turned=np.bool_(True)).whole() == stored.whole().T).all()


def test_rows_that_make_no_groups_are_refused() -> None:
    with pytest.raises(InputError, match="65 rows"):
        packed(np.zeros((65, 2), "float32"), turned=False)


def test_they_come_back_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "matrices.npz"
    stored = {"a/b::c": packed(WEIGHTS, turned=False), "d": packed(WEIGHTS[:GROUP], turned=True)}
    write(path, stored)
    back = read(path)
    assert list(back) == list(stored)
    for name, matrix in stored.items():
        assert (back[name].plain() == matrix.plain()).all()
        assert (unpacked(path, 2)[name] == matrix.whole()).all()


def test_the_file_has_half_a_byte_a_weight(tmp_path: Path) -> None:
    path = tmp_path / "matrices.npz"
    weights = np.random.default_rng(4).normal(size=(1024, 512)).astype("float32")
    write(path, {"m": packed(weights, turned=False)})
    assert path.stat().st_size < 0.55 * weights.size
