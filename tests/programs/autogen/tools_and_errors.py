"""An agent whose tools are called wrongly and fail, an object as the answer, a stream, and models that fail.

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/tutorial/agents.html
"""

import asyncio
import os

os.environ["PYDANTIC_ERRORS_INCLUDE_URL"] = "0"  # it names the release

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import ModelClientStreamingChunkEvent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel


async def web_search(query: str, pages: int = 1) -> str:
    """Find information on the web."""
    if query == "nothing":
        raise LookupError("nothing is found")
    return f"{pages} pages about {query}"


class Mood(BaseModel):
    """A mood."""

    thoughts: str
    response: str


async def main() -> None:
    client = OpenAIChatCompletionClient(model="gpt-4.1-2025-04-14", max_retries=0)
    searcher = AssistantAgent(
        "searcher", client, tools=[web_search], system_message="You search.", reflect_on_tool_use=True
    )
    for task in ("Find AutoGen", "Find nothing"):
        print((await searcher.run(task=task)).messages[-1].content)
    moody = AssistantAgent("moody", client, output_content_type=Mood, system_message="You feel.")
    print(repr((await moody.run(task="I am happy")).messages[-1].content))
    streamer = AssistantAgent("streamer", client, model_client_stream=True, system_message="You talk.")
    async for message in streamer.run_stream(task="Talk"):
        if isinstance(message, ModelClientStreamingChunkEvent):
            print("heard:", message.content)
    try:
        await streamer.run(task="Talk too much")
    except Exception as error:
        print(type(error).__name__, "too many words" in str(error))
    await client.close()


asyncio.run(main())

NEEDS = ["autogen-agentchat>=0.7", "autogen-ext"]
MODEL = {
    "You search.": [
        [("web_search", {"query": "AutoGen", "pages": "many"}, "c1")],
        "I could not search.",
        [("web_search", {"query": "nothing"}, "c2")],
        "There is nothing.",
    ],
    "You feel.": ['{"thoughts": "they are happy", "response": "happy"}'],
    "You talk.": ["Bla bla", {"status": 400, "message": "too many words"}],
}
RECORD = """
session
  turn moody
    > I am happy
    model gpt-4.1-2025-04-14 10+2
    < {"thoughts":"they are happy","response":"happy"}
session
  turn searcher
    > Find AutoGen
    model gpt-4.1-2025-04-14 10+2
    tool web_search(query=AutoGen, pages=many) ERROR 1 validation error for web_searchargs
pages
  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='many', input_type=str]
    note arguments.rejected {"tool_name": "web_search", "call_id": "c1", "arguments": {"query": "AutoGen", "pages": "many"}, "error": "1 validation error for web_searchargs\\npages\\n  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='many', input_type=str]"}
    model gpt-4.1-2025-04-14 10+2
    < I could not search.
  turn searcher
    > Find nothing
    model gpt-4.1-2025-04-14 10+2
    tool web_search(query=nothing) ERROR nothing is found
    model gpt-4.1-2025-04-14 10+2
    < There is nothing.
session
  turn streamer
    > Talk
    model gpt-4.1-2025-04-14
    < Bla bla
  turn streamer ERROR Error code: 400 - too many words
    > Talk too much
    model gpt-4.1-2025-04-14 ERROR Error code: 400 - too many words
"""
