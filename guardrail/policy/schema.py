"""The JSON Schema of policy files, for editors: ``python -m guardrail.policy.schema`` prints it.

``schema.json`` beside this file is what it prints, and a test keeps the two the same. The schema knows
less than `load`: which names exist, what ends a list of steps, and so on, only `load` checks.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import CoreSchema

from guardrail.policy import (
    caching,
    cases,
    composed,
    consistency,
    custom,
    dedicated,
    judges,
    knowledge,
    model,
    retries,
    routing,
    rules,
    thresholds,
)
from guardrail.policy.durations import PATTERN
from guardrail.policy.model import Policy
from guardrail.policy.presets import PRESETS
from guardrail.policy.rules import ACTIONS
from guardrail.verdict import Cause

__all__ = ["json_schema"]

_Schema = dict[str, Any]
_REFERENCE = {"$ref": "#/$defs/Reference"}
_DURATION: _Schema = {"type": "string", "pattern": PATTERN, "examples": ["8s", "250ms"]}


def json_schema() -> _Schema:
    """The JSON Schema of a policy file (draft 2020-12)."""
    schema = Policy.model_json_schema(by_alias=True, schema_generator=_Generator)
    parts: _Schema = schema["$defs"]
    for name, words in _documented():
        _describe(schema if name == "Policy" else parts.get(name, {}), words)
    for name, short in _SHORT_FORMS.items():
        parts[name] = {"anyOf": [short, parts[name]]}
    _widen(parts)
    schema["properties"] = {"extends": _EXTENDS, **schema["properties"]}
    schema["required"] = ["version"]
    parts["Reference"] = {"type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}$"}
    step = parts["Step"]["anyOf"][1]["properties"]
    step["do"] = {"description": step["do"]["description"], "enum": list(ACTIONS)}
    del parts["Action"]
    finished = {"$schema": GenerateJsonSchema.schema_dialect, **_with_references(schema)}
    finished["$defs"]["Duration"] = _or_reference(_DURATION)
    return finished


class _Generator(GenerateJsonSchema):
    """pydantic's own, without the titles and defaults that files have no use for."""

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> _Schema:
        plain: _Schema = _plain(super().generate(schema, mode))
        return plain


_TEXT: _Schema = {"type": "string"}
_SHORT_FORMS: dict[str, _Schema] = {
    "Step": {"enum": list(ACTIONS)},
    "Threshold": {"type": "number", "minimum": 0, "maximum": 1},
    "Wait": {"const": "none"},
    "Passage": _TEXT,
    "RecordedAnswer": _TEXT,
    "RecordedFinding": _TEXT,
    "RecordedVerdict": {"enum": ["reliable", "unreliable", "unknown"]},
    "TextCheck": _TEXT,
    "Expected": {"enum": list(ACTIONS)},
}
_EXTENDS = {
    "description": "What this file builds on: a preset, a path relative to this file, or a list; later wins.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    "examples": list(PRESETS),
}


def _widen(parts: _Schema) -> None:
    """Say what else files may write: one step for a list, words for mappings, and what is filled in."""
    _widen_rules(parts["Rules"]["properties"])
    many = {"type": "array", "items": {"$ref": "#/$defs/Step"}, "minItems": 1}
    parts["Steps"] = {"anyOf": [{"$ref": "#/$defs/Step"}, many]}
    wait = parts["Wait"]["anyOf"][1]
    seconds = wait["properties"]["fixed"]
    fixed = {
        "type": "object",
        "properties": {"wait": seconds},
        "required": ["wait"],
        "additionalProperties": False,
    }
    wait["properties"]["fixed"] = {"description": seconds.pop("description"), "anyOf": [seconds, fixed]}
    wait["maxProperties"] = 1
    parts["Stop"]["minProperties"] = 1
    parts["Target"] |= {"minProperties": 1, "maxProperties": 1}
    chat = parts["ChatSpec"]
    chat["required"] = ["kind", "dialect"]
    chat["if"] = {"properties": {"dialect": {"const": "kluster"}}}
    chat["else"] = {"required": ["model", "base_url"]}
    for name in (
        "EmbeddedSpec",
        "DedicatedSpec",
        "CascadeSpec",
        "PanelSpec",
        "ConsistencySpec",
        "KnowledgeSpec",
        "CustomSpec",
    ):
        parts[name]["required"] = ["kind", *parts[name].get("required", ())]
    parts["PanelSpec"]["properties"]["members"] |= {"minItems": 2, "uniqueItems": True}
    parts["CustomSpec"]["properties"]["name"] |= {"pattern": "^[^:]+$"}
    for kind in ("any", "all"):
        parts["Stop"]["properties"][kind]["minItems"] = 1
    for kind in ("chain", "combine"):
        wait["properties"][kind]["minItems"] = 1


