"""The answers that carry a usage: each interface's smallest one, whole and streamed."""

import json

from support.model_server import bedrock
from support.model_server.wire import Reply, sse, streamed, whole

MESSAGE = {"role": "assistant", "content": "Hello."}


def chat(said, beside):
    choice = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
    return whole({"id": "r", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice],
                  "usage": said, **beside})  # fmt: skip


def chat_streamed(said, beside):
    """The usage stands in the last chunk, as OpenAI has it; one that is not the last yet is in the chunk before."""
    base = {"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m", **beside}
    delta = {"index": 0, "delta": MESSAGE, "finish_reason": None}
    so_far = {**said, "completion_tokens": 1, "total_tokens": said["prompt_tokens"] + 1}
    chunks = [
        {**base, "choices": [delta], "usage": so_far},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**base, "choices": [], "usage": said},
    ]
    return streamed([*map(sse, chunks), sse("[DONE]")])


def mistralai(said, beside):
    return chat(said, beside)


def mistralai_streamed(said, _beside):
    """The usage stands in the last chunk, beside the reason to stop; before it the model thinks."""
    base = {"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]
    choices = [
        {"index": 0, "delta": {"role": "assistant", "content": thought}, "finish_reason": None},
        {"index": 0, "delta": {"content": "Hello."}, "finish_reason": None},
        {"index": 0, "delta": {"content": ""}, "finish_reason": "stop"},
    ]
    chunks = [{**base, "choices": [choice]} for choice in choices]
    return streamed([*map(sse, [*chunks[:-1], {**chunks[-1], "usage": said}]), sse("[DONE]")])


def groq_streamed(said, beside):
    """Groq's own place for the usage of a stream that was not asked for it as OpenAI is."""
    base = {"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m", **beside}
    chunks = [
        {**base, "choices": [{"index": 0, "delta": MESSAGE, "finish_reason": None}], "x_groq": {"id": "req"}},
        {
            **base,
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "x_groq": {"id": "req", "usage": said},
        },
    ]
    return streamed([*map(sse, chunks), sse("[DONE]")])


def _response(said, beside):
    item = {"id": "i", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}  # fmt: skip
    return {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": [item],
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": said, **beside}  # fmt: skip


def responses(said, beside):
    return whole(_response(said, beside))


def responses_streamed(said, beside):
    done = _response(said, beside)
    begun = {**done, "status": "in_progress", "output": [], "usage": None}
    events = [{"type": "response.created", "response": begun}, {"type": "response.completed", "response": done}]
    return streamed([sse({**e, "sequence_number": n}, name=e["type"]) for n, e in enumerate(events)])


def _message(said):
    return {"id": "r", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
            "stop_sequence": None, "content": [{"type": "text", "text": "Hello."}], "usage": said}  # fmt: skip


def messages(said, _beside):
    return whole(_message(said))


def messages_streamed(said, _beside):
    """The start says what was given, the end what was made, and again what is known until then."""
    start = {**_message({**{k: v for k, v in said.items() if k != "iterations"}, "output_tokens": 1}), "content": [],
             "stop_reason": None}  # fmt: skip
    last = {k: v for k, v in said.items() if k in ("input_tokens", "output_tokens", "iterations")}
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": last},
        {"type": "message_stop"},
    ]
    return streamed([sse(e, name=e["type"]) for e in events])


def _contents(text, **more):
    return {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **more}],
        "modelVersion": "m",
    }


def contents(said, _beside):
    return whole({**_contents("Hello.", finishReason="STOP"), "usageMetadata": said})


def contents_streamed(said, _beside):
    """Each chunk says what there was until then."""
    so_far = {"promptTokenCount": said["promptTokenCount"], "totalTokenCount": said["promptTokenCount"]}
    chunks = [
        {**_contents("Hel"), "usageMetadata": so_far},
        {**_contents("lo.", finishReason="STOP"), "usageMetadata": said},
    ]
    return streamed([*map(sse, chunks)])


def converse(said, _beside):
    message = {"role": "assistant", "content": [{"text": "Hello."}]}
    return whole({"output": {"message": message}, "stopReason": "end_turn", "usage": said, "metrics": {"latencyMs": 1}})


def converse_streamed(said, _beside):
    events = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello."}}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": said, "metrics": {"latencyMs": 1}}),
    ]
    return bedrock.stream([bedrock.event(name, body) for name, body in events])


def ollama(said, _beside):
    return whole({"model": "m", "message": MESSAGE, "done": True, "done_reason": "stop", **said})


def ollama_streamed(said, _beside):
    chunks = [{"model": "m", "message": MESSAGE, "done": False}, {"model": "m", "message": {"role": "assistant", "content": ""},
              "done": True, "done_reason": "stop", **said}]  # fmt: skip
    return Reply(
        200, {"content-type": "application/x-ndjson"}, frames=[json.dumps(one).encode() + b"\n" for one in chunks]
    )
