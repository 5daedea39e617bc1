"""What a model folder says of its training, and when a training may go on in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.train.arguments import Arguments
from guardrail.train.record import NAME, Record, read, refuse_other, software, write

ASKED = Arguments(data="9f2c61d0a7b85e34", base="0957a6295b03", hold_out=0.3, epochs=3, rate=5e-5, batch=16, seed=1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "model"
    record = Record(ASKED, software(), {"threshold": 0.5})
    write(folder, record)
    assert read(folder) == record
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_a_new_and_an_empty_folder_hold_no_record(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    assert read(tmp_path / "new") is None


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ada")
    with pytest.raises(ConfigError, match="holds other things, and no training to go on with; name a new folder"):
        read(tmp_path)
    with pytest.raises(ConfigError, match="is a file; name a folder"):
        read(tmp_path / "letter.txt")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "arguments": {"epochs": 3}}'])
def test_a_damaged_record_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ConfigError, match=f"{NAME}: cannot be read"):
        read(tmp_path)


def test_the_same_arguments_go_on(tmp_path: Path) -> None:
    refuse_other(tmp_path, ASKED, replace(ASKED))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"epochs": 4}, "--epochs was 3, and is 4 now"),
        ({"hold_out": 0.2}, "--hold-out was 0.3, and is 0.2 now"),
        ({"data": "x"}, "the digest of the rows was 9f2c61d0a7b85e34, and is x now"),
        ({"base": "y"}, "the base was 0957a6295b03, and is y now"),
    ],
)
def test_other_arguments_are_refused_with_what_differs(change: dict[str, int], says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_other(tmp_path, ASKED, replace(ASKED, **change))  # type: ignore[arg-type]
    assert says in str(caught.value)
    assert "name a new folder" in str(caught.value)
