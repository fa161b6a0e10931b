"""Dependencies, tools that the model must call again, an agent asked by another's tool, and limits of what is used.

https://ai.pydantic.dev/multi-agent-applications/#agent-delegation and https://ai.pydantic.dev/dependencies/
"""

import asyncio
from dataclasses import dataclass

from pydantic_ai import Agent, ModelRetry, RunContext, Tool, UsageLimitExceeded, UsageLimits
from pydantic_ai.tools import ToolDefinition


@dataclass
class Deps:
    names: dict[str, int]
    grown_up: bool


jokes = Agent("openai-chat:gpt-5-nano", name="jokes", deps_type=Deps, output_type=list[str])


@jokes.tool
async def get_jokes(context: RunContext[Deps], count: int) -> str:
    """Fetch jokes."""
    return ", ".join(sorted(context.deps.names)[:count])


async def joke_factory(context: RunContext[Deps], count: int) -> list[str]:
    """Make jokes."""
    result = await jokes.run(f"Please make {count} jokes.", deps=context.deps, usage=context.usage)
    return result.output


def find_user(context: RunContext[Deps], name: str) -> int:
    """Find a user's number."""
    if name not in context.deps.names:
        raise ModelRetry(f"No user {name!r}: use the full name.")
    return context.deps.names[name]


async def if_grown_up(context: RunContext[Deps], definition: ToolDefinition) -> ToolDefinition | None:
    return definition if context.deps.grown_up else None


def buy(user: int, what: str) -> str:
    """Buy something."""
    raise ValueError(f"user {user} has no money for {what}")


host = Agent(
    "openai-chat:gpt-5",
    name="host",
    deps_type=Deps,
    tools=[Tool(joke_factory), Tool(find_user, max_retries=2), Tool(buy, prepare=if_grown_up)],
)


@host.instructions
def who_is_there(context: RunContext[Deps]) -> str:
    return f"{len(context.deps.names)} guests are here."


async def main() -> None:
    deps = Deps({"John Doe": 7, "Jane Roe": 8}, grown_up=True)
    result = await host.run("Tell John a joke", deps=deps, usage_limits=UsageLimits(request_limit=9))
    print(result.output, result.usage.requests, result.usage.input_tokens)
    for asked, limits in [("Buy beer for 7", None), ("Talk on and on", UsageLimits(request_limit=1))]:
        try:
            await host.run(asked, deps=deps, usage_limits=limits)
        except (ValueError, UsageLimitExceeded) as error:
            print(type(error).__name__, error)


asyncio.run(main())

NEEDS = ["pydantic-ai-slim>=2", "openai>=2"]
MODEL = [
    [("find_user", {"name": "John"}, "h1")],
    [("find_user", {"name": "John Doe"}, "h2"), ("joke_factory", {"count": 1}, "h3")],
    [("get_jokes", {"count": 1}, "j1")],
    [("final_result", {"response": ["Jane Roe walks into a bar"]}, "j2")],
    "Jane Roe walks into a bar!",
    [("buy", {"user": 7, "what": "beer"}, "h4")],
    [("find_user", {"name": "Jane Roe"}, "h5")],
]
RECORD = """
session
  turn host
    > Tell John a joke
    model gpt-5 10+2
    tool find_user(name=John) = No user 'John': use the full name. ERROR No user 'John': use the full name.
    model gpt-5 10+2
    tool find_user(name=John Doe) = 7
    tool joke_factory(count=1) = ["Jane Roe walks into a bar"]
      agent jokes
        model gpt-5-nano 10+2
        tool get_jokes(count=1) = Jane Roe
        model gpt-5-nano 10+2
    model gpt-5 10+2
    < Jane Roe walks into a bar!
session
  turn host ERROR The next request would exceed the request_limit of 1. Consider raising the limit, or see the docs on usage limits for budget-aware patterns: https://pydantic.dev/docs/ai/core-concepts/agent/#usage-limits
    > Talk on and on
    model gpt-5 10+2
    tool find_user(name=Jane Roe) = 8
session
  turn host ERROR user 7 has no money for beer
    > Buy beer for 7
    model gpt-5 10+2
    tool buy(user=7, what=beer) ERROR user 7 has no money for beer
"""
