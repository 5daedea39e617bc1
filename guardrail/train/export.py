"""From a fine-tuned cross-encoder to the files that run: ONNX with 8-bit weights, and the tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from guardrail.errors import MissingExtra
from guardrail.train.quantize import quantize

__all__ = ["export"]


def export(trained: Path, folder: Path) -> float:
    """Write ``model.onnx`` and ``tokenizer.json`` to ``folder``.

    Returns the largest difference of a logit from the unquantised model's on a few pairs.
    """
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtra(
            "exporting needs torch, transformers and onnx: pip install 'guardrail-llm[train]'"
        ) from error
    model = AutoModelForSequenceClassification.from_pretrained(trained, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(trained)
    sample = dict(
        tokenizer(
            ["It is 5 m tall.", "A dog runs."],
            ["It is 6 m tall.", "It runs."],
            return_tensors="pt",
            padding=True,
        )
    )
    folder.mkdir(parents=True, exist_ok=True)
    _to_onnx(torch, model, sample, folder)
    shutil.copy(trained / "tokenizer.json", folder / "tokenizer.json")
    with torch.no_grad():
        expected = model(input_ids=sample["input_ids"], attention_mask=sample["attention_mask"]).logits[:, 0].numpy()
    return _difference(folder / "model.onnx", sample, expected)


def _to_onnx(torch: Any, model: Any, sample: dict[str, Any], folder: Path) -> None:
    class Logit(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.inner(input_ids=input_ids, attention_mask=attention_mask).logits[:, 0]

    full = folder / "full.onnx"
    axes = {name: {0: "pairs", 1: "tokens"} for name in ("input_ids", "attention_mask")}
    torch.onnx.export(
        Logit().eval(),
        (sample["input_ids"], sample["attention_mask"]),
        str(full),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={**axes, "logits": {0: "pairs"}},
        opset_version=17,
        dynamo=False,
    )
    quantize(full, folder / "model.onnx")
    full.unlink()


def _difference(path: Path, sample: dict[str, Any], expected: Any) -> float:
    import numpy as np
    import onnxruntime as ort

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {name: sample[name].numpy() for name in ("input_ids", "attention_mask")}
    (logits,) = session.run(None, feed)
    return float(np.abs(logits - expected).max())
