"""The same chat model, seen as another class, or with some of its fields set otherwise."""

from __future__ import annotations

from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel

__all__ = ["seen_as", "with_fields"]

Model = TypeVar("Model", bound=BaseChatModel)
_SLOTS = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")


def seen_as(kind: type[Model], model: BaseChatModel) -> Model:
    """``model`` as one of ``kind``: an object that shares all of its state, fields that are set later included."""
    view = kind.__new__(kind)
    for slot in _SLOTS:
        object.__setattr__(view, slot, getattr(model, slot))
    return view


def with_fields(model: Model, **fields: Any) -> Model:
    """``model`` with some ``fields`` of its own; what it holds else is shared, and nothing is validated."""
    view = seen_as(type(model), model)
    object.__setattr__(view, "__dict__", {**model.__dict__, **fields})
    return view
