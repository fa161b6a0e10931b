"""Tools that are called wrongly, that fail and that wait for approval; a stream; an object as the answer; a session.

https://learn.microsoft.com/agent-framework/agents/tools/tool-approval
"""

import asyncio
import os

os.environ["PYDANTIC_ERRORS_INCLUDE_URL"] = "0"  # it names the release

from typing import Annotated

from agent_framework import Agent, Message, tool
from agent_framework.openai import OpenAIChatCompletionClient
from pydantic import BaseModel, Field


@tool(approval_mode="never_require")
def get_weather(location: Annotated[str, Field(description="Where")], days: int = 1) -> str:
    """Get the weather."""
    if location == "Atlantis":
        raise LookupError("Atlantis is gone")
    return f"cloudy in {location} for {days} days"


@tool(approval_mode="always_require")
def book(location: str) -> str:
    """Book a hotel."""
    return f"booked in {location}"


class City(BaseModel):
    """A city."""

    name: str
    country: str


async def main() -> None:
    agent = Agent(OpenAIChatCompletionClient(model="gpt-5"), "You travel.", name="traveller", tools=[get_weather, book])
    session = agent.create_session(session_id="travels-1")
    print((await agent.run("How is it in Paris and in Atlantis?", session=session)).text)
    for place, yes in (("Paris", True), ("Rome", False)):
        result = await agent.run(f"Book {place}", session=session)
        while result.user_input_requests:
            answers = [request.to_function_approval_response(yes) for request in result.user_input_requests]
            print("asked:", [request.function_call.name for request in result.user_input_requests], yes)
            result = await agent.run(Message("user", answers), session=session)
        print(result.text)
    async for update in agent.run("Tell me where we were", session=session, stream=True):
        print("heard:", update.text)
    city = await agent.run("What is the capital?", options={"response_format": City})
    print(repr(city.value))


asyncio.run(main())

NEEDS = ["agent-framework-core>=1.23", "agent-framework-openai"]
MODEL = [
    [("get_weather", {"location": "Paris", "days": "many"}, "c1"), ("get_weather", {"location": "Atlantis"}, "c2")],
    [("get_weather", {"location": "Paris", "days": 2}, "c3")],
    "Cloudy in Paris, and Atlantis is gone.",
    [("book", {"location": "Paris"}, "c4")],
    "Paris is booked.",
    [("book", {"location": "Rome"}, "c5")],
    "Rome is not booked.",
    "In Paris",
    '{"name": "Paris", "country": "France"}',
]
RECORD = """
session
  turn traveller
    > What is the capital?
    model gpt-5 10+2
    < {"name":"Paris","country":"France"}
session travels-1
  turn traveller
    > How is it in Paris and in Atlantis?
    model gpt-5 10+2
    note arguments.rejected {"tool_name": "get_weather", "call_id": "c1", "arguments": {"location": "Paris", "days": "many"}, "error": "Invalid arguments for 'get_weather': 1 validation error for get_weather_input\\ndays\\n  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='many', input_type=str]"}
    tool get_weather(location=Paris, days=many) ERROR Invalid arguments for 'get_weather': 1 validation error for get_weather_input
days
  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='many', input_type=str]
    tool get_weather(location=Atlantis) ERROR Atlantis is gone
    model gpt-5 10+2
    tool get_weather(location=Paris, days=2) = cloudy in Paris for 2 days
    model gpt-5 10+2
    < Cloudy in Paris, and Atlantis is gone.
  turn traveller
    > Book Paris
    model gpt-5 10+2
    note approval.asked {"tool_name": "book", "call_id": "c4", "arguments": {"location": "Paris"}}
  turn traveller
    note approval.approved {"tool_name": "book", "call_id": "c4"}
    tool book(location=Paris) = booked in Paris
    model gpt-5 10+2
    < Paris is booked.
  turn traveller
    > Book Rome
    model gpt-5 10+2
    note approval.asked {"tool_name": "book", "call_id": "c5", "arguments": {"location": "Rome"}}
  turn traveller
    note approval.denied {"tool_name": "book", "call_id": "c5"}
    tool book(location=Rome) SKIPPED it was not approved
    model gpt-5 10+2
    < Rome is not booked.
  turn traveller
    > Tell me where we were
    model gpt-5 10+2
    < In Paris
"""
