"""A session that is stored, read back, and gone on with; another that comes out of it.

https://pypi.org/project/oats-coder/
"""

import asyncio

from local_coder import ReadNote, new_session  # before oats, which reads its configuration once
from oats.session.processor import SessionProcessor
from oats.session.session import get_session
from oats.tool.registry import register_tool


async def say(session, prompt: str) -> None:
    async for event in SessionProcessor(session).process_message(prompt, needs_local_tools=False):
        if event["type"] == "assistant_text":
            print(event["content"])


async def main() -> None:
    register_tool(ReadNote())
    session = await new_session()
    await say(session, "My name is Ann")
    again = await get_session(session.id)
    await say(again, "What is my name?")
    print(len((await get_session(session.id)).messages))
    child = await new_session(root_session_id=session.id)
    await say(child, "Who am I?")


asyncio.run(main())

NEEDS = ["oats-coder>=1.0.19"]
MODEL = ["Hello, Ann.", "Ann.", "I do not know."]
RECORD = """
session
  turn oats
    > My name is Ann
    model openai/local
    < Hello, Ann.
  turn oats
    > What is my name?
    model openai/local
    < Ann.
session
  turn oats
    > Who am I?
    model openai/local
    < I do not know.
"""
