"""The train command up to where training begins; with torch, see tests/train/test_training.py."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.cli.steps import Steps
from guardrail.cli.train import Options, _licences, _task
from guardrail.errors import ConfigError
from guardrail.train.record import Record, software, write
from tests.train import tiny

HAS_TORCH = importlib.util.find_spec("torch") is not None


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were there: what is tested comes before it is used."""
    monkeypatch.setattr("guardrail.cli.train.check_extra", lambda: None)


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["train", *args])


def options(*files: str, licences: tuple[str, ...] = (), epochs: int = 3) -> Options:
    return Options(files, Path("model"), None, epochs, 5e-5, 16, 0.3, 1, licences, False)


def begun(*, result: dict[str, object] | None = None) -> None:
    """A training of rows.jsonl in the folder model, as another process left it."""
    tiny.write(Path("rows.jsonl"), 120)
    write(Path("model"), Record(_task(options("rows.jsonl"), Steps()).arguments, software(), result))
    Path("model/unfinished/checkpoint").mkdir(parents=True)


@pytest.mark.skipif(HAS_TORCH, reason="torch is installed here")
def test_without_the_extra_it_says_what_to_install_before_it_reads_anything() -> None:
    result = run("missing.jsonl", "--out", "model")
    assert result.exit_code == 2
    assert "pip install 'guardrail-llm[train]'" in result.stderr
    assert not Path("model").exists()


@pytest.mark.usefixtures("ready")
def test_bad_rows_are_named_with_their_place_and_nothing_is_trained() -> None:
    tiny.write(Path("rows.jsonl"), 120)
    with Path("rows.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"context": "c", "answer": "a"}\n{"context": "c"\n')
    result = run("rows.jsonl", "--out", "model")
    assert result.exit_code == 2
    assert 'rows.jsonl:121: "label" is missing' in result.stderr.replace("id 121: ", "")
    assert "rows.jsonl:122: invalid JSON" in result.stderr
    assert "bad rows or files: 2, see above; mend or remove them, nothing was trained" in result.stderr
    assert not Path("model").exists()


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(
    ("count", "keep", "says"),
    [
        (20, None, "10 usable rows are labelled reliable, too few to train on: it takes 15"),
        (120, 1, "no usable row is labelled reliable: training takes rows of both labels"),
    ],
    ids=["few", "one label"],
)
def test_rows_that_cannot_be_trained_on_are_refused(count: int, keep: int | None, says: str) -> None:
    rows = [row for row in tiny.rows(count) if keep in (None, row["label"])]
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = run("rows.jsonl", "--out", "model")
    assert result.exit_code == 2
    assert says in result.stderr
    assert not Path("model").exists()


@pytest.mark.usefixtures("ready")
def test_a_folder_with_other_things_is_left_alone() -> None:
    tiny.write(Path("rows.jsonl"), 120)
    Path("model").mkdir()
    Path("model/letter.txt").write_text("Dear Ada")
    result = run("rows.jsonl", "--out", "model")
    assert result.exit_code == 2
    assert "holds other things" in result.stderr
    assert [path.name for path in Path("model").iterdir()] == ["letter.txt"]


@pytest.mark.usefixtures("ready")
def test_other_arguments_than_it_was_begun_with_are_refused() -> None:
    begun()
    result = run("rows.jsonl", "--out", "model", "--epochs", "5")
    assert result.exit_code == 2
    assert "--epochs was 3, and is 5 now" in result.stderr
    tiny.write(Path("rows.jsonl"), 122)
    assert "the digest of the rows was" in run("rows.jsonl", "--out", "model").stderr


@pytest.mark.usefixtures("ready")
def test_a_finished_training_is_not_done_again() -> None:
    begun(result={"threshold": 0.4})
    result = run("rows.jsonl", "--out", "model")
    assert (result.exit_code, result.stdout) == (0, "model is finished: its scores are in model/CARD.md\n")
    shown = json.loads(run("rows.jsonl", "--out", "model", "--json").stdout)
    assert shown == {"folder": "model", "threshold": 0.4}


@pytest.mark.usefixtures("ready")
def test_a_missing_file_is_said_at_once() -> None:
    result = run("missing.jsonl", "--out", "model")
    assert result.exit_code == 2
    assert "missing.jsonl: no such file" in result.stderr


def test_a_licence_is_of_all_files_or_of_the_one_that_is_named() -> None:
    given = options("data/qa.jsonl", "chats.jsonl.gz", licences=("MIT", "qa.jsonl=CC BY 4.0"))
    assert _licences(given) == {"data/qa.jsonl": "CC BY 4.0", "chats.jsonl.gz": "MIT"}
    assert _licences(options("qa.jsonl", licences=("ours, version = 2",))) == {"qa.jsonl": "ours, version = 2"}
    with pytest.raises(ConfigError, match=r"other\.jsonl is none of the files; there are qa\.jsonl"):
        _licences(options("qa.jsonl", licences=("other.jsonl=MIT",)))
