"""8-bit weights for a cross-encoder in ONNX, in the form that changes its logits least for its speed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from guardrail.errors import MissingExtra

__all__ = ["quantize"]

_BLOCK = 128
_EMBEDDING_ROWS = 10_000
"""A table of more rows than this is the word embedding."""


def quantize(full: Path, out: Path) -> None:
    """Write the model ``full`` with 8-bit weights to ``out``; onnxruntime 1.22 and later read it.

    Three ways, each where it serves: the inputs of the second matrix of a feed-forward block have outliers, which one
    scale for all of them drowns, so that matrix has a scale for each block of 128; every other matrix one for each
    channel, which is faster; the word embedding one for each word.
    Raises `MissingExtra` without onnx.
    """
    try:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    except ImportError as error:
        raise MissingExtra("quantising needs onnx and onnx_ir: pip install 'guardrail-llm[train]'") from error
    # Both tell of every node at level INFO, through the root logger.
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.WARNING)
    logging.getLogger().setLevel(logging.WARNING)
    by_block = [node.name for node in onnx.load(full).graph.node if _is_second(node)]
    quantize_dynamic(
        str(full),
        str(out),
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
        nodes_to_exclude=by_block,
    )
    rest = MatMulNBitsQuantizer(onnx.load(out), bits=8, block_size=_BLOCK, is_symmetric=True, accuracy_level=4)
    rest.process()
    _quantize_embedding(onnx, rest.model.model.graph)
    onnx.save(rest.model.model, out)


def _is_second(node: Any) -> bool:
    """Whether ``node`` is the second matrix of a feed-forward block."""
    return node.op_type == "MatMul" and "/output/dense" in node.name and "/attention/" not in node.name


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
