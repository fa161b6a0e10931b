"""Tools, what is wrong with their arguments, hooks that cancel and retry, structured output, and a sub-agent as a tool.

https://strandsagents.com/latest/documentation/docs/user-guide/concepts/agents/hooks/ and .../agents-as-tools/
"""

import os

os.environ["PYDANTIC_ERRORS_INCLUDE_URL"] = "0"  # it names the release

from pydantic import BaseModel, Field
from strands import Agent, tool
from strands.hooks import AfterToolCallEvent, BeforeToolCallEvent, HookProvider, HookRegistry
from strands.models.openai import OpenAIModel

weather_is = iter([ConnectionError("the station does not answer"), "sunny"])


@tool
def weather(city: str, days: int = 1) -> str:
    """Get the weather.

    Args:
        city: Where.
        days: For how many days.
    """
    said = next(weather_is)
    if isinstance(said, Exception):
        raise said
    return f"{said} in {city} for {days} days"


@tool
def book(trip: str) -> str:
    """Book a trip.

    Args:
        trip: Which.
    """
    return f"booked {trip}"


class Careful(HookProvider):
    """Lets nothing be booked, and asks again when a tool fails."""

    def register_hooks(self, registry: HookRegistry) -> None:
        registry.add_callback(BeforeToolCallEvent, self.check)
        registry.add_callback(AfterToolCallEvent, self.again)

    def check(self, event: BeforeToolCallEvent) -> None:
        if event.tool_use["name"] == "book":
            event.cancel_tool = "bookings need a person"

    def again(self, event: AfterToolCallEvent) -> None:
        if isinstance(event.exception, ConnectionError):
            print("again:", event.exception)
            event.retry = True


class Trip(BaseModel):
    """A trip."""

    city: str = Field(description="Where to")
    days: int


model = OpenAIModel(model_id="gpt-5")
guide = Agent(OpenAIModel(model_id="gpt-5-nano"), name="guide", description="Knows cities.", callback_handler=None)
agent = Agent(
    model,
    name="planner",
    tools=[weather, book, guide.as_tool()],
    system_prompt="Plan trips.",
    hooks=[Careful()],
    callback_handler=None,
)
print(agent("How is the weather in Rome?"))
print(agent("Book Rome, and what is there to see?"))
result = agent("Which trip was it?", structured_output_model=Trip)
print(repr(result.structured_output), result.stop_reason)

NEEDS = ["strands-agents>=1.62", "openai>=2"]
MODEL = [
    [("weather", {"city": "Rome", "days": "many"}, "t1")],
    [("weather", {"city": "Rome", "days": 2}, "t2")],
    "It is sunny.",
    [("book", {"trip": "Rome"}, "t3"), ("guide", {"input": "What to see in Rome?"}, "t4")],
    "The Forum.",
    "I may not book. See the Forum.",
    [("Trip", {"city": "Rome", "days": 2}, "t5")],
]
RECORD = """
session
  turn planner
    > How is the weather in Rome?
    model gpt-5 10+2
    tool weather(city=Rome, days=many) = Error: Validation failed for input parameters: 1 validation error for WeatherTool↵days↵  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='many', input_type=str] ERROR Validation failed for input parameters: 1 validation error for WeatherTool
days
  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='many', input_type=str]
    note arguments.rejected {"tool_name": "weather", "call_id": "t1", "arguments": {"city": "Rome", "days": "many"}, "error": "Validation failed for input parameters: 1 validation error for WeatherTool\\ndays\\n  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='many', input_type=str]"}
    model gpt-5 10+2
    tool weather(city=Rome, days=2) = Error: ConnectionError - the station does not answer ERROR the station does not answer
    note retry {"of": "tool", "attempt": 2, "error": "the station does not answer", "tool_name": "weather", "call_id": "t2"}
    tool weather(city=Rome, days=2) = sunny in Rome for 2 days
    model gpt-5 10+2
    < It is sunny.
  turn planner
    > Book Rome, and what is there to see?
    model gpt-5 10+2
    tool book(trip=Rome) SKIPPED bookings need a person
    tool guide(input=What to see in Rome?) = The Forum.↵
      agent guide
        model gpt-5-nano 10+2
    model gpt-5 10+2
    < I may not book. See the Forum.
  turn planner
    > Which trip was it?
    model gpt-5 10+2
    tool Trip(city=Rome, days=2) = Successfully validated Trip structured output
    < {"city":"Rome","days":2}
"""
