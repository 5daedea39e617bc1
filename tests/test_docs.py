"""Every snippet of README.md, docs/ and integrations/ is run or loaded, in order, a namespace to a page.

Snippets talk to a scripted LLM on the loopback interface, which the SDK finds through its own environment variables.
Policies are loaded; one that begins with ``# <name>.yaml`` is a file of that name for the rest of its page.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

import guardrail
from tests.integrations.openai.upstream import Reply, Upstream, chunks, completion, response, response_events, serve

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("integrations/*/README.md")])
OF_EXTRAS = {"langchain.md": "langgraph"}
"""Pages whose snippets need what an extra brings; `make test` installs it."""
DRAFTS = ("Refunds are possible within 60 days of delivery.", "Refunds are possible within 30 days of delivery.")
# Pages leave their clients open, as short programs do; what they leave is collected here, not in some later test.
LEAVES_CLIENTS_OPEN = pytest.mark.filterwarnings("ignore::ResourceWarning")
NAMED = re.compile(r"# (?P<name>[\w./-]+\.(ya?ml|toml|json))$")


def answer(body: dict[str, Any], number: int) -> Reply:
    """What the scripted LLM says: a wrong draft first, then a right one."""
    text = DRAFTS[min(number, len(DRAFTS) - 1)]
    if "messages" in body:
        return chunks(text) if body.get("stream") else Reply(completion(text))
    return response_events(text) if body.get("stream") else Reply(response(text))


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    with serve() as upstream:
        upstream.answer = answer
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        monkeypatch.setenv("KLUSTER_API_KEY", "not-a-key")
        yield upstream
        gc.collect()


def load_policy(example: Example) -> None:
    text = str(example.parsed)
    if named := NAMED.match(text.splitlines()[0]):
        Path(named["name"]).write_text(text, encoding="utf-8")
        guardrail.load_policy(named["name"])
    elif "version:" in text:
        Path("snippet.yaml").write_text(text, encoding="utf-8")
        guardrail.load_policy("snippet.yaml")


def page(path: Path) -> Document:
    return Document.parse(str(path), PythonCodeBlockParser(), CodeBlockParser("yaml", load_policy), SkipParser())


@LEAVES_CLIENTS_OPEN
@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_snippet_of_the_page_does_what_it_says(
    path: Path, llm: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if needed := OF_EXTRAS.get(path.name):
        pytest.importorskip(needed, reason="the extra is not installed")
    monkeypatch.chdir(tmp_path)
    for example in page(path).examples():
        example.evaluate()


@LEAVES_CLIENTS_OPEN
def test_the_first_example_of_the_readme_is_a_guarded_call(
    llm: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    next(page(ROOT / "README.md").examples()).evaluate()
    assert llm.paths[0].endswith("/chat/completions")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_of_the_project_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_readme_shows_its_first_example_on_the_first_screen() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start = text.index("```python")
    assert text[: text.index("```", start + 3)].count("\n") <= 40
