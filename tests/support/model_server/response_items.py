"""The output items of OpenAI's responses: what the model says, asks for, and what ran at the provider."""

import json
from typing import Any

from support.model_server.script import Answer, HostedTool


def output(answer: Answer, number: str) -> list[dict[str, Any]]:
    """Return all items of an answer."""
    items: list[dict[str, Any]] = []
    if answer.thinking is not None:
        summary = [{"type": "summary_text", "text": answer.thinking}]
        items.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary})
    items += [_hosted(tool) for tool in answer.hosted]
    items += answer.items
    parts: list[dict[str, Any]] = []
    if answer.text is not None:
        parts.append({"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []})
    if answer.refusal is not None:
        parts.append({"type": "refusal", "refusal": answer.refusal})
    if parts:
        status = "incomplete" if answer.status == "incomplete" else "completed"
        message = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": status, "content": parts}
        items.append(message)
    for call in answer.tool_calls:
        arguments = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
        items.append(
            {"type": "function_call", "id": f"fc_{call.call_id}", "call_id": call.call_id, "name": call.name,
             "arguments": arguments, "status": "completed"}
        )  # fmt: skip
    return items


def _hosted(tool: HostedTool) -> dict[str, Any]:
    status = "failed" if tool.error else "completed"
    match tool.name:
        case "web_search":
            query = tool.arguments.get("query", "")
            sources = [{"type": "url", "url": str(url)} for url in tool.result or ()]
            action = {"type": "search", "query": query, "queries": [query], "sources": sources}
            return {"type": "web_search_call", "id": tool.call_id, "status": status, "action": action}
        case "file_search":
            results = [
                {"file_id": f"file_{n}", "filename": f"{n}.txt", "score": 0.5, "text": str(text), "attributes": {}}
                for n, text in enumerate(tool.result or ())
            ]
            queries = [tool.arguments.get("query", "")]
            found = results if tool.result is not None else None  # only with include=["file_search_call.results"]
            return {
                "type": "file_search_call",
                "id": tool.call_id,
                "status": status,
                "queries": queries,
                "results": found,
            }
        case "code_interpreter":
            logs = [{"type": "logs", "logs": str(tool.result)}] if tool.result is not None else None
            return {"type": "code_interpreter_call", "id": tool.call_id, "status": status, "container_id": "cntr_1",
                    "code": tool.arguments.get("code", ""), "outputs": logs}  # fmt: skip
        case "image_generation":
            return {"type": "image_generation_call", "id": tool.call_id, "status": status, "result": tool.result,
                    "revised_prompt": tool.arguments.get("prompt")}  # fmt: skip
        case _:
            error = {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": tool.error}]}
            return {"type": "mcp_call", "id": tool.call_id, "status": status, "name": tool.function,
                    "server_label": tool.server, "arguments": json.dumps(tool.arguments),
                    "output": tool.result, "error": error if tool.error else None}  # fmt: skip


# What the program is asked to do, though the provider names the tool. To be given as ``Answer(items=[...])``. ---------


def computer_call(call_id: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a click, a key, a screenshot that is asked for."""
    return {"type": "computer_call", "id": f"cu_{call_id}", "call_id": call_id, "status": "completed", "action": action,
            "pending_safety_checks": [], **more}  # fmt: skip


def local_shell_call(call_id: str, command: list[str]) -> dict[str, Any]:
    """Return a command for the shell of the codex models."""
    action = {"type": "exec", "command": command, "env": {}}
    item = {"type": "local_shell_call", "id": f"lsh_{call_id}", "call_id": call_id, "status": "completed"}
    return {**item, "action": action}


def shell_call(call_id: str, commands: list[str]) -> dict[str, Any]:
    """Return commands for the shell tool."""
    action = {"commands": commands, "timeout_ms": None, "max_output_length": None}
    item = {"type": "shell_call", "id": f"sh_{call_id}", "call_id": call_id, "status": "completed"}
    return {**item, "action": action, "environment": None}


def apply_patch_call(call_id: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Return a change of a file that is asked for."""
    item = {"type": "apply_patch_call", "id": f"apc_{call_id}", "call_id": call_id, "status": "completed"}
    return {**item, "operation": operation}


def custom_tool_call(call_id: str, name: str, text: str) -> dict[str, Any]:
    """Return a call whose input is text and no JSON."""
    return {"type": "custom_tool_call", "id": f"ctc_{call_id}", "call_id": call_id, "name": name, "input": text}


def mcp_approval_request(ident: str, name: str, arguments: dict[str, Any], server: str = "docs") -> dict[str, Any]:
    """Return a question whether an MCP server's tool may be called."""
    return {"type": "mcp_approval_request", "id": ident, "name": name, "arguments": json.dumps(arguments),
            "server_label": server}  # fmt: skip
