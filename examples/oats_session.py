"""An oats program that knows nothing of turnspan: two messages of a session, a tool; no network.

turnspan run examples/oats_session.py      # pip install oats-coder, in an environment of its own
"""

import asyncio
import json
import os
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp())
models = {"base_url": "http://127.0.0.1:1/v1", "api_key": "none", "models": [{"name": "scripted"}]}
(folder / "coder.json").write_text(
    json.dumps(
        {
            "provider": {"vllm-small": models},
            "model": {"provider_id": "vllm-small", "model_id": "scripted"},
            "data_dir": str(folder),
        }
    )
)
os.environ |= {
    "CODER_CONFIG_FILE": str(folder / "coder.json"),
    "OATS_ENABLED": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}

import litellm
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices
from oats.session.processor import SessionProcessor
from oats.session.session import create_session
from oats.tool.registry import Tool, ToolResult, register_tool

FIND = {
    "index": 0,
    "id": "c1",
    "type": "function",
    "function": {"name": "find_invoice", "arguments": '{"number": "7"}'},
}
SCRIPT = [{"content": "Hello! How can I help?"}, {"tool_calls": [FIND]}, {"content": "You paid twice."}]


async def scripted(**_request):
    """Answer from the script; what a provider would do over the network."""
    step = SCRIPT.pop(0)

    async def chunks():
        for delta, finish in ((step, None), ({}, "tool_calls" if "tool_calls" in step else "stop")):
            yield ModelResponseStream(choices=[StreamingChoices(delta=Delta(**delta), finish_reason=finish, index=0)])

    return chunks()


litellm.acompletion = scripted


class FindInvoice(Tool):
    name, description, always_load = "find_invoice", "Look an invoice up.", True
    parameters = {"type": "object", "properties": {"number": {"type": "string"}}}

    async def execute(self, args, ctx):
        return ToolResult(title="invoice", output=f"invoice {args['number']}: 42.00 EUR, paid twice")


async def main() -> None:
    register_tool(FindInvoice())
    session = await create_session(project_dir=folder, model_id="scripted", provider_id="vllm-small")
    for prompt in ("Hi", "I paid invoice 7 twice"):
        events = SessionProcessor(session).process_message(prompt, auto_approve_tools=True, needs_local_tools=False)
        async for event in events:
            if event["type"] == "assistant_text" and event["content"]:
                print(event["content"])


asyncio.run(main())
