"""A folder becomes an index, is kept up to date, and is searched."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.knowledge import FileSeen, Index, IndexFacts, index_folder, indexing
from guardrail.knowledge import index as indexes
from tests.knowledge.files import HTML, MARKDOWN, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "handbook"
    return write(home, refunds__md=MARKDOWN, ferry__html=HTML, notes__txt="The pool closes at nine.\n\nDogs may swim.")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "handbook.index"


def what(folder: Path, into: Path) -> dict[str, str]:
    return {seen.path: seen.what for seen in index_folder(folder, into).files}


# up to date


def test_every_document_is_added_once_and_left_alone_after_that(folder: Path, into: Path) -> None:
    assert what(folder, into) == {"ferry.html": "added", "notes.txt": "added", "refunds.md": "added"}
    assert set(what(folder, into).values()) == {"unchanged"}
    assert Index(into).facts() == IndexFacts(str(folder), 3, 6)


def test_what_is_unchanged_is_not_even_opened(folder: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index_folder(folder, into)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    assert set(what(folder, into).values()) == {"unchanged"}


def test_a_new_time_alone_changes_nothing(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    os.utime(folder / "notes.txt", (1, 1))
    assert what(folder, into)["notes.txt"] == "unchanged"


def test_what_has_changed_takes_the_place_of_what_was(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    write(folder, notes__txt="The pool closes at ten.")
    assert what(folder, into)["notes.txt"] == "changed"
    assert [piece.text for piece in Index(into).search("When does the pool close?")] == ["The pool closes at ten."]


def test_what_is_gone_is_dropped(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    (folder / "notes.txt").unlink()
    assert what(folder, into)["notes.txt"] == "dropped"
    assert Index(into).search("When does the pool close?") == []
    assert "notes.txt" not in what(folder, into)


def test_folders_below_are_read_and_what_is_hidden_strange_or_linked_is_passed_over(tmp_path: Path, into: Path) -> None:
    home = write(tmp_path / "docs", a__txt="One.", b__py="x = 1", __hidden__txt="No.")
    write(home / "below" / "deep", B__TXT="Two.")
    write(home / ".git", c__txt="No.")
    (home / "link.txt").symlink_to(home / "a.txt")
    assert what(home, into) == {"a.txt": "added", "below/deep/B.TXT": "added"}


@pytest.mark.parametrize("content", [b"\xff\xffx", b""])
def test_what_cannot_be_read_is_told_and_skipped_and_the_rest_is_in(folder: Path, into: Path, content: bytes) -> None:
    write(folder, bad__txt=content)
    told: list[FileSeen] = []
    done = index_folder(folder, into, tell=told.append)
    (bad,) = done.of("skipped")
    assert (bad.path, len(done.of("added")), bad in told) == ("bad.txt", 3, True)
    assert bad.problem
    # Told each time, though it is not read again; and forgotten once it is mended.
    assert index_folder(folder, into).of("skipped") == [bad]
    write(folder, bad__txt="Fine now.")
    assert what(folder, into)["bad.txt"] == "added"


def test_a_document_that_breaks_is_no_longer_searched(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    write(folder, notes__txt=b"\xff\xff")
    assert what(folder, into)["notes.txt"] == "skipped"
    assert Index(into).search("When does the pool close?") == []


def test_a_file_of_unlikely_size_is_skipped(folder: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "LARGEST", 20)
    assert index_folder(folder, into).of("skipped")[0].problem == "it has more than 0 MiB"


def test_a_file_that_cannot_be_opened_is_tried_again(folder: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refused)
        assert {seen.problem for seen in index_folder(folder, into).files} == {"Permission denied"}
    assert set(what(folder, into).values()) == {"added"}


def test_a_failure_in_the_middle_leaves_the_old_index(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    write(folder, notes__txt="Another.", more__txt="More.")

    def interrupted(seen: FileSeen) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_folder(folder, into, tell=interrupted)
    assert Index(into).search("When does the pool close?")
    assert what(folder, into)["more.txt"] == "added"


def test_an_index_of_another_format_is_made_anew(folder: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index_folder(folder, into)
    monkeypatch.setattr(indexes, "FORMAT", "2")
    with pytest.raises(ConfigError, match="was made by another version of guardrail; make it anew"):
        Index(into)
    assert set(what(folder, into).values()) == {"added"}


# mistakes


def test_no_folder_and_no_place_for_the_index_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none: is no folder"):
        index_folder(tmp_path / "none", tmp_path / "i.index")
    with pytest.raises(ConfigError, match="does not exist; make it first"):
        index_folder(tmp_path, tmp_path / "no" / "i.index")


def test_the_index_of_another_folder_is_not_overwritten(folder: Path, into: Path, tmp_path: Path) -> None:
    index_folder(folder, into)
    with pytest.raises(ConfigError, match=rf"is the index of {folder}"):
        index_folder(write(tmp_path / "other", a__txt="A."), into)


@pytest.mark.parametrize("kind", ["text", "a database"])
def test_a_file_of_something_else_is_not_touched(folder: Path, into: Path, kind: str) -> None:
    if kind == "text":
        into.write_text("My diary. " * 200)
    else:
        with sqlite3.connect(into) as database:
            database.execute("CREATE TABLE files (name TEXT)")
        database.close()
    before = into.read_bytes()
    with pytest.raises(ConfigError, match=r"is no index|is a database of something else"):
        index_folder(folder, into)
    with pytest.raises(ConfigError, match=r"is no index|was made by another version"):
        Index(into)
    assert into.read_bytes() == before


def test_an_index_that_is_not_there_says_how_to_make_it(into: Path) -> None:
    with pytest.raises(ConfigError, match=rf"there is no index; make it with `guardrail index FOLDER --into {into}`"):
        Index(into)


def test_two_who_change_it_at_once_do_not_mix(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    with indexes.writing(into, folder):
        blocked: list[BaseException] = []

        def other() -> None:
            try:
                with indexes.explained(into):
                    database = sqlite3.connect(into, isolation_level=None, timeout=0.05)
                    try:
                        database.execute("BEGIN IMMEDIATE")
                    finally:
                        database.close()
            except ConfigError as error:
                blocked.append(error)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert Index(into).facts().files == 3  # searching goes on
    assert "somebody else is changing it" in str(blocked[0])


# searching


def test_passages_come_with_their_title_and_their_place(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    (found,) = Index(into).search("Do dogs travel free on the ferry?", top=1)
    assert (found.origin, found.title, found.url) == ("knowledge", "Ferry & fares › Fares › Dogs", "ferry.html")
    assert found.text.startswith("Dogs travel free.")


@pytest.mark.parametrize(
    ("query", "urls"),
    [
        ("How long are refunds possible after delivery?", ["refunds.md"]),
        ("refunding a delivery", ["refunds.md"]),  # by stems
        ("swim", ["notes.txt"]),  # a single word
        ("When does the pool close at night?", ["notes.txt"]),
        ("pool zebra unicorn", []),  # one word of three may be chance
        ("", []),
        ('"AND" OR NEAR( *', []),
    ],
)
def test_a_query_finds_what_is_about_it_and_nothing_else(folder: Path, into: Path, query: str, urls: list[str]) -> None:
    index_folder(folder, into)
    assert [piece.url for piece in Index(into).search(query, top=1)] == urls


def test_characters_without_spaces_between_them_are_words(tmp_path: Path, into: Path) -> None:
    index_folder(write(tmp_path / "docs", a__txt="东京是日本的首都。", b__txt="大阪在日本。"), into)
    assert Index(into).search("日本的首都是东京吗", top=1)[0].text == "东京是日本的首都。"


def test_accents_do_not_matter(tmp_path: Path, into: Path) -> None:
    index_folder(write(tmp_path / "docs", a__txt="Das Café öffnet um acht."), into)
    assert Index(into).search("Wann offnet das Cafe?")


def test_no_more_than_asked_for_are_found_the_best_first(tmp_path: Path, into: Path) -> None:
    files = {f"f{n}__txt": f"The red ferry {'leaves at noon' if n == 3 else 'is old'}, number {n}." for n in range(9)}
    index_folder(write(tmp_path / "docs", **files), into)
    found = Index(into).search("Does the red ferry leave at noon?", top=4)
    assert (len(found), found[0].url) == (4, "f3.txt")


def test_the_same_index_is_searched_from_many_threads(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    index, found = Index(into), list[int]()
    threads = [
        threading.Thread(target=lambda: found.append(len(index.search("When does the pool close?")))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8


def test_an_index_sees_what_is_indexed_later(folder: Path, into: Path) -> None:
    index_folder(folder, into)
    index = Index(into)
    write(folder, late__txt="The sauna opens on Sunday.")
    index_folder(folder, into)
    assert [piece.url for piece in index.search("When does the sauna open?")] == ["late.txt"]
