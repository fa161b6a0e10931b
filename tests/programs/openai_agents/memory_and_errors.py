"""Sessions in SQLite, traces that group runs, agents as tools side by side, and what goes wrong: limits, tools, answers.

https://openai.github.io/openai-agents-python/sessions/ and https://openai.github.io/openai-agents-python/running_agents/
"""

import asyncio

from agents import (
    Agent,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelSettings,
    OpenAIChatCompletionsModel,
    RunConfig,
    Runner,
    SQLiteSession,
    UserError,
    function_tool,
    trace,
)
from openai import AsyncOpenAI, BadRequestError
from pydantic import BaseModel


class City(BaseModel):
    name: str


@function_tool
def weather(city: str) -> str:
    """Say the weather."""
    raise ConnectionError(f"no station in {city}")


@function_tool(failure_error_function=None)
def alarm() -> str:
    """Ring."""
    raise RuntimeError("the bell is broken")


client = AsyncOpenAI(max_retries=1)
spanish = Agent(name="Spanish", instructions="Translate to Spanish.", model="gpt-5-nano")
french = Agent(name="French", instructions="Translate to French.", model="gpt-5-nano")
assistant = Agent(
    name="Assistant",
    instructions="Reply very concisely.",
    model=OpenAIChatCompletionsModel("gpt-5", client),
    model_settings=ModelSettings(parallel_tool_calls=True),
    tools=[
        weather,
        alarm,
        spanish.as_tool("to_spanish", "Translates to Spanish"),
        french.as_tool("to_french", "Translates to French"),
    ],
)
geographer = Agent(name="Geographer", output_type=City, model="gpt-5-mini")


async def main() -> None:
    session = SQLiteSession("conversation-123")
    for asked in ["What city is the Golden Gate Bridge in?", "How is the weather there?"]:
        print((await Runner.run(assistant, asked, session=session)).final_output)
    with trace("Translations", group_id="thread-7"):
        print((await Runner.run(assistant, "Say good morning in two languages")).final_output)
        print((await Runner.run(geographer, "Where is that said?")).final_output)
    for agent, asked, limit in [
        (geographer, "And then?", 10),
        (assistant, "Is it raining?", 1),
        (assistant, "Ring!", 3),
    ]:
        try:
            await Runner.run(agent, asked, max_turns=limit, run_config=RunConfig(workflow_name="Trials"))
        except (MaxTurnsExceeded, ModelBehaviorError, UserError) as error:
            print(type(error).__name__)
    try:
        result = Runner.run_streamed(geographer, "What is forbidden?")
        async for _event in result.stream_events():
            pass
    except BadRequestError as error:
        print(error.status_code)


asyncio.run(main())

NEEDS = ["openai-agents>=0.20"]
MODEL = {
    "Translate to Spanish.": ["buenos días"],
    "Translate to French.": ["bonjour"],
    "Reply very concisely.": [
        "San Francisco",
        {"status": 429, "message": "slow down", "retry_after_s": 0.01},
        [("weather", {"city": "San Francisco"}, "w1")],
        "I cannot say.",
        [("to_spanish", {"input": "good morning"}, "t1"), ("to_french", {"input": "good morning"}, "t2")],
        "Buenos días, bonjour.",
        [("weather", {"city": "Lima"}, "w2")],
        [("alarm", {}, "a1")],
    ],
    "gpt-5-mini": ['{"name": "Paris"}', "nowhere", {"status": 400, "message": "not that"}],
}
RECORD = """
session
  turn Assistant ERROR Error running tool alarm: the bell is broken
    > Ring!
    model gpt-5 10+2
    tool alarm() ERROR the bell is broken
session
  turn Assistant ERROR Max turns (1) exceeded
    > Is it raining?
    model gpt-5 10+2
    tool weather(city=Lima) = An error occurred while running the tool. Please try again. ERROR no station in Lima
session
  turn Geographer ERROR Error code: 400 - not that
    > What is forbidden?
    model gpt-5-mini ERROR Error code: 400 - not that
session
  turn Geographer ERROR Invalid JSON when parsing model output
    > And then?
    model gpt-5-mini 10+2
session conversation-123
  turn Assistant
    > What city is the Golden Gate Bridge in?
    model gpt-5 10+2
    < San Francisco
  turn Assistant
    > How is the weather there?
    model gpt-5 10+2
    tool weather(city=San Francisco) = An error occurred while running the tool. Please try again. ERROR no station in San Francisco
    model gpt-5 10+2
    < I cannot say.
session thread-7
  turn Assistant
    > Say good morning in two languages
    model gpt-5 10+2
    tool to_french(input=good morning) = bonjour
      agent French
        model gpt-5-nano 10+2
    tool to_spanish(input=good morning) = buenos días
      agent Spanish
        model gpt-5-nano 10+2
    model gpt-5 10+2
    < Buenos días, bonjour.
  turn Geographer
    > Where is that said?
    model gpt-5-mini 10+2
    < {"name":"Paris"}
"""
