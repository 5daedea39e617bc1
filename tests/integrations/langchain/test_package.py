"""What the package itself costs and offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import guardrail_langchain


def loaded_by(code: str) -> set[str]:
    """The root modules of LLM frameworks that ``code`` loads, in a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    roots = {name.partition(".")[0] for name in done.stdout.split()}
    return {name for name in roots if name.startswith(("guardrail", "lang", "openai", "httpx"))}


def test_importing_it_loads_nothing_beyond_guardrail_and_langchain_core() -> None:
    core = loaded_by("import langchain_core.language_models.chat_models")
    assert loaded_by("import guardrail_langchain") <= core | {"guardrail", "guardrail_langchain"}


@pytest.mark.parametrize("name", guardrail_langchain.__all__)
def test_every_public_name_is_there(name: str) -> None:
    pytest.importorskip("langgraph", reason="the extra langchain is not installed")
    assert getattr(guardrail_langchain, name)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match=r"module 'guardrail_langchain' has no attribute 'adaptor'"):
        _ = guardrail_langchain.adaptor  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("module", "missing"), [("graph", "langgraph"), ("review", "langgraph"), ("guard_node", "langgraph")]
)
def test_what_needs_an_extra_says_how_to_install_it(module: str, missing: str) -> None:
    code = f"import sys; sys.modules['{missing}'] = None\nfrom guardrail_langchain import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.rstrip().endswith("pip install 'guardrail-llm[langchain]'")
    assert "MissingExtra" in done.stderr
