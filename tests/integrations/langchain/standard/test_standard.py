"""LangChain's own standard tests of chat models, on a guarded `ChatOpenAI` in front of a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integrations.langchain.guarded import scripted_guard
from tests.integrations.langchain.standard.obliging import answer
from tests.integrations.openai.upstream import serve

pytest.importorskip("langchain_tests", reason="langchain-tests is not installed: make test-langchain")
pytest.importorskip("langchain_openai", reason="langchain-openai is not installed: make test-langchain")

from langchain_core.load import dumpd
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import SecretStr

import guardrail

# They try what is deprecated too.
pytestmark = pytest.mark.filterwarnings("default")
GUARD = scripted_guard()
KEY = "not-a-key"


def guarded_class() -> Any:
    """The class of a guarded `ChatOpenAI`: what it makes is guarded too."""
    return type(guardrail.wrap(ChatOpenAI(model="m", api_key=SecretStr(KEY)), GUARD))


class _Guarded:
    @property
    def chat_model_class(self) -> Any:
        return guarded_class()

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "m", "api_key": KEY}


class TestUnit(_Guarded, ChatModelUnitTests):
    """Without a server."""

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        env = {"OPENAI_API_KEY": "from-env", "OPENAI_API_BASE": "http://127.0.0.1:1/v1"}
        return env, {"model": "m"}, {"openai_api_key": "from-env", "openai_api_base": "http://127.0.0.1:1/v1"}

    @pytest.fixture
    def snapshot(self) -> Any:
        """What a guarded model is written as: the same as the model itself."""
        bare: Any = ChatOpenAI(**{**self.standard_chat_model_params, **self.chat_model_params})
        return lambda name: dumpd(bare)


class TestIntegration(_Guarded, ChatModelIntegrationTests):
    """With one."""

    url = ""

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        with serve() as upstream:
            upstream.answer = answer
            type(self).url = upstream.url
            yield

    @pytest.fixture
    def model(self, request: Any, _server: None) -> Any:
        more = getattr(request, "param", None) or {}
        return self.chat_model_class(**self.standard_chat_model_params, **self.chat_model_params, **more)

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "m", "api_key": KEY, "base_url": self.url, "stream_usage": True}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "another"

    @property
    def supports_image_inputs(self) -> bool:
        return False
