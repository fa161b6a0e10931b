"""A client with a calculator of its own, a callback for permissions, and two prompts in one session.

https://docs.claude.com/en/api/agent-sdk/custom-tools, https://docs.claude.com/en/api/agent-sdk/permissions
"""

import asyncio
from pathlib import Path

from claude_agent_sdk import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    PermissionResultAllow,
    PermissionResultDeny,
    TextBlock,
    create_sdk_mcp_server,
    tool,
)


@tool("divide", "Divide one number by another", {"a": float, "b": float})
async def divide(args):
    if args["b"] == 0:
        return {"content": [{"type": "text", "text": "Error: Division by zero"}], "is_error": True}
    return {"content": [{"type": "text", "text": f"{args['a']} / {args['b']} = {args['a'] / args['b']}"}]}


async def permit(tool_name, input_data, context):
    print("asked for", tool_name, input_data)
    if tool_name == "Read":
        return PermissionResultDeny(message="files are private")
    return PermissionResultAllow()


async def main() -> None:
    options = ClaudeAgentOptions(
        cli_path=Path(__file__).parents[2] / "support" / "claude_code.py",
        mcp_servers={"calc": create_sdk_mcp_server("calculator", tools=[divide])},
        can_use_tool=permit,
    )
    async with ClaudeSDKClient(options=options) as client:
        for prompt in ("Divide 8 by 2, then by 0", "What is in notes.txt?"):
            await client.query(prompt)
            async for message in client.receive_response():
                if isinstance(message, AssistantMessage):
                    for block in message.content:
                        if isinstance(block, TextBlock):
                            print(block.text)


asyncio.run(main())

NEEDS = ["claude-agent-sdk>=0.2.186"]
MODEL = [
    [("mcp__calc__divide", {"a": 8, "b": 2}, "d1")],
    [("mcp__calc__divide", {"a": 8, "b": 0}, "d2")],
    [("mcp__calc__divide", {"a": 8}, "d3")],
    "It is 4; by 0 it is nothing.",
    [("Read", {"file_path": "notes.txt"}, "r1")],
    "I may not read it.",
]
RECORD = """
session
  turn claude
    > Divide 8 by 2, then by 0
    model scripted 10+2
    tool divide(a=8, b=2) = 8 / 2 = 4.0
    note approval.asked {"tool_name": "divide", "call_id": "d1", "arguments": {"a": 8, "b": 2}}
    note approval.approved {"tool_name": "divide", "call_id": "d1"}
    model scripted 10+2
    tool divide(a=8, b=0) = Error: Division by zero ERROR Error: Division by zero
    note approval.asked {"tool_name": "divide", "call_id": "d2", "arguments": {"a": 8, "b": 0}}
    note approval.approved {"tool_name": "divide", "call_id": "d2"}
    model scripted 10+2
    tool divide(a=8) = <tool_use_error>InputValidationError: mcp__calc__divide: the required parameter `b` is missing</tool_use_error> ERROR <tool_use_error>InputValidationError: mcp__calc__divide: the required parameter `b` is missing</tool_use_error>
    note arguments.rejected {"tool_name": "divide", "call_id": "d3", "arguments": {"a": 8}, "error": "<tool_use_error>InputValidationError: mcp__calc__divide: the required parameter `b` is missing</tool_use_error>"}
    model scripted 10+2
    < It is 4; by 0 it is nothing.
  turn claude
    > What is in notes.txt?
    model scripted 10+2
    tool Read(file_path=notes.txt) = files are private SKIPPED files are private
    note approval.asked {"tool_name": "Read", "call_id": "r1", "arguments": {"file_path": "notes.txt"}}
    note approval.denied {"tool_name": "Read", "call_id": "r1", "reason": "files are private"}
    model scripted 10+2
    < I may not read it.
"""
