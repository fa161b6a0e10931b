"""Two sessions at once in one loop, each with its own tool's result.

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


async def ask(prompt: str) -> str:
    session = await create_session(project_dir=here, model_id="openai/local", provider_id="vllm-small")
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
