"""What a training starts from: the shipped model, a model folder, an encoder in a folder or on the model hub."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from guardrail.errors import ConfigError, MissingExtra
from guardrail.train.restore import restore
from guardrail.verifiers.embedded.model import SHIPPED, digest

__all__ = ["Base", "base_of", "encoder_of"]

_HUB = re.compile(r"[\w.-]+(/[\w.-]+)?")
_WEIGHTS = ("*.safetensors", "*.bin")


@dataclass(frozen=True, slots=True)
class Base:
    """What a training starts from."""

    name: str
    """For people."""
    digest: str
    """Of its files; of an encoder on the hub its name."""
    folder: Path | None
    """None: it is on the hub."""
    judges: bool
    """Whether it is a model folder, which can be scored as it is."""


def base_of(given: str | None) -> Base:
    """The base that ``given`` means: a folder, or a name on the hub; None: the shipped model.

    Raises `ConfigError` where it is neither, or the folder holds no model.
    """
    if given is None:
        return Base("the model that guardrail ships", digest(SHIPPED), SHIPPED, True)
    folder = Path(given)
    if (folder / "model.onnx").exists():
        return Base(given, digest(folder), folder, True)
    if folder.is_dir():
        return Base(given, _digest(folder), folder, False)
    if folder.exists() or not _HUB.fullmatch(given):
        raise ConfigError(
            f"--base: {given}: no such folder; name a model folder, a Hugging Face folder or a name on its hub"
        )
    return Base(given, given, None, False)


def encoder_of(base: Base, out: Path) -> Path:
    """A checkpoint that can be trained on; where ``base`` is not one itself, it is made in ``out``, once.

    Raises `MissingExtra` without torch, and `ConfigError` where the hub has no such encoder or cannot be reached.
    """
    if base.folder is not None and not base.judges:
        return base.folder
    if not out.exists():
        new = out.with_name(f"{out.name}.new")
        if base.folder is not None:
            restore(base.folder, new)
        else:
            _download(base.name, new)
        new.rename(out)
    return out


def _digest(folder: Path) -> str:
    """Twelve hexadecimal digits that change with the weights, the tokenizer or the configuration."""
    weights = sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))
    files = [folder / "config.json", *sorted(folder.glob("*token*.json")), *weights]
    if not files[0].is_file() or not weights:
        raise ConfigError(
            f"--base: {folder}: holds neither a model of guardrail's (model.onnx) nor an encoder (config.json with"
            " *.safetensors or *.bin)"
        )
    sha = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            sha.update(hashlib.file_digest(file, "sha256").digest())
    return sha.hexdigest()[:12]


def _download(name: str, out: Path) -> None:
    try:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtra("training needs torch and transformers: pip install 'guardrail-llm[train]'") from error
    try:
        model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=1, ignore_mismatched_sizes=True)
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:  # what transformers raises where a name is unknown, or no encoder's
        raise ConfigError(f"--base: {name}: is no folder here, and cannot be had from the hub: {error}") from error
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
