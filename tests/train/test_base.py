"""What a training starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.train.base import base_of, encoder_of
from guardrail.verifiers.embedded.model import SHIPPED, digest


def test_without_a_name_it_is_the_shipped_model() -> None:
    base = base_of(None)
    assert (base.folder, base.digest, base.judges) == (SHIPPED, digest(SHIPPED), True)


def test_a_model_folder_can_be_scored_and_an_encoder_cannot(tmp_path: Path) -> None:
    assert base_of(str(SHIPPED)).judges
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    encoder = base_of(str(tmp_path))
    assert not encoder.judges
    assert encoder_of(encoder, tmp_path / "unused") == tmp_path
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    assert base_of(str(tmp_path)).digest != encoder.digest


def test_a_name_on_the_hub_is_fetched_only_when_it_is_needed() -> None:
    base = base_of("sentence-transformers/all-MiniLM-L6-v2")
    assert (base.folder, base.digest, base.judges) == (None, "sentence-transformers/all-MiniLM-L6-v2", False)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("../nowhere/at/all", "no such folder; name a model folder"),
        ("empty", "holds neither a model of guardrail's .model.onnx. nor an encoder"),
        ("half", "has no tokenizer.json, config.json"),
    ],
)
def test_what_holds_no_model_is_refused(given: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "model.onnx").write_bytes(b"")
    with pytest.raises(ConfigError, match=says):
        base_of(given)
