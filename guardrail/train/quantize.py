"""8-bit weights for a cross-encoder in ONNX, in the form that runs fastest and changes its logits little."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from guardrail.errors import MissingExtra
from guardrail.train.first import only_first
from guardrail.train.smooth import smooth

__all__ = ["quantize"]

_EMBEDDING_ROWS = 10_000
"""A table of more rows than this is the word embedding."""


def quantize(full: Path, out: Path, samples: Sequence[Mapping[str, Any]]) -> None:
    """Write the model ``full`` with 8-bit weights to ``out``, and without work that its logits do not need.

    Matrices have one scale for each channel, what goes into them has one for all: the second matrix of a feed-forward
    block is smoothed, so that outliers do not drown the rest. The word embedding has one scale for each word.
    ``full`` is changed. ``samples``: inputs of a hundred pairs like those that the model will read; few or odd ones
    cost accuracy. Raises `MissingExtra` without onnx.
    """
    try:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingExtra("quantising needs onnx: pip install 'guardrail-llm[train]'") from error
    only_first(full)
    smooth(full, samples)
    logging.getLogger().setLevel(logging.WARNING)  # it tells of every node at level INFO, through the root logger
    kinds = ["MatMul", "Gemm"]
    quantize_dynamic(str(full), str(out), per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=kinds)
    whole = onnx.load(out)
    _quantize_embedding(onnx, whole.graph)
    onnx.save(whole, out)


def _quantize_embedding(onnx: Any, graph: Any) -> None:
    """Look words up in 8 bits, each with its own scale."""
    tables = {table.name: table for table in graph.initializer}
    for node in list(graph.node):
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or table.data_type != onnx.TensorProto.FLOAT or table.dims[0] < _EMBEDDING_ROWS:
            continue
        place = list(graph.node).index(node)
        graph.node.remove(node)
        graph.initializer.remove(table)
        graph.initializer.extend(_scaled(onnx, table))
        for step, new in enumerate(_lookup(onnx.helper, onnx.TensorProto.FLOAT, node)):
            graph.node.insert(place + step, new)


def _scaled(onnx: Any, table: Any) -> list[Any]:
    """``table`` as whole numbers, and the scale of each row."""
    import numpy as np

    weights = onnx.numpy_helper.to_array(table)
    scales = np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-12) / 127
    whole = np.rint(weights / scales).astype(np.int8)
    return [
        onnx.numpy_helper.from_array(whole, f"{table.name}_whole"),
        onnx.numpy_helper.from_array(scales.astype(np.float32), f"{table.name}_scale"),
    ]


def _lookup(helper: Any, number: int, node: Any) -> list[Any]:
    table, places, out = node.input[0], node.input[1], node.output[0]
    return [
        helper.make_node("Gather", [f"{table}_whole", places], [f"{out}_whole"]),
        helper.make_node("Cast", [f"{out}_whole"], [f"{out}_number"], to=number),
        helper.make_node("Gather", [f"{table}_scale", places], [f"{out}_scale"]),
        helper.make_node("Mul", [f"{out}_number", f"{out}_scale"], [out]),
    ]
