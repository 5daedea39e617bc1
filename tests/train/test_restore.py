"""8-bit weights made plain numbers again: names, and values within half a step."""

from __future__ import annotations

import numpy as np
import pytest

from guardrail.train.restore import _by_channel, _torch_name

WEIGHTS = np.random.default_rng(1).normal(size=(6, 256)).astype("float32")
"""As torch has them: a row for each channel that comes out."""


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("/inner/bert/pooler/dense/MatMul_quant", "bert.pooler.dense.weight"),
        ("/inner/mpnet/encoder/layer.3/attention/attn/q/MatMul_quant", "mpnet.encoder.layer.3.attention.attn.q.weight"),
        ("/inner/classifier/Gemm_MatMul_quant", "classifier.weight"),
    ],
)
def test_a_node_is_known_by_its_weight(node: str, name: str) -> None:
    assert _torch_name(node) == name


def test_a_matrix_with_a_scale_for_each_channel_comes_back() -> None:
    scale = np.abs(WEIGHTS).max(axis=1) / 127
    stored = {"m_quantized": np.rint(WEIGHTS / scale[:, None]).astype("int8").T, "m_scale": scale}
    back = _by_channel(stored | {"m_zero_point": np.zeros(6, "int8")}, "m")
    assert (np.abs(back - WEIGHTS) <= scale[:, None] / 2 + 1e-6).all()
