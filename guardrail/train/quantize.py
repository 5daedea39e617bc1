"""8-bit weights for a cross-encoder in ONNX, in the form that runs fastest and changes its logits little."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from guardrail.errors import MissingExtra
from guardrail.train.first import only_first
from guardrail.train.pack import packed
from guardrail.train.smooth import smooth
from guardrail.verifiers.embedded.packed import MATRICES, Packed, write

__all__ = ["quantize"]

_EMBEDDING_ROWS = 10_000
"""A table of more rows than this is the word embedding."""


def quantize(full: Path, out: Path, samples: Sequence[Mapping[str, Any]], *, in_four_bits: bool = True) -> None:
    """Write the model ``full`` to ``out``, without work that its logits do not need. Its large matrices run in 8 bits,
    and are stored in 4 bits, in a file beside ``out``; or in 8 bits in ``out`` itself, unless ``in_four_bits``. A model
    that was itself in 4 bits before it was fine-tuned takes the latter: the steps are so wide that what it learned
    would be rounded off again.

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
    stored = _in_four_bits(onnx, full) if in_four_bits else {}
    factors = smooth(full, samples)
    logging.getLogger().setLevel(logging.WARNING)  # it tells of every node at level INFO, through the root logger
    kinds = ["MatMul", "Gemm"]
    quantize_dynamic(str(full), str(out), per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=kinds)
    whole = onnx.load(out)
    _quantize_embedding(onnx, whole.graph)
    if stored:
        write(out.with_name(MATRICES), _taken_out(onnx, whole.graph, stored, factors))
    onnx.save(whole, out)


def _in_four_bits(onnx: Any, path: Path) -> dict[str, Packed]:
    """Round the matrices and the word embedding of the model at ``path``, in place; by name."""
    import numpy as np

    model = onnx.load(path)
    tables = {table.name: table for table in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        name = node.input[1] if node.op_type == "MatMul" else node.input[0] if node.op_type == "Gather" else ""
        table = tables.get(name)
        if table is None or len(table.dims) != 2 or table.data_type != onnx.TensorProto.FLOAT:
            continue
        turned = node.op_type == "Gather"
        if turned and table.dims[0] < _EMBEDDING_ROWS:
            continue
        weights = onnx.numpy_helper.to_array(table)
        found[name] = packed(weights.T if turned else weights, turned=turned)
        plain = found[name].plain()
        table.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(plain.T if turned else plain), name))
    onnx.save(model, path)
    return found


def _taken_out(onnx: Any, graph: Any, stored: Mapping[str, Packed], factors: Mapping[str, Any]) -> dict[str, Packed]:
    """The 8-bit matrices of ``graph`` in 4 bits by name, taken out of it: their values are given when it is loaded."""
    import numpy as np

    tables = {table.name: table for table in graph.initializer}
    found = {}
    for name, of in stored.items():
        matrix = f"{name}_whole" if of.turned else f"{name}_quantized"
        columns = onnx.numpy_helper.to_array(tables[f"{name}_scale"]).reshape(-1)
        rows = np.asarray(factors.get(name, of.rows), np.float32).reshape(-1, 1)
        found[matrix] = replace(of, rows=rows, columns=columns.astype(np.float32))
        _emptied(onnx, tables[matrix])
    return found


def _emptied(onnx: Any, table: Any) -> None:
    table.ClearField("raw_data")
    table.data_location = onnx.TensorProto.EXTERNAL
    where = table.external_data.add()
    where.key, where.value = "location", MATRICES


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
