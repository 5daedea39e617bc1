"""What `import guardrail` gives, and what it costs."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import guardrail

HEAVY = (
    "asyncio",
    "guardrail_openai",
    "httpx",
    "httpx2",
    "langchain_core",
    "logging",
    "numpy",
    "onnxruntime",
    "openai",
    "pydantic",
    "tenacity",
    "tokenizers",
    "yaml",
)
MEASURE = "import time; start = time.process_time(); {}; print((time.process_time() - start) * 1000)"


def fresh(code: str) -> str:
    """What ``code`` prints in a Python of its own, where a warning is an error."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def public_imports() -> dict[str, tuple[str, str]]:
    """The imports that type checkers see: public name -> (module, name there)."""
    tree = ast.parse(Path(str(guardrail.__file__)).read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("guardrail.")
        for alias in node.names
    }


def test_every_public_name_is_what_type_checkers_see() -> None:
    seen = public_imports()
    assert sorted([*seen, "__version__"]) == sorted(guardrail.__all__)
    for name, (module, there) in seen.items():
        assert getattr(guardrail, name) is getattr(importlib.import_module(module), there), name


def test_public_names_are_listed_once_and_shown_by_dir() -> None:
    assert len(set(guardrail.__all__)) == len(guardrail.__all__)
    assert set(guardrail.__all__) <= set(dir(guardrail))


def test_a_star_import_gives_all_of_them() -> None:
    got = fresh("from guardrail import *\nprint(*sorted(n for n in dir() if n == '__version__' or n[0] != '_'))")
    assert got.split() == sorted(guardrail.__all__)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match=r"module 'guardrail' has no attribute 'wrapp'"):
        _ = guardrail.wrapp  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", guardrail.__all__)
def test_no_module_that_the_library_loads_hides_a_public_name(name: str) -> None:
    """A submodule becomes an attribute of its package when it is imported, over a lazy name of the same spelling."""
    assert importlib.util.find_spec(f"guardrail.{name}") is None


def test_evidence_is_still_the_context_manager_once_everything_is_loaded() -> None:
    got = fresh(
        "import guardrail, guardrail.cli.check, guardrail_openai\n"
        "with guardrail.evidence('Paris is the capital of France.') as docs: print(len(docs))"
    )
    assert got == "1"


def test_importing_it_loads_nothing_heavy() -> None:
    loaded = fresh("import sys, guardrail\nprint(*sys.modules)").split()
    assert not [name for name in loaded if name.partition(".")[0] in HEAVY]
    assert [name for name in loaded if name.startswith("guardrail")] == ["guardrail"]


def test_importing_it_costs_next_to_nothing() -> None:
    """Processor time differs between machines, so it is printed; that nothing is loaded is what is held."""
    cost = min(float(fresh(MEASURE.format("import guardrail"))) for _ in range(3))
    print(f"\nimport guardrail: {cost:.1f} ms of CPU above bare Python")
    assert cost < 1000


def test_values_can_be_used_without_loading_what_performs_effects() -> None:
    code = "import sys, guardrail; guardrail.Message, guardrail.Verdict, guardrail.BlockedError; print(*sys.modules)"
    loaded = fresh(code).split()
    assert not [name for name in loaded if name.partition(".")[0] in HEAVY]


def test_the_version_is_the_distribution_s() -> None:
    from importlib.metadata import version

    assert version("guardrail-llm") == guardrail.__version__
