"""The events by which one output item of OpenAI's responses is streamed."""

from collections.abc import Iterator
from typing import Any

from support.model_server.script import pieces

HOSTED_STATES = {
    "web_search_call": ("in_progress", "searching", "completed"),
    "file_search_call": ("in_progress", "searching", "completed"),
    "code_interpreter_call": ("in_progress", "interpreting", "completed"),
    "image_generation_call": ("in_progress", "generating", "completed"),
    "mcp_call": ("in_progress", "completed"),
}


def item_events(item: dict[str, Any], index: int) -> Iterator[dict[str, Any]]:
    """Yield an item's events, in the order of the real API."""
    at = {"output_index": index, "item_id": item["id"]}
    yield {"type": "response.output_item.added", "output_index": index, "item": _empty(item)}
    match item["type"]:
        case "message":
            for n, part in enumerate(item["content"]):
                yield from _part(part, {**at, "content_index": n})
        case "function_call":
            yield from _text(
                "response.function_call_arguments", "arguments", item["arguments"], at, {"name": item["name"]}
            )
        case "custom_tool_call":
            yield from _text("response.custom_tool_call_input", "input", item["input"], at)
        case "reasoning":
            for n, part in enumerate(item["summary"]):
                here = {**at, "summary_index": n}
                begun = {**part, "text": ""}
                yield {"type": "response.reasoning_summary_part.added", **here, "part": begun}
                yield from _text("response.reasoning_summary_text", "text", part["text"], here)
                yield {"type": "response.reasoning_summary_part.done", **here, "part": part}
        case kind if kind in HOSTED_STATES:
            yield from _hosted(kind, item, at)
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _hosted(kind: str, item: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    *before, last = HOSTED_STATES[kind]
    if item["status"] == "failed" and kind == "mcp_call":
        last = "failed"
    for state in before:
        yield {"type": f"response.{kind}.{state}", **at}
    if kind == "code_interpreter_call":
        yield from _text("response.code_interpreter_call_code", "code", item["code"], at)
    if kind == "mcp_call":
        yield from _text("response.mcp_call_arguments", "arguments", item["arguments"], at)
    yield {"type": f"response.{kind}.{last}", **at}


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as it is when it begins."""
    begun = {"content": [], "arguments": "", "input": "", "summary": [], "code": "", "outputs": None, "output": None,
             "results": None, "result": None, "error": None}  # fmt: skip
    empty = {key: begun.get(key, value) for key, value in item.items()}
    return {**empty, "status": "in_progress"} if "status" in item else empty


def _part(part: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    key = "refusal" if part["type"] == "refusal" else "text"
    yield {"type": "response.content_part.added", **at, "part": {**part, key: ""}}
    kind = "response.refusal" if key == "refusal" else "response.output_text"
    logprobs = {} if key == "refusal" else {"logprobs": []}
    yield from _text(kind, key, part[key], {**at, **logprobs})
    yield {"type": "response.content_part.done", **at, "part": part}


def _text(
    kind: str, key: str, text: str, at: dict[str, Any], done: dict[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    for piece in pieces(text):
        yield {"type": f"{kind}.delta", **at, "delta": piece}
    yield {"type": f"{kind}.done", **at, key: text, **(done or {})}
