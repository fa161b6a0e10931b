"""A model that never comes to an end is stopped after some steps.

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

os.environ["CODER_MAX_ITERATIONS"] = "2"

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
