"""A handwritten loop over Anthropic's messages."""

import json

import anthropic

from support.drivers import pieces, sse, together
from turnspan.testing.drivers import MODEL, TOKENS, RuntimeDriver

try:
    import httpx2 as httpx
except ImportError:
    import httpx


def message(step):
    if isinstance(step, str):
        content = [{"type": "text", "text": step}]
    else:
        content = [{"type": "tool_use", "id": c.call_id, "name": c.name, "input": c.arguments} for c in step]
    return {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": content,
        "stop_sequence": None,
        "stop_reason": "end_turn" if isinstance(step, str) else "tool_use",
        "usage": {"input_tokens": TOKENS[0], "output_tokens": TOKENS[1]},
    }


def answer(step, request):
    if isinstance(step, Exception):
        error = {"type": "invalid_request_error", "message": str(step)}
        return httpx.Response(400, json={"type": "error", "error": error})
    whole = message(step)
    if not json.loads(request.content).get("stream"):
        return httpx.Response(200, json=whole)
    events = [{"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}]
    for n, block in enumerate(whole["content"]):
        text = block["type"] == "text"
        start = {**block, "text": ""} if text else {**block, "input": {}}
        events.append({"type": "content_block_start", "index": n, "content_block": start})
        parts = pieces(block["text"]) if text else [json.dumps(block["input"])]
        kind, key = ("text_delta", "text") if text else ("input_json_delta", "partial_json")
        events += [{"type": "content_block_delta", "index": n, "delta": {"type": kind, key: p}} for p in parts]
        events.append({"type": "content_block_stop", "index": n})
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events += [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": TOKENS[1]}},
        {"type": "message_stop"},
    ]
    return httpx.Response(200, text=sse(events, named=True), headers={"content-type": "text/event-stream"})


def client(script):
    transport = httpx.MockTransport(lambda request: answer(script.pop(0), request))
    return anthropic.AsyncAnthropic(api_key="x", max_retries=0, http_client=httpx.AsyncClient(transport=transport))


class AnthropicMessages(RuntimeDriver):
    adapter = "anthropic"

    async def turn(self, conversation, prompt, script):
        async with client(script) as model:
            messages = self._history(conversation, prompt)
            while True:
                done = await self._ask(model, messages)
                messages.append({"role": "assistant", "content": done.content})
                wanted = [block for block in done.content if block.type == "tool_use"]
                if not wanted:
                    return done.content[0].text
                results = await together([(c.name, c.input) for c in wanted], lambda error: error)
                messages.append(
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "tool_result",
                                "tool_use_id": call.id,
                                "is_error": isinstance(result, Exception),
                                "content": f"Error: {result}" if isinstance(result, Exception) else str(result),
                            }
                            for call, result in zip(wanted, results, strict=True)
                        ],
                    }
                )

    async def _ask(self, model, messages):
        return await model.messages.create(model=MODEL, max_tokens=100, system="Help.", messages=messages)

    async def stream(self, conversation, prompt, script):
        async with client(script) as model:
            messages = self._history(conversation, prompt)
            more = {"model": MODEL, "max_tokens": 100, "system": "Help.", "stream": True}
            async with await model.messages.create(messages=messages, **more) as stream:
                async for event in stream:
                    yield event

    def _history(self, conversation, prompt):
        messages = conversation.state.setdefault("messages", [])
        messages.append({"role": "user", "content": prompt})
        return messages


class AnthropicStreams(AnthropicMessages):
    """Every answer through the streaming helper."""

    async def _ask(self, model, messages):
        async with model.messages.stream(model=MODEL, max_tokens=100, system="Help.", messages=messages) as stream:
            return await stream.get_final_message()

    async def stream(self, conversation, prompt, script):
        async with client(script) as model:
            messages = self._history(conversation, prompt)
            async with model.messages.stream(model=MODEL, max_tokens=100, messages=messages) as stream:
                async for text in stream.text_stream:
                    yield text


drivers = [AnthropicMessages, AnthropicStreams]
