"""A program of the Claude Agent SDK that knows nothing of turnspan: one prompt, a tool of its own; no network.

turnspan run examples/claude_agent_sdk_query.py      # pip install claude-agent-sdk
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, Transport, query

SESSION = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
FIND = {"type": "tool_use", "id": "toolu_1", "name": "find_invoice", "input": {"number": "7"}}
FOUND = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "invoice 7: 42.00 EUR, paid twice"}
SAID = {"type": "text", "text": "You paid twice."}


class Scripted(Transport):
    """Says what Claude Code would say; ``query()`` starts it by itself without this."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def connect(self) -> None: ...

    async def write(self, data: str) -> None:
        line = json.loads(data)
        if line["type"] == "control_request":
            answer = {"subtype": "success", "request_id": line["request_id"], "response": {}}
            self._lines.put_nowait({"type": "control_response", "response": answer})
            return
        about = {"session_id": SESSION, "parent_tool_use_id": None}
        self._lines.put_nowait({"type": "system", "subtype": "init", "model": "claude-opus-4-8", **about})
        for number, (role, block) in enumerate((("assistant", FIND), ("user", FOUND), ("assistant", SAID))):
            message = {"id": f"msg_{number}", "model": "claude-opus-4-8", "role": role, "content": [block]}
            if role == "assistant":
                message["usage"] = {"input_tokens": 120, "output_tokens": 18}
            self._lines.put_nowait({"type": role, "message": message, **about})
        done = {"is_error": False, "num_turns": 2, "duration_ms": 1, "duration_api_ms": 1, "total_cost_usd": 0.01}
        self._lines.put_nowait({"type": "result", "subtype": "success", "result": SAID["text"], **done, **about})
        self._lines.put_nowait(None)

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        while (line := await self._lines.get()) is not None:
            yield line

    async def close(self) -> None: ...

    def is_ready(self) -> bool:
        return True

    async def end_input(self) -> None: ...


async def main() -> None:
    options = ClaudeAgentOptions(system_prompt="Help with invoices.")
    async for message in query(prompt="I paid invoice 7 twice", options=options, transport=Scripted()):
        if isinstance(message, ResultMessage):
            print(message.result)


asyncio.run(main())
