"""Two messages of a session: tools at once, one of which fails, and every event of the loop.

https://pypi.org/project/oats-coder/
"""

import asyncio

from local_coder import ReadNote, new_session  # before oats, which reads its configuration once
from oats.session.processor import SessionProcessor
from oats.tool.registry import register_tool


async def main() -> None:
    register_tool(ReadNote())
    session = await new_session()
    for prompt in ["What do I need, and what is secret?", "Thanks"]:
        events = SessionProcessor(session).process_message(prompt, auto_approve_tools=True, needs_local_tools=False)
        async for event in events:
            if event["type"] not in ("assistant_text_delta", "usage"):
                print(event["type"], event.get("tool_name", ""), event.get("content", ""), event.get("error") or "")


asyncio.run(main())

NEEDS = ["oats-coder>=1.0.19"]
MODEL = [
    [("read_note", {"name": "shopping"}, "n1"), ("read_note", {"name": "secret"}, "n2")],
    "You need milk.",
    "You are welcome.",
]
RECORD = """
session
  turn oats
    > What do I need, and what is secret?
    model openai/local
    tool read_note(name=shopping) = shopping: buy milk
    tool read_note(name=secret) ERROR no such note
    model openai/local
    < You need milk.
  turn oats
    > Thanks
    model openai/local
    < You are welcome.
"""
