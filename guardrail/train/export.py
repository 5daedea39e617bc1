"""From a fine-tuned cross-encoder to the files that run: ONNX, its weights in 4 bits that run in 8, the tokenizer."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guardrail.errors import MissingExtra
from guardrail.train.quantize import quantize
from guardrail.verifiers.embedded.model import open_session

__all__ = ["SAMPLES", "export"]

SAMPLES = 128
_PLACES = 256
"""More than a pair has tokens, and the two that some encoders begin behind."""
_INPUTS = ("input_ids", "attention_mask")
_SHORT = {"truncation": "longest_first", "max_length": 176}


def export(trained: Path, folder: Path, texts: Sequence[tuple[str, str]], *, in_four_bits: bool = True) -> float:
    """Write ``model.onnx``, its matrices and ``tokenizer.json`` to ``folder``.

    ``texts``: pairs like those that it will read, of which `SAMPLES` are enough, to quantise by. ``in_four_bits``: see
    `quantize`. Returns the mean difference (root of the mean square) of their logits from the unquantised model's.
    """
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtra(
            "exporting needs torch, transformers and onnx: pip install 'guardrail-llm[train]'"
        ) from error
    model = AutoModelForSequenceClassification.from_pretrained(trained, attn_implementation="eager").eval()
    _shorten(model)
    tokenizer = AutoTokenizer.from_pretrained(trained)
    samples = [dict(tokenizer(*text, return_tensors="np", **_SHORT)) for text in texts[:SAMPLES]]
    several = tokenizer(*map(list, zip(*texts[:2], strict=True)), return_tensors="pt", padding=True, **_SHORT)
    folder.mkdir(parents=True, exist_ok=True)
    _to_onnx(torch, model, several, folder / "full.onnx")
    feeds = [{name: sample[name] for name in _INPUTS} for sample in samples]
    quantize(folder / "full.onnx", folder / "model.onnx", feeds, in_four_bits=in_four_bits)
    (folder / "full.onnx").unlink()
    shutil.copy(trained / "tokenizer.json", folder / "tokenizer.json")
    return _difference(torch, model, feeds, folder / "model.onnx")


def _shorten(model: Any) -> None:
    """Drop the places of the position embedding that no pair is long enough for."""
    import torch

    places = getattr(model, model.base_model_prefix).embeddings.position_embeddings
    kept = min(len(places.weight), _PLACES)
    places.weight = torch.nn.Parameter(places.weight.detach()[:kept].clone())
    places.num_embeddings = kept


def _to_onnx(torch: Any, model: Any, pairs: Any, path: Path) -> None:
    class Logit(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.inner(input_ids=input_ids, attention_mask=attention_mask).logits[:, 0]

    axes = {name: {0: "pairs", 1: "tokens"} for name in _INPUTS}
    torch.onnx.export(
        Logit().eval(),
        tuple(pairs[name] for name in _INPUTS),
        str(path),
        input_names=list(_INPUTS),
        output_names=["logits"],
        dynamic_axes={**axes, "logits": {0: "pairs"}},
        opset_version=17,
        dynamo=False,
    )


def _difference(torch: Any, model: Any, feeds: Sequence[dict[str, Any]], path: Path) -> float:
    session = open_session(path, threads=1)
    squares = 0.0
    for feed in feeds:
        with torch.no_grad():
            expected = model(**{name: torch.from_numpy(value) for name, value in feed.items()}).logits[0, 0]
        squares += float(session.run(None, feed)[0][0] - float(expected)) ** 2
    return math.sqrt(squares / len(feeds))
