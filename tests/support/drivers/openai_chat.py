"""A handwritten loop over OpenAI's chat completions."""

import json

import openai

from support.drivers import pieces, sse, together
from turnspan.testing.drivers import MODEL, TOKENS, RuntimeDriver

try:
    import httpx2 as httpx  # openai 3
except ImportError:
    import httpx

USED = {"prompt_tokens": TOKENS[0], "completion_tokens": TOKENS[1], "total_tokens": sum(TOKENS)}


def completion(step):
    message = {"role": "assistant", "content": None}
    if isinstance(step, str):
        message["content"] = step
    else:
        message["tool_calls"] = [
            {"id": c.call_id, "type": "function", "function": {"name": c.name, "arguments": json.dumps(c.arguments)}}
            for c in step
        ]
    return message, "stop" if isinstance(step, str) else "tool_calls"


def answer(step, request):
    """Return what the server answers."""
    if isinstance(step, Exception):
        return httpx.Response(400, json={"error": {"message": str(step), "type": "invalid_request_error"}})
    message, finish = completion(step)
    base = {"id": "resp-1", "created": 1, "model": MODEL}
    if not json.loads(request.content).get("stream"):
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return httpx.Response(200, json={**base, "object": "chat.completion", "choices": choices, "usage": USED})
    deltas = [{"content": piece} for piece in pieces(message["content"] or "")]
    if message.get("tool_calls"):
        deltas = [{"tool_calls": [{"index": n, **call}]} for n, call in enumerate(message["tool_calls"])]
    chunks = [{**base, "choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    chunks.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    chunks.append({**base, "choices": [], "usage": USED})
    text = sse([{**c, "object": "chat.completion.chunk"} for c in chunks], done=True)
    return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})


def client(script, answer=answer):
    """Return a client of a scripted server."""
    transport = httpx.MockTransport(lambda request: answer(script.pop(0), request))
    return openai.AsyncOpenAI(api_key="x", max_retries=0, http_client=httpx.AsyncClient(transport=transport))


class OpenAIChat(RuntimeDriver):
    adapter = "openai"

    async def turn(self, conversation, prompt, script):
        async with client(script) as model:
            messages = self._history(conversation, prompt)
            while True:
                done = await model.chat.completions.create(model=MODEL, messages=messages)
                message = done.choices[0].message
                messages.append(message)
                if not message.tool_calls:
                    return message.content
                calls = [(c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls]
                results = await together(calls, lambda error: f"Error: {error}")
                for call, result in zip(message.tool_calls, results, strict=True):
                    messages.append({"role": "tool", "tool_call_id": call.id, "content": str(result)})

    async def stream(self, conversation, prompt, script):
        async with client(script) as model:
            messages = self._history(conversation, prompt)
            more = {"stream": True, "stream_options": {"include_usage": True}}
            stream = await model.chat.completions.create(model=MODEL, messages=messages, **more)
            text = ""
            try:
                async for chunk in stream:
                    if chunk.choices and chunk.choices[0].delta.content:
                        text += chunk.choices[0].delta.content
                        yield chunk
            finally:
                await stream.close()
            messages.append({"role": "assistant", "content": text})

    @staticmethod
    def _history(conversation, prompt):
        messages = conversation.state.setdefault("messages", [{"role": "system", "content": "Help."}])
        messages.append({"role": "user", "content": prompt})
        return messages


drivers = [OpenAIChat]
