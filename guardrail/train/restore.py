"""From a model folder that runs back to a checkpoint that can be trained on: its 8-bit weights as plain numbers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from guardrail.errors import MissingExtra

__all__ = ["restore"]

_WIDTH_OF_HEAD = 32
"""Columns of one attention head in the encoders that are exported here."""


def restore(folder: Path, out: Path) -> None:
    """Write what ``folder`` (``model.onnx``, ``tokenizer.json``) holds to ``out``, as a Hugging Face checkpoint.

    What the quantisation rounded off stays lost: less than half a step of each weight.
    Raises `MissingExtra` without torch.
    """
    try:
        import torch
        from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtra(
            "restoring needs torch, transformers and onnx: pip install 'guardrail-llm[train]'"
        ) from error
    weights = {name: torch.tensor(value) for name, value in _weights(folder / "model.onnx").items()}
    words, width = weights["bert.embeddings.word_embeddings.weight"].shape
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=512,
    )
    config = BertConfig(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=sum(name.endswith("intermediate.dense.bias") for name in weights),
        num_attention_heads=width // _WIDTH_OF_HEAD,
        intermediate_size=len(weights["bert.encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(weights["bert.embeddings.position_embeddings.weight"]),
        type_vocab_size=len(weights["bert.embeddings.token_type_embeddings.weight"]),
        pad_token_id=tokenizer.pad_token_id,
        num_labels=1,
    )
    model = BertForSequenceClassification(config)
    model.load_state_dict(weights)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    shutil.copy(folder / "tokenizer.json", out / "tokenizer.json")


def _weights(path: Path) -> dict[str, Any]:
    """Every weight by its name in torch."""
    import onnx

    graph = onnx.load(path).graph
    stored = {table.name: onnx.numpy_helper.to_array(table) for table in graph.initializer}
    found = {name.removeprefix("inner."): value for name, value in stored.items() if _is_plain(name)}
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            plain = _by_channel(stored, node.input[1].removesuffix("_quantized"))
            # What went into a smoothed matrix was divided first: see guardrail.train.smooth.
            found[_torch_name(node.name)] = plain * stored.get(f"{node.name.removesuffix('_quant')}_smoothing", 1)
        elif node.op_type == "MatMulNBits":
            found[_torch_name(node.name)] = _by_block(stored, node.input[1].removesuffix("_Q8"))
    table = "inner.bert.embeddings.word_embeddings.weight"
    found[table.removeprefix("inner.")] = stored[f"{table}_whole"] * stored[f"{table}_scale"]
    return found


def _is_plain(name: str) -> bool:
    return name.startswith("inner.") and name.endswith((".weight", ".bias"))


def _torch_name(node: str) -> str:
    """``/inner/bert/pooler/dense/MatMul_quant`` is the weight ``bert.pooler.dense.weight``."""
    *layers, _ = node.removeprefix("/inner/").split("/")
    return ".".join([*layers, "weight"])


def _by_channel(stored: dict[str, Any], name: str) -> Any:
    whole = stored[f"{name}_quantized"].astype("float32") - stored[f"{name}_zero_point"]
    return (whole * stored[f"{name}_scale"]).T.astype("float32").copy()


def _by_block(stored: dict[str, Any], name: str) -> Any:
    whole = stored[f"{name}_Q8"].astype("float32") - 128
    scales = stored[f"{name}_scales"].reshape(*whole.shape[:2], 1)
    return (whole * scales).reshape(len(whole), -1).astype("float32")
