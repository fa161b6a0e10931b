"""Streams: text, an object that grows, a run's events, its nodes, and one that the program leaves.

https://ai.pydantic.dev/agents/#streaming-events-and-final-output
"""

import asyncio

from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    AgentRunResultEvent,
    FinalResultEvent,
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    PartDeltaEvent,
    TextPartDelta,
)


class Whale(BaseModel):
    name: str
    length: float | None = None


agent = Agent("openai-chat:gpt-5", name="weather", instructions="Say the weather.")


@agent.tool_plain
async def forecast(place: str, day: str) -> str:
    """Say what the weather will be."""
    await asyncio.sleep(0)
    return f"{place} on {day}: 24 degrees and sunny"


async def main() -> None:
    async with agent.run_stream("Is it nice in Nice on Monday?") as result:
        async for text in result.stream_text(delta=True, debounce_by=None):
            print(text, end="|")
    print()
    whales = Agent("openai-responses:gpt-5-mini", name="whales", output_type=list[Whale])
    async with whales.run_stream("Two whales, please") as result:
        async for found in result.stream_output(debounce_by=None):
            last = found
    print(last)
    async with agent.run_stream_events("And in Rome on Tuesday?") as events:
        async for event in events:
            match event:
                case FunctionToolCallEvent(part=part):
                    print("calls", part.tool_name, part.args)
                case FunctionToolResultEvent(part=part):
                    print("returns", part.content)
                case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                    print("says", text)
                case FinalResultEvent():
                    print("begins to answer")
                case AgentRunResultEvent(result=result):
                    print("answered", result.output)
    async with agent.iter("And in Oslo?") as run:
        async for node in run:
            print(type(node).__name__)
    print(run.result.output)
    async with agent.run_stream("Tell a long story") as result:
        async for text in result.stream_text(delta=True, debounce_by=None):
            print(text)
            break


asyncio.run(main())

NEEDS = ["pydantic-ai-slim>=2", "openai>=2"]
MODEL = [
    [("forecast", {"place": "Nice", "day": "Monday"}, "f1")],
    "It is nice in Nice.",
    [("final_result", {"response": [{"name": "Blue", "length": 29.9}, {"name": "Beluga"}]}, "w1")],
    [("forecast", {"place": "Rome", "day": "Tuesday"}, "f2"), ("forecast", {"place": "Ostia", "day": "Tuesday"}, "f3")],
    "Sunny in both.",
    "Cold.",
    "Once upon a time there was a long story.",
]
RECORD = """
session
  turn weather
    > And in Oslo?
    model gpt-5 10+2
    < Cold.
session
  turn weather
    > And in Rome on Tuesday?
    model gpt-5 10+2
    tool forecast(place=Ostia, day=Tuesday) = Ostia on Tuesday: 24 degrees and sunny
    tool forecast(place=Rome, day=Tuesday) = Rome on Tuesday: 24 degrees and sunny
    model gpt-5 10+2
    < Sunny in both.
session
  turn weather
    > Is it nice in Nice on Monday?
    model gpt-5 10+2
    tool forecast(place=Nice, day=Monday) = Nice on Monday: 24 degrees and sunny
    model gpt-5 10+2
    < It is nice in Nice.
session
  turn weather CANCELLED no answer came
    > Tell a long story
    model gpt-5 CANCELLED no answer came
session
  turn whales
    > Two whales, please
    model gpt-5-mini 10+2
    < [{"name":"Blue","length":29.9},{"name":"Beluga","length":null}]
"""
