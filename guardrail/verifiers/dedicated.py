"""`DedicatedVerifier`: a reliability service's own endpoint, ``POST BASE_URL/verify/reliability``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from guardrail.verdict import Status, Verdict
from guardrail.verifiers.deadlines import Deadline
from guardrail.verifiers.endpoint import Endpoint, address
from guardrail.verifiers.protocol import Check
from guardrail.verifiers.reliability import context, messages_body, prompt_body, read_reply
from guardrail.verifiers.reply import Reply

__all__ = ["DedicatedVerifier"]


class DedicatedVerifier:
    """Asks a reliability service for a verdict. One call is one attempt.

    Args:
        base_url: Where the API is, ``/v1`` included.
        api_key: Sent as a bearer token; None: none is sent. It is never printed.
        model: Sent along where it is given.
        body: ``prompt``: prompt, output and context; ``messages``: the conversation, the answer last.
        search: Whether to ask for the results of the service's searches; they are evidence of the verdict.
        timeout: Seconds for the whole call; less where ``check.remaining`` is less.
        headers: Sent with each request.
        id: What it is called in reports.
        transport: An object of the HTTP library that carries the requests instead of its own.

    With evidence the service judges by that alone; without, by what it knows and finds. Verdicts are yes or
    no: the risk is exactly 1 or 0, and there are no findings. Raises `ConfigError` when the URL, key or a
    header cannot be sent.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str | None = None,
        model: str | None = None,
        body: Literal["prompt", "messages"] = "prompt",
        search: bool = False,
        timeout: float = 15.0,
        headers: Mapping[str, str] | None = None,
        id: str = "dedicated",
        transport: Any = None,
    ) -> None:
        self._model, self._body, self._search = model, body, search
        self._timeout, self._id = timeout, id
        url = address(base_url, "/verify/reliability")
        self._endpoint = Endpoint(url, key=api_key, headers=headers or {}, transport=transport)

    def __repr__(self) -> str:
        return f"DedicatedVerifier({self._endpoint.url!r})"

    @property
    def id(self) -> str:
        """``dedicated``."""
        return self._id

    @property
    def version(self) -> str:
        """The form of the body, and the model where one is named."""
        return f"{self._body}:{self._model}" if self._model else self._body

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError` when there is no verdict, and nothing of the HTTP library's."""
        deadline = self._deadline(check)
        if not check.turn.text.strip():
            return self._signed(_NO_CLAIM, deadline)
        reply = self._endpoint.post(self._request(check), deadline)
        return self._signed(self._read(reply, check), deadline)

    async def averify(self, check: Check) -> Verdict:
        """The same on the event loop. Cancelling it closes the connection."""
        deadline = self._deadline(check)
        if not check.turn.text.strip():
            return self._signed(_NO_CLAIM, deadline)
        reply = await self._endpoint.apost(self._request(check), deadline)
        return self._signed(self._read(reply, check), deadline)

    def _deadline(self, check: Check) -> Deadline:
        return Deadline(self._timeout if check.remaining is None else min(self._timeout, check.remaining))

    def _request(self, check: Check) -> bytes:
        asked = messages_body(check) if self._body == "messages" else prompt_body(check)
        named = {"model": self._model} if self._model else {}
        request = {**named, **asked, "return_search_results": self._search}
        # Half of a surrogate pair, which a cut answer may hold, is no Unicode text: it goes out as "?".
        return json.dumps(request, ensure_ascii=False).encode("utf-8", "replace")

    def _read(self, reply: Reply, check: Check) -> Verdict:
        if reply.status != 200:
            raise reply.error()
        held = check.evidence if self._body == "messages" else context(check)
        return read_reply(reply.body, check, held=held)

    def _signed(self, verdict: Verdict, deadline: Deadline) -> Verdict:
        return replace(verdict, verifier=self.id, version=self.version, latency=deadline.spent())

    def close(self) -> None:
        """Close the connections of threads."""
        self._endpoint.close()

    async def aclose(self) -> None:
        """Close those, and the connections of the running event loop."""
        await self._endpoint.aclose()


_NO_CLAIM = Verdict(Status.RELIABLE, explanation="no_claim")
