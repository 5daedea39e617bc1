"""Every key and value of a TOML text is found where it stands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.policy.toml_places import locate_toml

TEXTS = [
    "a = 1\nb.c.d = 2\n'b'.\"e f\" = 3\n",
    '# [x]\n\n[t] # here\n  a=\'[not] # a table\'\n[t.u]\nb="\\"]"\n',
    "[[r]]\na = 1\n[r.m]\nb = 2\n[[r.n]]\nc = 3\n[[r.n]]\n[[r]]\na = 4\n[r.m]\nb = 5\n",
    "a = [1, [2, 3], { b = 4, c.d = [5,] }, \n # between\n 'x]', \"y,\", ]\n",
    'a = """\n[t]\nb = 1\n"\\""" "" """""\nc = \'\'\'\nd = 1\'\'\'\ne = 2\n',
    "a = { }\nb = []\nc = 2026-01-01 10:00:00\nd = +inf\ne = 0x1F\n",
    '"\\u0061\\t\\"" = 1\n"\\U0001F600" = {x = 1}\n"" = 2\n',
    "a.b = 1\na.c = 2\n[z]\n[[z.y]]\nx = [[{w = 1}]]\n",
    "[a.b.c]\n[a]\nd = 1",
]


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


@pytest.mark.parametrize("text", TEXTS)
def test_every_key_is_found_and_no_other(text: str) -> None:
    found, _ = locate_toml(text)
    assert {path for path in found if isinstance(path[-1], str)} == {
        path for path in paths(tomllib.loads(text)) if isinstance(path[-1], str)
    }


@pytest.mark.parametrize("text", TEXTS)
def test_a_key_stands_where_it_was_found(text: str) -> None:
    for path, offset in locate_toml(text)[0].items():
        assert text[offset:].startswith((str(path[-1]), '"', "'"))


def test_a_value_stands_where_it_was_found() -> None:
    text = "a = [10, {b = 'x'}]\n[[c]]\nd.e = true\n"
    values = {path: text[offset:] for path, offset in locate_toml(text)[1].items()}
    assert values["a",].startswith("[10")
    assert values["a", 0].startswith("10")
    assert values["a", 1].startswith("{b")
    assert values["a", 1, "b"].startswith("'x'")
    assert values["c", 0, "d", "e"].startswith("true")


def test_each_table_of_an_array_stands_at_its_own_header() -> None:
    text = "[[a.c]]\nd = 1\n[[a.c]]\nd = 2\n"
    _, values = locate_toml(text)
    assert [values["a", "c", place] for place in (0, 1)] == [text.index("c]]"), text.rindex("c]]")]


words = st.text(alphabet="ab\"'\\[]{}#=,.\n\té", max_size=5)
values = st.recursive(
    st.integers() | words | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


def written(value: Any) -> str:
    """``value`` as TOML, in line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)} = {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[ " + ",\n".join(written(item) for item in value) + " ]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    return str(value).lower()


@given(st.dictionaries(words, values, max_size=3))
def test_whatever_tomllib_reads_is_found(data: dict[str, Any]) -> None:
    text = "".join(f"{written(key)} = {written(value)} # x\n" for key, value in data.items())
    assert tomllib.loads(text) == data
    keys, found = locate_toml(text)
    assert set(found) == set(paths(data))
    assert all(text[offset:].startswith(written(path[-1])) for path, offset in keys.items())
