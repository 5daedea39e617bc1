"""What guarding a LangChain chain or agent costs: `python -m benchmarks.chains`, beside the same one unguarded.

Five interleaved rounds, call by call in turn. The share is what guarding adds, the judge's call included, held against
the floor: an LLM's and a judge's call by hand, through the OpenAI SDK. Needs langchain and langchain-openai.
"""

from __future__ import annotations

import asyncio
import platform
import statistics
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import guardrail
from benchmarks.__main__ import CALLS, Rounds, in_turn, in_turn_async, show, upstream
from benchmarks.calls import FLOOR, AsyncCall, Call, asked, async_call, call, judged

CHAIN, GUARDED_CHAIN, OWN_CHAIN = "a chain, unguarded", "the chain, guarded", "the chain, with a judge by hand"
AGENT, GUARDED_AGENT, OWN_AGENT = "an agent, unguarded", "the agent, guarded", "the agent, with a judge by hand"
NAMES = (FLOOR, CHAIN, GUARDED_CHAIN, OWN_CHAIN, AGENT, GUARDED_AGENT, OWN_AGENT)

Judge = Callable[[str], object]
AsyncJudge = Callable[[str], Awaitable[object]]


def guard(url: str) -> guardrail.Guard:
    """The judge at ``url``, asked as the floor asks it."""
    judge = {"kind": "chat", "dialect": "kluster", "model": "judge", "base_url": url}
    return guardrail.Guard(guardrail.load_policy({"version": 1, "verifiers": {"main": judge}}))


def model(url: str, name: str = "llm") -> Any:
    """A chat model in front of the upstream."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=name, base_url=url, api_key="none")  # type: ignore[arg-type]


def chain(name: str, url: str) -> Any:
    """A chat model; alone, guarded, or followed by a step that asks the judge."""
    if name == GUARDED_CHAIN:
        return guardrail.wrap(model(url), guard(url))
    if name == CHAIN:
        return model(url)
    from langchain_core.runnables import RunnableLambda

    judge, ajudge = by_hand(url)

    def judge_it(message: Any) -> Any:
        judge(message.content)
        return message

    async def ajudge_it(message: Any) -> Any:
        await ajudge(message.content)
        return message

    return model(url) | RunnableLambda(judge_it, ajudge_it)


def agent(name: str, url: str) -> Any:
    """An agent without tools; alone, with this project's middleware, or with one that asks the judge."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import AgentMiddleware

    from guardrail_langchain.middleware import GuardrailMiddleware

    if name == AGENT:
        return create_agent(model(url), tools=[])
    if name == GUARDED_AGENT:
        return create_agent(model(url), tools=[], middleware=[GuardrailMiddleware(guard(url))])
    judge, ajudge = by_hand(url)

    class Judging(AgentMiddleware):  # type: ignore[type-arg,misc,unused-ignore]
        def after_model(self, state: Any, runtime: Any) -> None:
            judge(state["messages"][-1].content)

        async def aafter_model(self, state: Any, runtime: Any) -> None:
            await ajudge(state["messages"][-1].content)

    return create_agent(model(url), tools=[], middleware=[Judging()])


def by_hand(url: str) -> tuple[Judge, AsyncJudge]:
    """The judge, asked through a chat model as LangChain's users would."""
    asking = model(url, "judge").bind(response_format={"type": "json_object"})

    def judge(answer: str) -> object:
        return asking.invoke(judged(asked(), answer)["messages"])

    async def ajudge(answer: str) -> object:
        return await asking.ainvoke(judged(asked(), answer)["messages"])

    return judge, ajudge


def one(name: str, url: str) -> Call:
    """The call ``name``, synchronous."""
    if name == FLOOR:
        return call(name, url)
    if name in (CHAIN, GUARDED_CHAIN, OWN_CHAIN):
        made = chain(name, url)
        return lambda: made.invoke(asked())
    made = agent(name, url)
    return lambda: made.invoke({"messages": asked()})


def aone(name: str, url: str) -> AsyncCall:
    """The same for an event loop."""
    if name == FLOOR:
        return async_call(name, url)
    if name in (CHAIN, GUARDED_CHAIN, OWN_CHAIN):
        made = chain(name, url)
        return lambda: made.ainvoke(asked())
    made = agent(name, url)
    return lambda: made.ainvoke({"messages": asked()})


def shares(rounds: Rounds) -> None:
    """What guarding adds, as a share of the floor of the same round: by time and by CPU."""
    for bare, guarded in ((CHAIN, GUARDED_CHAIN), (AGENT, GUARDED_AGENT)):
        for column, unit in ((0, "time"), (1, "CPU")):
            added = [
                (mine[column] - theirs[column]) / floor[column]
                for mine, theirs, floor in zip(rounds[guarded], rounds[bare], rounds[FLOOR], strict=True)
            ]
            shown = " ".join(f"{share:6.2f}" for share in added)
            print(f"{guarded + ', added ' + unit + ' as a share':48}{shown:36}{statistics.median(added):7.2f}")


async def _asynchronous(url: str) -> Rounds:
    return await in_turn_async({name: aone(name, url) for name in NAMES}, CALLS)


def main() -> None:
    """Measure, and print as it goes."""
    names = ("guardrail-llm", "langchain", "langchain-core", "langchain-openai", "langgraph", "openai")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in names))
    with upstream() as url:
        rounds = in_turn({name: one(name, url) for name in NAMES}, CALLS)
        show("one after the other", "ms", rounds)
        shares(rounds)
        rounds = asyncio.run(_asynchronous(url))
        show("the same, async", "ms", rounds)
        shares(rounds)


if __name__ == "__main__":
    main()
