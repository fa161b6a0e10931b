"""An agent that is called again with its history, tools that fail, that do not fit and that there are not, an agent as a tool.

https://docs.haystack.deepset.ai/docs/agent and https://docs.haystack.deepset.ai/docs/componenttool
"""

import asyncio
import logging
from typing import Annotated

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage, StreamingChunk
from haystack.tools import ComponentTool, tool

logging.getLogger("haystack").setLevel(logging.CRITICAL)  # its lines have the time in them


@tool
def weather(city: Annotated[str, "the city"]) -> str:
    """Get the weather."""
    if city == "Atlantis":
        raise LookupError("no such city")
    return f"sunny in {city}"


@tool
def finish(verdict: Annotated[str, "the verdict"]) -> dict:
    """Say the verdict."""
    return {"verdict": verdict}


def generator() -> OpenAIChatGenerator:
    return OpenAIChatGenerator(
        model="gpt-5", max_retries=0, generation_kwargs={"stream_options": {"include_usage": True}}
    )


agent = Agent(
    chat_generator=OpenAIChatGenerator(model="gpt-5", max_retries=0),
    tools=[weather, finish],
    system_prompt="You know the weather.",
    exit_conditions=["text", "finish"],
    tool_concurrency_limit=1,
)
messages = []
for asked in ("How is Rome?", "And Atlantis?", "What do you say in the end?"):
    done = agent.run(messages=[*messages, ChatMessage.from_user(asked)])
    messages = [message for message in done["messages"] if message.role.value != "system"]
    print(done["step_count"], done["last_message"].text or done["last_message"].tool_call_result.result)


async def streamed() -> None:
    async def show(chunk: StreamingChunk) -> None:
        print(chunk.content or (chunk.tool_call_result and chunk.tool_call_result.result) or "", end="|")

    teller = Agent(chat_generator=generator(), tools=[weather], user_prompt=TEMPLATE)
    done = await teller.run_async(messages=[], city="Oslo", streaming_callback=show)
    print(done["last_message"].text)


TEMPLATE = '{% message role="user" %}How is {{ city }}?{% endmessage %}'
asyncio.run(streamed())

researcher = Agent(chat_generator=OpenAIChatGenerator(model="gpt-5-mini", max_retries=0), tools=[weather])
research = ComponentTool(
    researcher, name="research", description="Finds things out.", outputs_to_string={"source": "last_message"}
)
writer = Agent(chat_generator=OpenAIChatGenerator(model="gpt-5", max_retries=0), tools=[research])
reviewer = Agent(
    chat_generator=OpenAIChatGenerator(model="gpt-5", max_retries=0),
    system_prompt="You review.",
)
news = Pipeline()
news.add_component("prompt", ChatPromptBuilder([ChatMessage.from_user("Write about {{ topic }}")]))
news.add_component("writer", writer)
news.add_component("reviewer", reviewer)
news.connect("prompt", "writer.messages")
news.connect("writer.messages", "reviewer.messages")
print(news.run({"topic": "the weather in Bonn"})["reviewer"]["last_message"].text)

NEEDS = ["haystack-ai>=3.0"]
MODEL = [
    [("weather", {"city": "Rome"}, "w1"), ("tides", {"city": "Rome"}, "w2"), ("weather", {"town": "Rome"}, "w3")],
    "Rome is sunny.",
    [("weather", {"city": "Atlantis"}, "w4")],
    "Nobody knows.",
    [("finish", {"verdict": "go south"}, "w5")],
    [("weather", {"city": "Oslo"}, "w6")],
    "Oslo is sunny.",
    [("research", {"messages": [{"role": "user", "content": [{"text": "How is Bonn?"}]}]}, "r1")],
    [("weather", {"city": "Bonn"}, "w7")],
    "Bonn is sunny.",
    "Bonn is a sunny place.",
    "Fine.",
]
RECORD = """
session
  turn Agent
    > How is Oslo?
    model gpt-5 10+2
    tool weather(city=Oslo) = sunny in Oslo
    model gpt-5 10+2
    < Oslo is sunny.
session
  turn Agent
    > How is Rome?
    model gpt-5 10+2
    tool tides(city=Rome) ERROR Tool 'tides' not found. Available tools: weather, finish
    tool weather(city=Rome) = sunny in Rome
    tool weather(town=Rome) ERROR weather() got an unexpected keyword argument 'town'
    note arguments.rejected {"tool_name": "weather", "call_id": "w3", "arguments": {"town": "Rome"}, "error": "weather() got an unexpected keyword argument 'town'"}
    model gpt-5 10+2
    < Rome is sunny.
  turn Agent
    > And Atlantis?
    model gpt-5 10+2
    tool weather(city=Atlantis) ERROR no such city
    model gpt-5 10+2
    < Nobody knows.
  turn Agent
    > What do you say in the end?
    model gpt-5 10+2
    tool finish(verdict=go south) = {"verdict": "go south"}
    < {"verdict": "go south"}
session
  turn Pipeline
    > the weather in Bonn
    agent writer
      model gpt-5 10+2
      tool research(messages=[{"role": "user", "content": [{"text": "How is Bonn?"}]}]) = Bonn is sunny.
        agent research
          model gpt-5-mini 10+2
          tool weather(city=Bonn) = sunny in Bonn
          model gpt-5-mini 10+2
      model gpt-5 10+2
    agent reviewer
      model gpt-5 10+2
    < {"writer":"Bonn is a sunny place.","reviewer":"Fine."}
"""
