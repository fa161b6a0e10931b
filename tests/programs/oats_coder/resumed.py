"""A session that is stored, read back, and gone on with; another that comes out of it.

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
from oats.session.session import create_session, get_session
from oats.tool.registry import Tool, ToolResult, register_tool


class ReadNote(Tool):
    name, description, always_load = "read_note", "Read a note.", True
    parameters = {"type": "object", "properties": {"name": {"type": "string"}}}

    async def execute(self, args, ctx):
        if args["name"] == "secret":
            return ToolResult(title="note", output="", error="no such note")
        return ToolResult(title="note", output=f"{args['name']}: buy milk")


async def say(session, prompt: str) -> None:
    async for event in SessionProcessor(session).process_message(prompt, needs_local_tools=False):
        if event["type"] == "assistant_text":
            print(event["content"])


async def main() -> None:
    register_tool(ReadNote())
    session = await create_session(project_dir=here, model_id="openai/local", provider_id="vllm-small")
    await say(session, "My name is Ann")
    again = await get_session(session.id)
    await say(again, "What is my name?")
    print(len((await get_session(session.id)).messages))
    child = await create_session(
        project_dir=here, model_id="openai/local", provider_id="vllm-small", root_session_id=session.id
    )
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
