"""From a model folder that runs back to a checkpoint that can be trained on: its weights as plain numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guardrail.errors import MissingExtra
from guardrail.verifiers.embedded.packed import MATRICES, Packed, read

__all__ = ["restore"]

_WIDTH_OF_HEAD = 32
"""Columns of one attention head in a BERT that is exported here; an MPNet's tables tell how many heads it has."""
_WORDS = ".word_embeddings.weight"
_BIAS = "mpnet.encoder.relative_attention_bias.weight"


def restore(folder: Path, out: Path) -> None:
    """Write what ``folder`` (a model folder) holds to ``out``, as a Hugging Face checkpoint.

    What the quantisation rounded off stays lost: half a step of a weight, and more where a large one was clipped.
    Raises `MissingExtra` without torch.
    """
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtra(
            "restoring needs torch, transformers and onnx: pip install 'guardrail-llm[train]'"
        ) from error
    weights = {name: torch.tensor(value) for name, value in _weights(folder).items()}
    unknown = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"].get("unk_token") or "<unk>"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token=unknown,
        model_max_length=512,
    )
    model = AutoModelForSequenceClassification.from_config(_config(weights, tokenizer.pad_token_id))
    model.load_state_dict(weights)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    shutil.copy(folder / "tokenizer.json", out / "tokenizer.json")


def _config(weights: Mapping[str, Any], pad: int) -> Any:
    """The configuration that goes with ``weights``, by their names and sizes."""
    from transformers import BertConfig, MPNetConfig

    kind = "mpnet" if _BIAS in weights else "bert"
    words, width = weights[f"{kind}.embeddings.word_embeddings.weight"].shape
    common = {
        "vocab_size": words,
        "hidden_size": width,
        "num_hidden_layers": sum(name.endswith("intermediate.dense.bias") for name in weights),
        "intermediate_size": len(weights[f"{kind}.encoder.layer.0.intermediate.dense.bias"]),
        "max_position_embeddings": len(weights[f"{kind}.embeddings.position_embeddings.weight"]),
        "pad_token_id": pad,
        "num_labels": 1,
    }
    if kind == "mpnet":
        buckets, heads = weights[_BIAS].shape
        return MPNetConfig(
            **common, num_attention_heads=heads, relative_attention_num_buckets=buckets, layer_norm_eps=1e-5
        )
    kinds = len(weights["bert.embeddings.token_type_embeddings.weight"])
    return BertConfig(**common, num_attention_heads=width // _WIDTH_OF_HEAD, type_vocab_size=kinds)


def _weights(folder: Path) -> dict[str, Any]:
    """Every weight by its name in torch."""
    import onnx

    graph = onnx.load(folder / "model.onnx", load_external_data=False).graph
    matrices = read(folder / MATRICES) if (folder / MATRICES).is_file() else {}
    tables = (table for table in graph.initializer if table.name not in matrices)
    stored = {table.name: onnx.numpy_helper.to_array(table) for table in tables}
    found = {name.removeprefix("inner."): value for name, value in stored.items() if _is_plain(name)}
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.input[1] in matrices:
            found[_torch_name(node.name)] = matrices[node.input[1]].plain().T.copy()
        elif node.op_type == "MatMulInteger":
            plain = _by_channel(stored, node.input[1].removesuffix("_quantized"))
            # What went into a smoothed matrix was divided first: see guardrail.train.smooth.
            found[_torch_name(node.name)] = plain * stored.get(f"{node.name.removesuffix('_quant')}_smoothing", 1)
        elif node.op_type == "Gather" and node.input[0].endswith(f"{_WORDS}_whole"):
            found |= _embedding(node.input[0].removesuffix("_whole"), stored, matrices)
    return found


def _embedding(table: str, stored: Mapping[str, Any], matrices: Mapping[str, Packed]) -> dict[str, Any]:
    name = f"{table}_whole"
    plain = matrices[name].plain().T.copy() if name in matrices else stored[name] * stored[f"{table}_scale"]
    return {table.removeprefix("inner."): plain}


def _is_plain(name: str) -> bool:
    return name.startswith("inner.") and name.endswith((".weight", ".bias"))


def _torch_name(node: str) -> str:
    """``/inner/bert/pooler/dense/MatMul_quant`` is the weight ``bert.pooler.dense.weight``."""
    *layers, _ = node.removeprefix("/inner/").split("/")
    return ".".join([*layers, "weight"])


def _by_channel(stored: dict[str, Any], name: str) -> Any:
    whole = stored[f"{name}_quantized"].astype("float32") - stored[f"{name}_zero_point"]
    return (whole * stored[f"{name}_scale"]).T.astype("float32").copy()
