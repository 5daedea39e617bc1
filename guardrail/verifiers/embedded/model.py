"""The cross-encoder and the combination that turns its reading into a risk."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardrail.claims.words import Novelty
from guardrail.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SHIPPED", "Model", "Settings", "load"]

SHIPPED = Path(__file__).parent / "weights"
_FILES = ("model.onnx", "tokenizer.json", "config.json")
_BATCH = 16
"""Pairs that are read at once: more gains nothing on a CPU and delays the look at the clock."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the training decided besides the weights: ``config.json``."""

    version: str
    max_tokens: int
    """Longest pair, in tokens."""
    threshold: float
    """The risk (0..1) from which on a claim counts as unreliable."""
    chosen_on: str
    bias: float
    logit: float
    """Weight of the cross-encoder's logit."""
    word: float
    pair: float
    number: float
    name: float
    passage_pair: float
    """Weights of the shares of novelty; the last against the passage alone."""

    def risk(self, logit: float, all_: Novelty, passage: Novelty) -> float:
        """The risk (0..1) of one claim: a logistic regression over the reading and the novelties."""
        z = self.bias + self.logit * logit
        z += self.word * all_.word + self.pair * all_.pair + self.number * all_.number + self.name * all_.name
        z += self.passage_pair * passage.pair
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


class Model:
    """A loaded model folder. One a folder and process; safe to share between threads."""

    def __init__(self, folder: Path, threads: int | None) -> None:
        self.settings = _settings(folder)
        self._session: Any = _readable(folder / "model.onnx", lambda path: _session(path, threads))
        self._tokenizer: Any = _readable(folder / "tokenizer.json", _tokenizer)
        self._tokenizer.enable_truncation(self.settings.max_tokens, strategy="longest_first")
        self._tokenizer.no_padding()
        self._pad = self._tokenizer.token_to_id("<pad>") or 0

    def logits(self, pairs: Sequence[tuple[str, str]], look_at_clock: Callable[[], None]) -> list[float]:
        """For each pair of evidence and claim: how surely the claim is unreliable (any real number).

        ``look_at_clock`` is called before each batch and raises when time is over.
        """
        found = [0.0] * len(pairs)
        # Characters stand for tokens: pairs of like length share a batch, and only one batch is tokenized at once.
        order = sorted(range(len(pairs)), key=lambda place: sum(map(len, pairs[place])))
        for at in range(0, len(order), _BATCH):
            look_at_clock()
            batch = order[at : at + _BATCH]
            for place, value in zip(batch, self._run([pairs[place] for place in batch]), strict=True):
                found[place] = float(value)
        return found

    def _run(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray[Any, Any]:
        import numpy as np

        batch = [encoding.ids for encoding in self._tokenizer.encode_batch(list(pairs))]
        longest = max(len(ids) for ids in batch)
        padded = np.full((len(batch), longest), self._pad, dtype=np.int64)
        mask = np.zeros_like(padded)
        for row, ids in enumerate(batch):
            padded[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        (logits,) = self._session.run(None, {"input_ids": padded, "attention_mask": mask})
        result: np.ndarray[Any, Any] = logits
        return result


def load(folder: Path, threads: int | None) -> Model:
    """The model in ``folder``, loaded once a process (again after a fork).

    Raises `ConfigError` when the folder holds no model.
    """
    with _lock(os.getpid()):
        return _loaded(folder, threads, os.getpid())


@functools.cache
def _lock(pid: int) -> threading.Lock:
    """One a process: a lock that was held while another thread forked would stay locked in the child."""
    return threading.Lock()


@functools.lru_cache(maxsize=4)
def _loaded(folder: Path, threads: int | None, pid: int) -> Model:
    check_folder(folder)
    return Model(folder, threads)


def check_folder(folder: Path) -> None:
    """Raises `ConfigError` when ``folder`` lacks one of a model's files."""
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"the model folder {folder} has no {', '.join(missing)}; a model consists of {', '.join(_FILES)}. "
            "Leave `path` out for the model that guardrail ships."
        )


@functools.cache
def digest(folder: Path) -> str:
    """Twelve hexadecimal digits that change with the weights, the tokenizer or the settings."""
    check_folder(folder)
    sha = hashlib.sha256()
    for name in _FILES:
        with (folder / name).open("rb") as file:
            while block := file.read(1 << 20):
                sha.update(block)
    return sha.hexdigest()[:12]


def _settings(folder: Path) -> Settings:
    path = folder / "config.json"
    try:
        return Settings(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} is not the configuration of an embedded model: {error}") from error


def _session(path: str, threads: int | None) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)


def _readable(path: Path, read: Callable[[str], Any]) -> Any:
    try:
        return read(str(path))
    except Exception as error:  # both libraries raise classes of their own that nothing narrower covers
        raise ConfigError(
            f"{path} cannot be read: {error}. Copy the model folder again, or leave `path` out for the shipped model."
        ) from error
