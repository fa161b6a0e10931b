"""Two messages of a session: tools at once, one of which fails, and every event of the loop.

https://pypi.org/project/oats-coder/
"""

import asyncio
import json
import os
from pathlib import Path

here = Path.cwd()
models = {
    "base_url": os.environ["OPENAI_BASE_URL"],
    "api_key": os.environ["OPENAI_API_KEY"],
    "models": [{"name": "openai/local"}],
}
(here / "coder.json").write_text(
    json.dumps(
        {
            "provider": {"vllm-small": models},
            "model": {"provider_id": "vllm-small", "model_id": "openai/local"},
            "data_dir": str(here / "data"),
        }
    )
)
os.environ |= {
    "CODER_CONFIG_FILE": str(here / "coder.json"),
    "OATS_ENABLED": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}

from oats.session.processor import SessionProcessor
from oats.session.session import create_session
from oats.tool.registry import Tool, ToolResult, register_tool


class ReadNote(Tool):
    name, description, always_load = "read_note", "Read a note.", True
    parameters = {"type": "object", "properties": {"name": {"type": "string"}}}

    async def execute(self, args, ctx):
        if args["name"] == "secret":
            return ToolResult(title="note", output="", error="no such note")
        return ToolResult(title="note", output=f"{args['name']}: buy milk")


async def main() -> None:
    register_tool(ReadNote())
    session = await create_session(project_dir=here, model_id="openai/local", provider_id="vllm-small")
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
