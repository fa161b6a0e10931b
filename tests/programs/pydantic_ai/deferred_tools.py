"""Tools that wait: for a human's consent, also by what they are called with, and for work that is done elsewhere.

https://ai.pydantic.dev/deferred-tools/
"""

from pydantic_ai import (
    Agent,
    ApprovalRequired,
    CallDeferred,
    DeferredToolRequests,
    DeferredToolResults,
    ModelMessagesTypeAdapter,
    RunContext,
    ToolApproved,
    ToolDenied,
)

agent = Agent("openai-chat:gpt-5", name="files", output_type=[str, DeferredToolRequests])


@agent.tool
def update_file(context: RunContext, path: str, content: str) -> str:
    """Write a file."""
    if path == ".env" and not context.tool_call_approved:
        raise ApprovalRequired(metadata={"reason": "protected"})
    return f"File {path!r} updated: {content!r}"


@agent.tool_plain(requires_approval=True)
def delete_file(path: str) -> str:
    """Delete a file."""
    return f"File {path!r} deleted"


@agent.tool
async def count_lines(context: RunContext, path: str) -> str:
    """Count lines, which takes long."""
    raise CallDeferred(metadata={"task": f"count-{context.tool_call_id}-{path}"})


result = agent.run_sync("Delete `__init__.py`, write 'Hello' to README.md, clear `.env`, count main.py")
messages = ModelMessagesTypeAdapter.dump_json(result.all_messages())
requests = result.output
results = DeferredToolResults()
for call in requests.approvals:
    print(call.tool_name, call.args, requests.metadata.get(call.tool_call_id))
    if call.tool_name == "update_file":
        results.approvals[call.tool_call_id] = ToolApproved(override_args={"path": ".env", "content": "A=1"})
    elif call.tool_name == "delete_file":
        results.approvals[call.tool_call_id] = ToolDenied("Deleting files is not allowed")
for call in requests.calls:
    print(call.tool_name, requests.metadata[call.tool_call_id])
    results.calls[call.tool_call_id] = 42
history = ModelMessagesTypeAdapter.validate_json(messages)
result = agent.run_sync("Now go on.", message_history=history, deferred_tool_results=results)
print(result.output)

NEEDS = ["pydantic-ai-slim>=2", "openai>=2"]
MODEL = [
    [
        ("delete_file", {"path": "__init__.py"}, "d1"),
        ("update_file", {"path": "README.md", "content": "Hello"}, "d2"),
        ("update_file", {"path": ".env", "content": ""}, "d3"),
        ("count_lines", {"path": "main.py"}, "d4"),
    ],
    "README.md and .env are written, main.py has 42 lines; I may not delete __init__.py.",
]
RECORD = r"""
session
  turn files
    > Delete `__init__.py`, write 'Hello' to README.md, clear `.env`, count main.py
    model gpt-5 10+2
    tool count_lines(path=main.py) SKIPPED is made elsewhere
    tool update_file(path=.env, content=) SKIPPED waits for approval
    tool update_file(path=README.md, content=Hello) = File 'README.md' updated: 'Hello'
    note approval.asked {"tool_name": "update_file", "call_id": "d3", "arguments": {"path": ".env", "content": ""}}
    note approval.asked {"tool_name": "delete_file", "call_id": "d1", "arguments": {"path": "__init__.py"}}
    < {"calls":[{"tool_name":"count_lines","args":"{\"path\": \"main.py\"}","tool_call_id":"d4","tool_kind":null,"id":null,"provider_name":null,"provider_details":null,"part_kind":"tool-call"}],"approvals":[{"tool_name":"update_file","args":"{\"path\": \".env\", \"content\": \"\"}","tool_call_id":"d3","tool_kind":null,"id":null,"provider_name":null,"provider_details":null,"part_kind":"tool-call"},{"tool_name":"delete_file","args":"{\"path\": \"__init__.py\"}","tool_call_id":"d1","tool_kind":null,"id":null,"provider_name":null,"provider_details":null,"part_kind":"tool-call"}],"metadata":{"d3":{"reason":"protected"},"d4":{"task":"count-d4-main.py"}},"_kinds":{}}
  turn files
    > Now go on.
    note approval.approved {"tool_name": "update_file", "call_id": "d3"}
    note approval.denied {"tool_name": "delete_file", "call_id": "d1", "reason": "Deleting files is not allowed"}
    tool delete_file(path=__init__.py) SKIPPED Deleting files is not allowed
    tool count_lines(path=main.py) = 42
    tool update_file(path=.env, content=A=1) = File '.env' updated: 'A=1'
    model gpt-5 10+2
    < README.md and .env are written, main.py has 42 lines; I may not delete __init__.py.
"""
