"""What the caller gives as evidence: ``with guardrail.evidence(docs): ...``.

The documents live in a `contextvars.ContextVar`: they are seen by all that runs inside the block,
tasks started there included. A plain thread starts with an empty context; run its work with
``contextvars.copy_context().run``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from guardrail.conversation import Evidence
from guardrail.errors import ConfigError
from guardrail.grounding import as_evidence

__all__ = ["evidence", "given"]

_given: ContextVar[tuple[Evidence, ...]] = ContextVar("guardrail_given", default=())


@contextmanager
def evidence(docs: object) -> Iterator[tuple[Evidence, ...]]:
    """Give evidence to every guarded call in the block, besides what the conversation holds.

    Blocks nest: an inner one adds. Plain ``with``, in asynchronous code too.

    Args:
        docs: One document or an iterable of them: a string, an `Evidence`, a mapping with a ``text``,
            ``content``, ``page_content`` ... (and ``title``, ``url``), or an object with
            ``page_content`` such as LangChain's ``Document``.

    Yields:
        All evidence given so far, that of outer blocks included.

    Raises:
        ConfigError: A document holds no text; the message names its index and type.
    """
    token = _given.set(_given.get() + _read(docs))
    try:
        yield _given.get()
    finally:
        _given.reset(token)


def given() -> tuple[Evidence, ...]:
    """The evidence of all blocks that the caller is in, outermost first."""
    return _given.get()


def _read(docs: object) -> tuple[Evidence, ...]:
    if not isinstance(docs, Iterable) or isinstance(docs, str | bytes | Mapping) or _is_document(docs):
        return (as_evidence(docs),)
    return tuple(_read_one(item, index) for index, item in enumerate(docs))


def _is_document(docs: object) -> bool:
    """pydantic models, LangChain's documents among them, are iterable over their fields."""
    return hasattr(docs, "page_content") or hasattr(docs, "model_fields")


def _read_one(item: object, index: int) -> Evidence:
    try:
        return as_evidence(item)
    except ConfigError as error:
        raise ConfigError(f"evidence[{index}]: {error}") from error
