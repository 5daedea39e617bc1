"""Outliers in activations moved into the weights, so that one scale fits all channels of an activation.

Source: SmoothQuant (Xiao et al., ICML 2023), equation 4, applied to the second matrices of feed-forward blocks alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["smooth"]

_STRENGTH = 0.9
"""0 leaves all as it is, 1 makes every channel as large as the next. Of 0.5 to 1 it changed logits least."""
_SMALLEST = 1e-3
_WATCHED = "watched.onnx"


def smooth(path: Path, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Divide what goes into the second matrix of each feed-forward block by a factor for each channel, and
    multiply that row of the matrix by it. In exact arithmetic nothing changes.

    ``path``: the model, changed in place. ``samples``: inputs like those that it will read; a hundred are enough.
    Returns the factors [rows] of each matrix, by its name.
    """
    import numpy as np
    import onnx

    model = onnx.load(path)
    tables = {table.name: table for table in model.graph.initializer}
    nodes = [node for node in model.graph.node if is_second(node)]
    largest = _largest(path, [node.input[0] for node in nodes], samples)
    factors = {}
    for node, channel in zip(nodes, largest, strict=True):
        table = tables[node.input[1]]
        weights = onnx.numpy_helper.to_array(table)
        rows = np.maximum(np.abs(weights).max(axis=1), _SMALLEST)
        factor = np.maximum(channel, _SMALLEST) ** _STRENGTH / rows ** (1 - _STRENGTH)
        table.CopyFrom(onnx.numpy_helper.from_array((weights * factor[:, None]).astype(np.float32), table.name))
        _divide(onnx, model.graph, node, (1 / factor).astype(np.float32))
        factors[table.name] = factor
    onnx.save(model, path)
    return factors


def is_second(node: Any) -> bool:
    """Whether ``node`` is the second matrix of a feed-forward block."""
    return node.op_type == "MatMul" and "/output/dense" in node.name and "/attention/" not in node.name


def _largest(path: Path, names: Sequence[str], samples: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The largest absolute value of each channel of the tensors ``names`` over all ``samples``."""
    import numpy as np
    import onnx
    import onnxruntime as ort

    watched = onnx.load(path)
    for name in names:
        watched.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    place = path.with_name(_WATCHED)
    onnx.save(watched, place)
    session = ort.InferenceSession(str(place), providers=["CPUExecutionProvider"])
    place.unlink()
    largest: list[Any] = [0.0] * len(names)
    for sample in samples:
        for at, value in enumerate(session.run(list(names), dict(sample))):
            largest[at] = np.maximum(largest[at], np.abs(value).max(axis=(0, 1)))
    return largest


def _divide(onnx: Any, graph: Any, node: Any, by: Any) -> None:
    name, smoothed = f"{node.name}_smoothing", f"{node.name}_smoothed"
    graph.initializer.append(onnx.numpy_helper.from_array(by, name))
    at = [other.name for other in graph.node].index(node.name)
    before = node.input[0]
    node.input[0] = smoothed
    graph.node.insert(at, onnx.helper.make_node("Mul", [before, name], [smoothed], name=f"{name}_mul"))
