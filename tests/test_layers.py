"""The layers themselves are checked by import-linter (`make lint`); here, that it is told of every module."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_module_stands_in_a_layer() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers")
    placed = {name.strip(" ()") for layer in layers for name in layer.replace(":", "|").split("|")}
    package = ROOT / "guardrail"
    modules = [path.relative_to(ROOT).with_suffix("") for path in package.rglob("*.py") if path.name != "__init__.py"]
    lost = [path for path in modules if not any(".".join(path.parts[:end]) in placed for end in (2, 3, 4))]
    assert lost == []
