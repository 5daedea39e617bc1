"""What the parts of a policy have in common: frozen, strict, with errors that say how to mend. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from guardrail.errors import PolicyError
from guardrail.policy.problems import Problem, key_of, problems_of, refuse

__all__ = ["Base", "Count", "Few", "Maybe", "NoneWord", "Part", "Positive", "Share", "Temperature", "one_error"]

T = TypeVar("T")


def one_error(problems: list[PolicyError]) -> PolicyError:
    """One error that tells all of ``problems``, a line each; its place is the first one's."""
    first = problems[0]
    text = "\n".join([first.problem, *(str(problem) for problem in problems[1:])])
    return PolicyError(text, file=first.file, line=first.line, column=first.column, key=first.key)


def _file_name(name: str) -> str:
    """The key of a field in files: ``with_`` is written ``with``."""
    return name.rstrip("_")


class Part(BaseModel):
    """A part of a policy. Raises `PolicyError` when it is made with what cannot be."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=_file_name,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    def __init__(self, **data: Any) -> None:
        problems: list[Problem] = []
        try:
            super().__init__(**data)
        except ValidationError as error:
            problems = problems_of(error, type(self), data)
        # Raised out here, so that no value hangs on to the error as its context.
        if problems:
            raise one_error([PolicyError(p.message, key=key_of(p.path) or type(self).__name__) for p in problems])

    # Without this mark pydantic would make nested parts by calling them, and lose their place in the whole.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def but(self, **changes: Any) -> Self:
        """A copy with ``changes``, checked like a new one."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | changes)


class NoneWord:
    """Lets files say ``none`` where there may be no value: TOML has no null, YAML's is often a slip.

    ``word`` is written in place of ``none`` where it says better what happens then.
    """

    def __init__(self, word: str = "none") -> None:
        self.word = word

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: None if value == self.word else value,
            handler(source),
            serialization=core_schema.wrap_serializer_function_ser_schema(
                lambda value, inner: self.word if value is None else inner(value),
                schema=handler(source),
                when_used="json",
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        choices = found.pop("anyOf")
        return {**found, "anyOf": [{"const": self.word} if c == {"type": "null"} else c for c in choices]}


Maybe = Annotated[T | None, NoneWord()]
"""A value, or ``none``."""


def _number(value: object) -> object:
    # Python takes True for 1, and so would pydantic: `sample: yes` must not mean all of them.
    if isinstance(value, bool):
        raise refuse("must be a number")
    return value


Count = Annotated[int, Field(ge=1), BeforeValidator(_number)]
"""A whole number, 1 or more."""
Few = Annotated[int, Field(ge=1, le=20), BeforeValidator(_number)]
"""A whole number from 1 to 20."""
Temperature = Annotated[float, Field(gt=0, le=2), BeforeValidator(_number)]
"""How freely an LLM chooses its words: a number above 0, at most 2."""
Base = Annotated[float, Field(ge=1), BeforeValidator(_number)]
"""A number, 1 or more."""
Positive = Annotated[float, Field(gt=0), BeforeValidator(_number)]
"""A number above 0."""
Share = Annotated[float, Field(ge=0, le=1), BeforeValidator(_number)]
"""A number from 0 to 1."""