def _widen_rules(properties: _Schema) -> None:
    steps = {"$ref": "#/$defs/Steps"}
    causes = ["default", *(cause.value for cause in Cause)]
    by_cause = {"type": "object", "properties": dict.fromkeys(causes, steps), "additionalProperties": False}
    written: dict[str, _Schema] = {
        "on_unreliable": steps,
        "on_unknown": steps,
        "on_error": {"anyOf": [steps, by_cause]},
    }
    for key, schema in written.items():
        described = {"description": properties[key]["description"]} if "description" in properties[key] else {}
        properties[key] = {**described, **schema}


def _plain(node: Any, *, named: bool = False) -> Any:
    """``node`` without titles, defaults and nulls; ``named``: its keys are names, not JSON Schema's words."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("description"), str):
        node = {**node, "description": node["description"].partition("\n")[0].replace("``", "`")}
    plain = {
        key: _plain(value, named=not named and key in ("properties", "$defs"))
        for key, value in node.items()
        if named or key not in ("title", "default")
    }
    choices = plain.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        plain["anyOf"] = [choice for choice in choices if choice != {"type": "null"}]
        if len(plain["anyOf"]) == 1:
            plain |= plain.pop("anyOf")[0]
    return plain


def _with_references(node: Any) -> Any:
    """``node`` where whatever is not plain text may be a reference to the environment too."""
    if isinstance(node, list):
        return [_with_references(item) for item in node]
    if not isinstance(node, dict):
        return node
    inner = {key: value if key == "Reference" else _with_references(value) for key, value in node.items()}
    if inner.get("pattern") == _DURATION["pattern"]:
        return {**{k: v for k, v in inner.items() if k not in _DURATION}, "$ref": "#/$defs/Duration"}
    if inner.get("type") in ("integer", "number", "boolean") or isinstance(inner.get("enum"), list):
        return _or_reference(inner)
    if isinstance(inner.get("anyOf"), list):
        inner["anyOf"] = [flat for choice in inner["anyOf"] for flat in _flat(choice)]
    return inner


def _flat(choice: _Schema) -> list[_Schema]:
    """The choices that ``choice`` is made of."""
    return choice["anyOf"] if list(choice) == ["anyOf"] else [choice]


def _or_reference(node: _Schema) -> _Schema:
    outer = {key: node[key] for key in ("description",) if key in node}
    return {**outer, "anyOf": [{k: v for k, v in node.items() if k not in outer}, _REFERENCE]}


def _describe(schema: _Schema, words: dict[str, str]) -> None:
    """Put what the model's docstrings say of each key into ``schema``."""
    properties = schema.get("properties", {})
    for name, text in words.items():
        if name in properties:
            properties[name] = {"description": text, **properties[name]}


def _documented() -> Iterator[tuple[str, dict[str, str]]]:
    """The parts of a policy, with the docstrings that stand below their fields."""
    for module in (
        model,
        caching,
        judges,
        dedicated,
        composed,
        consistency,
        knowledge,
        custom,
        rules,
        thresholds,
        retries,
        routing,
        cases,
    ):
        for name, part in inspect.getmembers(module, _is_part):
            if part.__module__ == module.__name__:
                family = [base for base in part.__mro__ if _is_part(base) and base is not BaseModel]
                yield name, {key: text for base in reversed(family) for key, text in _field_docs(base).items()}


def _is_part(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseModel)


def _field_docs(part: Callable[..., object]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(part))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[field.target.id.rstrip("_")] = " ".join(str(below.value.value).replace("``", "`").split())
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
