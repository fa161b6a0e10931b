"""Two sessions at once in one loop, each with its own tool's result.

https://pypi.org/project/oats-coder/
"""

import asyncio

from local_coder import ReadNote, new_session  # before oats, which reads its configuration once
from oats.session.processor import SessionProcessor
from oats.tool.registry import register_tool


async def ask(prompt: str) -> str:
    session = await new_session()
    said = ""
    events = SessionProcessor(session).process_message(prompt, auto_approve_tools=True, needs_local_tools=False)
    async for event in events:
        if event["type"] == "assistant_text":
            said = event["content"]
    return said


async def main() -> None:
    register_tool(ReadNote())
    print(await asyncio.gather(ask("What of Monday?"), ask("What of Friday?")))


asyncio.run(main())

NEEDS = ["oats-coder>=1.0.19"]
MODEL = {
    "Monday?": [[("read_note", {"name": "monday"}, "n1")], "Milk on Monday."],
    "Friday?": [[("read_note", {"name": "friday"}, "n1")], "Milk on Friday."],
}
RECORD = """
session
  turn oats
    > What of Friday?
    model openai/local
    tool read_note(name=friday) = friday: buy milk
    model openai/local
    < Milk on Friday.
session
  turn oats
    > What of Monday?
    model openai/local
    tool read_note(name=monday) = monday: buy milk
    model openai/local
    < Milk on Monday.
"""
