"""An agent as another one's tool, middleware that has the last word, and a model that fails.

https://learn.microsoft.com/agent-framework/agents/tools/ and .../agents/middleware/
"""

import asyncio
from collections.abc import Awaitable, Callable

from agent_framework import Agent, FunctionInvocationContext, MiddlewareTermination, function_middleware, tool
from agent_framework.openai import OpenAIChatCompletionClient


@tool(approval_mode="never_require")
async def lookup(name: str) -> str:
    """Look somebody up."""
    await asyncio.sleep(0.01)
    return f"{name} lives in Rome"


@function_middleware
async def discreet(context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
    """Tell nobody where Ann is."""
    if context.arguments.get("name") == "Ann":
        context.result = "I may not say."
        raise MiddlewareTermination
    await call_next()


async def main() -> None:
    client = OpenAIChatCompletionClient(model="gpt-5-nano")
    detective = Agent(client, "You look people up.", id="d", name="detective", tools=[lookup], middleware=[discreet])
    boss = Agent(
        OpenAIChatCompletionClient(model="gpt-5"),
        "You answer.",
        id="b",
        name="boss",
        tools=[detective.as_tool(name="ask_detective", arg_name="question", approval_mode="never_require")],
    )
    print((await boss.run("Where is Bob?")).text)
    results = await asyncio.gather(*(detective.run(f"Where is {name}?") for name in ("Ann", "Cid")))
    print([result.text for result in results])
    try:
        await boss.run("Say too much")
    except Exception as error:
        print(type(error).__name__, "too many words" in str(error))


asyncio.run(main())

NEEDS = ["agent-framework-core>=1.23", "agent-framework-openai"]
MODEL = {
    "Where is Bob?": [[("ask_detective", {"question": "Find Bob"}, "c1")], "Bob is in Rome."],
    "Find Bob": [[("lookup", {"name": "Bob"}, "c2")], "In Rome."],
    "Where is Ann?": [[("lookup", {"name": "Ann"}, "c3")]],
    "Where is Cid?": [[("lookup", {"name": "Cid"}, "c4")], "Cid is in Rome."],
    "Say too much": [{"status": 400, "message": "too many words"}],
}
RECORD = """
session
  turn boss
    > Where is Bob?
    model gpt-5 10+2
    tool ask_detective(question=Find Bob) = In Rome.
      agent detective
        model gpt-5-nano 10+2
        tool lookup(name=Bob) = Bob lives in Rome
        model gpt-5-nano 10+2
    model gpt-5 10+2
    < Bob is in Rome.
session
  turn boss ERROR ("<class 'agent_framework_openai._chat_completion_client.OpenAIChatCompletionClient'> service failed to complete the prompt: Error code: 400 - too many words", BadRequestError('Error code: 400 - too many words'))
    > Say too much
    model gpt-5 ERROR ("<class 'agent_framework_openai._chat_completion_client.OpenAIChatCompletionClient'> service failed to complete the prompt: Error code: 400 - too many words", BadRequestError('Error code: 400 - too many words'))
session
  turn detective
    > Where is Ann?
    model gpt-5-nano 10+2
    tool lookup(name=Ann) = I may not say. SKIPPED Middleware terminated execution.
session
  turn detective
    > Where is Cid?
    model gpt-5-nano 10+2
    tool lookup(name=Cid) = Cid lives in Rome
    model gpt-5-nano 10+2
    < Cid is in Rome.
"""
