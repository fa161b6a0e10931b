"""Function tools, one called wrongly and one that nobody knows, callbacks that answer instead, a stream, and an object.

https://google.github.io/adk-docs/get-started/quickstart/, .../callbacks/types-of-callbacks/ and .../agents/llm-agents/
"""

import asyncio
import logging

from google.adk.agents import Agent, RunConfig
from google.adk.agents.run_config import StreamingMode
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools import ToolContext
from google.genai import types
from pydantic import BaseModel

logging.getLogger("google_adk").setLevel(logging.CRITICAL)


def get_weather(city: str, tool_context: ToolContext) -> dict:
    """Get the weather of a city.

    Args:
        city: Which city.
    """
    tool_context.state["last_city"] = city
    if city == "Atlantis":
        raise LookupError("there is no such city")
    return {"status": "success", "report": f"It is sunny in {city}."}


def get_current_time(city: str) -> str:
    """Get the time in a city.

    Args:
        city: Which city.
    """
    return f"10:30 in {city}"


def not_there(tool, args, tool_context):
    """Keep the tool from looking up what is forbidden."""
    return {"error": "Policy: not that city."} if args.get("city") == "Gotham" else None


def say_so(tool, args, tool_context, error):
    """Have the model see what went wrong."""
    return {"status": "error", "report": str(error)} if isinstance(error, LookupError) else None


class Capital(BaseModel):
    country: str
    capital: str


root_agent = Agent(
    name="weather_time_agent",
    model="gemini-2.5-flash",
    description="Answers questions about the time and the weather.",
    instruction="Answer questions about the time and the weather in a city.",
    tools=[get_weather, get_current_time],
    before_tool_callback=not_there,
    on_tool_error_callback=say_so,
)
capitals = Agent(
    name="capitals",
    model="gemini-2.5-flash",
    instruction="Name the capital.",
    output_schema=Capital,
    output_key="found",
)


async def main():
    sessions = InMemorySessionService()

    async def ask(agent, session_id, text, **config):
        runner = Runner(app_name="weather", agent=agent, session_service=sessions)
        message = types.Content(role="user", parts=[types.Part(text=text)])
        async for event in runner.run_async(
            user_id="u1", session_id=session_id, new_message=message, run_config=RunConfig(**config)
        ):
            for part in event.content.parts or [] if event.content else []:
                said = part.text or (part.function_call.name if part.function_call else "a result")
                print(event.author, "begins" if event.partial else "says", said)

    for session_id in ("s1", "s2"):
        await sessions.create_session(app_name="weather", user_id="u1", session_id=session_id)
    await ask(root_agent, "s1", "What is the weather and the time in Paris?")
    await ask(root_agent, "s1", "And in Atlantis and Gotham?")
    await ask(root_agent, "s1", "Thanks!", streaming_mode=StreamingMode.SSE)
    await ask(capitals, "s2", "France?")
    session = await sessions.get_session(app_name="weather", user_id="u1", session_id="s2")
    print(session.state)
    try:
        await ask(root_agent, "s1", "Again!")
    except Exception as error:
        print(type(error).__name__, error)


asyncio.run(main())

NEEDS = ["google-adk>=2.10"]
MODEL = [
    [("get_weather", {"city": "Paris"}), ("get_current_time", {})],
    [("get_time", {"city": "Paris"}), ("get_current_time", {"city": "Paris"})],
    {
        "text": "It is sunny in Paris, at 10:30.",
        "usage": {"input_tokens": 210, "output_tokens": 9, "cached_tokens": 64},
    },
    [("get_weather", {"city": "Atlantis"}), ("get_weather", {"city": "Gotham"})],
    "I know neither.",
    {"text": "You are welcome.", "thinking": "They are polite."},
    '{"country": "France", "capital": "Paris"}',
    {"status": 400, "message": "too many words"},
]
RECORD = """
session s1
  turn weather_time_agent
    > What is the weather and the time in Paris?
    model gemini-2.5-flash 10+2
    tool get_weather(city=Paris) = {"status": "success", "report": "It is sunny in Paris."}
    tool get_current_time() = {"error": "Invoking `get_current_time()` failed as the following mandatory input parameters are not present:\\ncity\\nYou could retry calling this tool, but it is IMPORTANT for you to provide all the mandatory parameters."} ERROR Invoking `get_current_time()` failed as the following mandatory input parameters are not present:
city
You could retry calling this tool, but it is IMPORTANT for you to provide all the mandatory parameters.
    note arguments.rejected {"tool_name": "get_current_time", "call_id": "adk-(id)", "arguments": {}, "error": "Invoking `get_current_time()` failed as the following mandatory input parameters are not present:\\ncity\\nYou could retry calling this tool, but it is IMPORTANT for you to provide all the mandatory parameters."}
    model gemini-2.5-flash 10+2
    tool get_time(city=Paris) = {"error": "Invoking `get_time()` failed as no tool with that name is available. The tools you can call are: get_weather, get_current_time. You could retry, but it is IMPORTANT that you only call a tool from that list."} ERROR Invoking `get_time()` failed as no tool with that name is available. The tools you can call are: get_weather, get_current_time. You could retry, but it is IMPORTANT that you only call a tool from that list.
    tool get_current_time(city=Paris) = 10:30 in Paris
    model gemini-2.5-flash 210+9 cache_read 64
    < It is sunny in Paris, at 10:30.
  turn weather_time_agent
    > And in Atlantis and Gotham?
    model gemini-2.5-flash 10+2
    tool get_weather(city=Atlantis) = {"status": "error", "report": "there is no such city"} ERROR there is no such city
    tool get_weather(city=Gotham) = {"error": "Policy: not that city."} SKIPPED Policy: not that city.
    model gemini-2.5-flash 10+2
    < I know neither.
  turn weather_time_agent
    > Thanks!
    model gemini-2.5-flash 10+2
    < You are welcome.
  turn weather_time_agent ERROR 400 INVALID_ARGUMENT. {'error': {'code': 400, 'message': 'too many words', 'status': 'INVALID_ARGUMENT'}}
    > Again!
    model gemini-2.5-flash ERROR 400 INVALID_ARGUMENT. {'error': {'code': 400, 'message': 'too many words', 'status': 'INVALID_ARGUMENT'}}
session s2
  turn capitals
    > France?
    model gemini-2.5-flash 10+2
    < {"country": "France", "capital": "Paris"}
"""
