"""What these programs have in common: oats with a model of one's own, and a tool that reads notes."""

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

from oats.session.session import create_session
from oats.tool.registry import Tool, ToolResult


class ReadNote(Tool):
    name, description, always_load = "read_note", "Read a note.", True
    parameters = {"type": "object", "properties": {"name": {"type": "string"}}}

    async def execute(self, args, ctx):
        if args["name"] == "secret":
            return ToolResult(title="note", output="", error="no such note")
        return ToolResult(title="note", output=f"{args['name']}: buy milk")


async def new_session(**more):
    """Return a session with the model."""
    return await create_session(project_dir=here, model_id="openai/local", provider_id="vllm-small", **more)
