"""What would be published: built without isolation, so that nothing is fetched."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WEIGHTS = "guardrail/verifiers/embedded/weights/"
MB = 1024 * 1024

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Iterator[zipfile.ZipFile]:
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def sdist(built: Path) -> list[str]:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = [entry for entry in wheel.namelist() if entry.endswith(f".dist-info/{name}")]
    return wheel.read(path).decode()


def tracked(*folders: str) -> list[str]:
    done = subprocess.run(["git", "ls-files", "--", *folders], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("this is no git checkout, so what belongs to the project cannot be listed")
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def test_the_wheel_installs_its_packages_and_nothing_called_integrations(wheel: zipfile.ZipFile) -> None:
    roots = {name.partition("/")[0] for name in wheel.namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {
        "guardrail",
        "guardrail_langchain",
        "guardrail_openai",
    }


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    held = set(wheel.namelist())
    assert not [name for name in tracked("guardrail") if name not in held]
    for folder in ("openai", "langchain"):
        files = [
            name.removeprefix(f"integrations/{folder}/")
            for name in tracked(f"integrations/{folder}/guardrail_{folder}")
        ]
        assert files
        assert not [name for name in files if name not in held]


@pytest.mark.parametrize(
    "name",
    ["guardrail/py.typed", "guardrail_langchain/py.typed", "guardrail_openai/py.typed", "guardrail/policy/schema.json"],
)
def test_the_wheel_holds_what_is_not_python(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_the_wheel_holds_the_weights_below_40_mb(wheel: zipfile.ZipFile) -> None:
    sizes = [entry.file_size for entry in wheel.infolist() if entry.filename.startswith(WEIGHTS)]
    if not tracked(WEIGHTS):
        pytest.skip("this checkout has no weights")
    assert sum(sizes) < 40 * MB


def test_the_wheel_names_its_command_and_its_adapters(wheel: zipfile.ZipFile) -> None:
    entries = ConfigParser()
    entries.read_string(metadata(wheel, "entry_points.txt"))
    assert dict(entries["console_scripts"]) == {"guardrail": "guardrail.cli:main"}
    assert dict(entries["guardrail.adapters"]) == {
        "langchain_core": "guardrail_langchain:adapter",
        "openai": "guardrail_openai:adapter",
    }


def test_the_wheel_carries_its_licence_and_readme(wheel: zipfile.ZipFile) -> None:
    assert "Apache License" in metadata(wheel, "licenses/LICENSE")
    assert (ROOT / "README.md").read_text(encoding="utf-8").strip() in metadata(wheel, "METADATA")


def test_the_source_distribution_can_be_tested_and_holds_no_leftovers(sdist: list[str]) -> None:
    assert {"pyproject.toml", "README.md", "LICENSE", "Makefile", "tests/test_packaging.py"} <= set(sdist)
    assert not [name for name in sdist if ".venv" in name or "__pycache__" in name or name.startswith("site/")]
