"""The content blocks of Anthropic's messages, and the events by which they are streamed."""

import json
from collections.abc import Iterator
from typing import Any

from support.model_server.script import Answer, HostedTool, pieces


def content(answer: Answer) -> list[dict[str, Any]]:
    """Return all blocks of an answer."""
    blocks: list[dict[str, Any]] = []
    if answer.thinking is not None:
        blocks.append({"type": "thinking", "thinking": answer.thinking, "signature": "c2lnbmVk"})
    for tool in answer.hosted:
        blocks += _hosted(tool)
    blocks += answer.items
    if answer.text is not None:
        blocks.append({"type": "text", "text": answer.text, "citations": None})
    for call in answer.tool_calls:
        blocks.append({"type": "tool_use", "id": call.call_id, "name": call.name, "input": call.arguments})
    return blocks


def _hosted(tool: HostedTool) -> list[dict[str, Any]]:
    """Return a call that ran at the provider, and its result."""
    call = {"type": "server_tool_use", "id": tool.call_id, "name": tool.name, "input": tool.arguments}
    result: dict[str, Any] = {"tool_use_id": tool.call_id}
    match tool.name:
        case "web_search":
            found: Any = [
                {"type": "web_search_result", "url": str(url), "title": str(url), "encrypted_content": "eA==",
                 "page_age": None}
                for url in tool.result or ()
            ]  # fmt: skip
            if tool.error:
                found = {"type": "web_search_tool_result_error", "error_code": tool.error}
            result |= {"type": "web_search_tool_result", "content": found}
        case "code_interpreter":
            call["name"] = "code_execution"
            found = {"type": "code_execution_result", "stdout": str(tool.result), "stderr": "", "return_code": 0,
                     "content": []}  # fmt: skip
            if tool.error:
                found = {"type": "code_execution_tool_result_error", "error_code": tool.error}
            result |= {"type": "code_execution_tool_result", "content": found}
        case _:
            call |= {"type": "mcp_tool_use", "name": tool.function, "server_name": tool.server}
            text = [{"type": "text", "text": str(tool.error or tool.result)}]
            result |= {"type": "mcp_tool_result", "is_error": bool(tool.error), "content": text}
    return [call, result]


def block_events(block: dict[str, Any], index: int) -> Iterator[dict[str, Any]]:
    """Yield a block's events; the last one is its stop."""
    for event in _begun(block):
        yield {**event, "index": index}
    yield {"type": "content_block_stop", "index": index}


def _begun(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    start = {"type": "content_block_start"}
    match block["type"]:
        case "text":
            yield {**start, "content_block": {**block, "text": ""}}
            yield from (_delta("text_delta", text=piece) for piece in pieces(block["text"]))
        case "thinking":
            yield {**start, "content_block": {**block, "thinking": "", "signature": ""}}
            yield from (_delta("thinking_delta", thinking=piece) for piece in pieces(block["thinking"]))
            yield _delta("signature_delta", signature=block["signature"])
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            yield {**start, "content_block": {**block, "input": {}}}
            given = block["input"]
            text = given if isinstance(given, str) else json.dumps(given)
            yield from (_delta("input_json_delta", partial_json=part) for part in ("", *pieces(text)))
        case _:
            yield {**start, "content_block": block}  # results come whole


def _delta(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "delta": {"type": kind, **more}}
