"""Tools that need the user's consent: one is given, one is denied with instructions.

https://pypi.org/project/oats-coder/
"""

import asyncio

from local_coder import new_session  # before oats, which reads its configuration once
from oats.session.processor import ApprovalDecision, SessionProcessor
from oats.tool.registry import Tool, ToolResult, register_tool


class Delete(Tool):
    name, description, always_load = "delete", "Delete a file.", True
    parameters = {"type": "object", "properties": {"path": {"type": "string"}}}

    def requires_permission(self, args, ctx):
        return f"delete {args['path']}"

    async def execute(self, args, ctx):
        return ToolResult(title="delete", output=f"{args['path']} is gone")


async def approve(tool_name, arguments, permission) -> ApprovalDecision:
    print("may", tool_name, permission)
    if arguments["path"] == "b.txt":
        return ApprovalDecision(approved=False, instructions="keep it")
    return ApprovalDecision(approved=True)


async def main() -> None:
    register_tool(Delete())
    session = await new_session()
    loop = SessionProcessor(session)
    async for event in loop.process_message(
        "Delete a.txt and b.txt", approval_callback=approve, needs_local_tools=False
    ):
        if event["type"] in ("tool_result", "assistant_text"):
            print(event.get("output"), event.get("error"), event.get("content"))


asyncio.run(main())

NEEDS = ["oats-coder>=1.0.19"]
MODEL = [[("delete", {"path": "a.txt"}, "d1"), ("delete", {"path": "b.txt"}, "d2")], "a.txt is gone, b.txt is kept."]
RECORD = """
session
  turn oats
    > Delete a.txt and b.txt
    model openai/local
    tool delete(path=a.txt) = a.txt is gone
    note approval.asked {"tool_name": "delete", "call_id": "d1", "arguments": {"path": "a.txt"}, "reason": "delete a.txt"}
    note approval.approved {"tool_name": "delete", "call_id": "d1"}
    tool delete(path=b.txt) SKIPPED user declined this tool call. User instructions: keep it
    note approval.asked {"tool_name": "delete", "call_id": "d2", "arguments": {"path": "b.txt"}, "reason": "delete b.txt"}
    note approval.denied {"tool_name": "delete", "call_id": "d2", "reason": "keep it"}
    model openai/local
    < a.txt is gone, b.txt is kept.
"""
