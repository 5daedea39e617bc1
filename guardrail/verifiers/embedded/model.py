"""The cross-encoder and the combination that turns its reading into a risk."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guardrail.cache import Cache, MemoryCache
from guardrail.claims.words import Novelty
from guardrail.cores import cores
from guardrail.errors import ConfigError
from guardrail.verifiers.embedded.packed import MATRICES, unpacked
from guardrail.verifiers.embedded.spread import spread

__all__ = ["SHIPPED", "Model", "Settings", "load", "open_session"]

SHIPPED = Path(__file__).parent / "weights"
_FILES = ("model.onnx", "tokenizer.json", "config.json")
_REMEMBERED = 16_384
"""Readings of pairs that are remembered, about 200 bytes each."""
_SLOW = ["SkipLayerNormFusion"]
"""onnxruntime fuses addition and normalisation, which takes longer on CPUs than the two: 8 per cent of a reading."""


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
    """Weights of the shares of novelty of the claim."""
    answer_word: float
    answer_pair: float
    """And of the answer that it stands in; of a stream, of what is verified together."""

    def risk(self, logit: float, claim: Novelty, answer: Novelty) -> float:
        """The risk (0..1) of one claim: a logistic regression over the reading and the novelties."""
        z = self.bias + self.logit * logit
        z += self.word * claim.word + self.pair * claim.pair + self.number * claim.number
        z += self.answer_word * answer.word + self.answer_pair * answer.pair
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


class Model:
    """A loaded model folder. One a folder and process; safe to share between threads.

    ``threads``: how many one call uses at most; None: one a core.
    """

    def __init__(self, folder: Path, threads: int | None) -> None:
        self.settings = _settings(folder)
        self._session: Any = _readable(folder / "model.onnx", lambda path: open_session(Path(path), threads or cores()))
        self._tokenizer: Any = _readable(folder / "tokenizer.json", _tokenizer)
        self._tokenizer.enable_truncation(self.settings.max_tokens, strategy="longest_first")
        self._tokenizer.no_padding()
        self._threads = threads or cores()
        self._helpers = ThreadPoolExecutor(max(1, self._threads - 1), thread_name_prefix="guardrail-reading")
        self._known: Cache[float] = MemoryCache(_REMEMBERED)

    def logits(self, pairs: Sequence[tuple[str, str]], look_at_clock: Callable[[], None]) -> list[float]:
        """For each pair of evidence and claim: how surely the claim is unreliable (any real number).

        Equal pairs are read once, and not at all when they were read before. ``look_at_clock`` is called first, and
        before each pair that is read; it raises when time is over.

        Each pair is read by itself, several at the same time. In a batch a pair's logit would depend on its company,
        as one scale of 8-bit activations is for the whole batch; and from 100 tokens on a batch saves nothing.
        """
        look_at_clock()
        keys = {pair: _key(pair) for pair in pairs}
        found = {pair: self._known.get(key) for pair, key in keys.items()}
        # The longest first, so that no thread begins it when the others end. Characters stand for tokens.
        new = sorted((pair for pair in found if found[pair] is None), key=lambda pair: -sum(map(len, pair)))

        def read(pair: tuple[str, str]) -> float:
            look_at_clock()
            return self._read(pair)

        for pair, read_now in zip(new, spread(read, new, self._helpers, most=self._threads), strict=True):
            self._known.put(keys[pair], read_now)
            found[pair] = read_now
        return [logit for pair in pairs if (logit := found[pair]) is not None]

    def _read(self, pair: tuple[str, str]) -> float:
        import numpy as np

        ids = np.array([self._tokenizer.encode(*pair).ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        (logits,) = self._session.run(None, feed)
        return float(logits[0])


def _key(pair: tuple[str, str]) -> bytes:
    """Stands for a pair, whose text would take ten times the memory."""
    evidence, claim = pair
    text = f"{len(evidence)} {evidence}{claim}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()


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
    for name in (name for name in (*_FILES, MATRICES) if (folder / name).is_file()):
        with (folder / name).open("rb") as file:
            while block := file.read(1 << 20):
                sha.update(block)
    return sha.hexdigest()[:12]


def _settings(folder: Path) -> Settings:
    path = folder / "config.json"
    try:
        return Settings(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{path} is not the configuration of an embedded model: {error}. "
            "What an older guardrail has trained must be trained again."
        ) from error


def open_session(path: Path, threads: int) -> Any:
    """The graph at ``path`` ready to run, with the matrices that stand beside it, unpacked by so many ``threads``."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    if (matrices := path.with_name(MATRICES)).is_file():
        whole = unpacked(matrices, threads)
        values = [ort.OrtValue.ortvalue_from_numpy(matrix) for matrix in whole.values()]
        options.add_external_initializers(list(whole), values)
    # Several pairs at once, each on one thread: a thread pool of its own would spin, and keep no pace with that.
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False  # it remembers a plan for each length that it meets
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOW)


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
