"""A model that never comes to an end is stopped after some steps.

https://pypi.org/project/oats-coder/
"""

import asyncio
import os

os.environ["CODER_MAX_ITERATIONS"] = "2"

from local_coder import ReadNote, new_session  # before oats, which reads its configuration once
from oats.session.processor import SessionProcessor
from oats.tool.registry import register_tool


async def main() -> None:
    register_tool(ReadNote())
    session = await new_session()
    events = SessionProcessor(session).process_message("Read on", auto_approve_tools=True, needs_local_tools=False)
    async for event in events:
        if event["type"] in ("assistant_text", "tool_result", "warning", "error", "complete"):
            print(event["type"], event.get("content") or event.get("output") or event.get("message"))


asyncio.run(main())

NEEDS = ["oats-coder>=1.0.19"]
MODEL = [
    [("read_note", {"name": "a"}, "n1")],
    [("read_note", {"name": "b"}, "n2")],
]
RECORD = """
session
  turn oats ERROR Reached maximum iterations (2)
    > Read on
    model openai/local
    tool read_note(name=a) = a: buy milk
    model openai/local
    tool read_note(name=b) = b: buy milk
"""
