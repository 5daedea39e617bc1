"""One setting put into the text of a policy file; all the rest, comments and layout too, stays as it is. Pure.

YAML is edited in its text, at the places that the parser tells: editors that write the whole document anew move
comments that stand after the last key of a mapping. TOML takes tomlkit, which keeps every byte; JSON has no comments.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import yaml

from guardrail.errors import MissingExtra, PolicyError
from guardrail.policy.documents import read_document

__all__ = ["snippet", "with_setting"]

_Path: TypeAlias = Sequence[str]
_NO_WRAP = 1_000_000


def with_setting(text: str, *, suffix: str, file: str, path: _Path, value: Mapping[str, Any]) -> str:
    """``text`` with ``value`` at ``path``, in the place of what was there.

    ``suffix``: ``.yaml``, ``.yml``, ``.toml`` or ``.json``. ``file`` is named in errors.

    Raises:
        PolicyError: ``text`` cannot be read, or the setting cannot be put in without changing others.
        MissingExtra: tomlkit is needed and not installed.
    """
    wanted = _set(read_document(text, suffix=suffix, file=file).data, path, value)
    plain = text.replace("\r\n", "\n")
    edited = {".toml": _toml, ".json": _json}.get(suffix, _yaml)(plain, path, value)
    if not _says(edited, wanted, suffix, file):
        raise PolicyError("cannot be edited without changing other settings: paste it in", file=file)
    return edited.replace("\n", "\r\n") if "\r\n" in text else edited


def snippet(path: _Path, value: Mapping[str, Any], *, suffix: str = ".yaml") -> str:
    """The setting alone, as it stands in a file with the ending ``suffix``, to be pasted.

    Raises:
        MissingExtra: tomlkit is needed and not installed.
    """
    if suffix == ".toml":
        return _toml("", path, value)
    if suffix == ".json":
        return json.dumps(_nested(path, value), indent=2, ensure_ascii=False) + "\n"
    return _block(path[0], _nested(path[1:], value), 0)


def _says(text: str, wanted: Any, suffix: str, file: str) -> bool:
    try:
        return bool(read_document(text, suffix=suffix, file=file).data == wanted)
    except PolicyError:
        return False


def _set(data: Any, path: _Path, value: Mapping[str, Any]) -> Any:
    """Plain ``data`` with ``value`` at ``path``; what is no mapping on the way becomes one."""
    if not path:
        return copy.deepcopy(dict(value))
    there = dict(data) if isinstance(data, Mapping) else {}
    return {**there, path[0]: _set(there.get(path[0]), path[1:], value)}


def _nested(path: _Path, value: Mapping[str, Any]) -> dict[str, Any]:
    return {path[0]: _nested(path[1:], value)} if path else dict(value)


# YAML


def _yaml(text: str, path: _Path, value: Mapping[str, Any]) -> str:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        return _after(text, len(text), snippet(path, value))
    for depth, key in enumerate(path):
        entry = next((entry for entry in node.value if entry[0].value == key), None)
        rest = _nested(path[depth + 1 :], value)
        if entry is None:
            return _inserted(text, node, key, rest)
        if depth + 1 == len(path) or not isinstance(entry[1], yaml.MappingNode):
            return _replaced(text, node, entry, rest)
        node = entry[1]
    return text


def _inserted(text: str, node: yaml.MappingNode, key: str, value: Mapping[str, Any]) -> str:
    """``key`` as the last of ``node``."""
    end = _end(text, node)
    if node.flow_style:
        inside = end - 1 if not node.value else _end(text, node.value[-1][1])
        return f"{text[:inside]}{', ' if node.value else ''}{_flow(key, value)}{text[inside:]}"
    return _after(text, end, _block(key, value, node.value[0][0].start_mark.column))


def _replaced(text: str, node: yaml.MappingNode, entry: tuple[yaml.Node, yaml.Node], value: Mapping[str, Any]) -> str:
    key, old = entry
    head, tail = text[: key.start_mark.index], text[_end(text, old) :]
    if node.flow_style:
        return head + _flow(key.value, value) + tail
    first, *rest = _block(key.value, value, key.start_mark.column).strip().split("\n")
    comment, end, tail = tail.partition("\n")
    if old.end_mark.line == key.start_mark.line:  # the comment is that of the key's line: it stays there
        return head + "\n".join([first + comment, *rest]) + end + tail
    if not isinstance(old, yaml.ScalarNode) and old.start_mark.line > key.start_mark.line and rest:
        first = text[key.start_mark.index :].partition("\n")[0]
    if isinstance(old, yaml.CollectionNode) and not old.flow_style:
        comment = ""  # it is about the last of the old keys
    return head + "\n".join([first, *rest]) + comment + end + tail


def _after(text: str, place: int, lines: str) -> str:
    """``text`` with ``lines`` after the line of ``place``."""
    end = text.find("\n", place)
    head, tail = (text, "") if end < 0 else (text[: end + 1], text[end + 1 :])
    return head + ("" if not head or head.endswith("\n") else "\n") + lines + tail


def _end(text: str, node: yaml.Node) -> int:
    """Where ``node`` ends; the parser takes what follows a block, up to the next key, for a part of it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[:end].rstrip())
    return end


def _block(key: str, value: Mapping[str, Any], column: int) -> str:
    """Lines of YAML at ``column``."""
    dumped = _dump({key: dict(value)}, flow=None)
    return "".join(f"{' ' * column}{line}\n" for line in dumped.splitlines())


def _flow(key: str, value: Mapping[str, Any]) -> str:
    """The entry of a mapping in braces."""
    return _dump({key: dict(value)}, flow=True).strip()[1:-1]


def _dump(data: Mapping[str, Any], *, flow: bool | None) -> str:
    return str(yaml.safe_dump(data, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=_NO_WRAP))


# TOML and JSON


def _toml(text: str, path: _Path, value: Mapping[str, Any]) -> str:
    try:
        import tomlkit
        from tomlkit.items import InlineTable, Table
    except ModuleNotFoundError as error:  # any other failure is no missing package
        raise MissingExtra("editing TOML needs tomlkit: pip install 'guardrail-llm[eval]'") from error
    document = tomlkit.parse(text)
    here: Any = document
    for key in path[:-1]:
        if key not in here:
            here[key] = tomlkit.inline_table() if isinstance(here, InlineTable) else tomlkit.table(is_super_table=True)
        here = here[key]
    old = here.get(path[-1])
    if isinstance(old, Table):  # its comments stay
        for key in [key for key in old if key not in value]:
            del old[key]
        for key, item in value.items():
            old[key] = _inline(item) if isinstance(item, Mapping) else item
    else:
        here[path[-1]] = _inline(value)
    return tomlkit.dumps(document)


def _inline(value: Mapping[str, Any]) -> Any:
    import tomlkit

    table = tomlkit.inline_table()
    for key, item in value.items():
        table[key] = _inline(item) if isinstance(item, Mapping) else item
    return table


def _json(text: str, path: _Path, value: Mapping[str, Any]) -> str:
    found = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    indent = found[1] if found else None if "\n" not in text.strip() else 2
    edited = json.dumps(_set(json.loads(text), path, value), indent=indent, ensure_ascii=False)
    return edited + ("\n" if text.endswith("\n") else "")
