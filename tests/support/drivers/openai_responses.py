"""A handwritten loop over OpenAI's responses."""

import json

from support.drivers import pieces, sse, together
from support.drivers.openai_chat import client, httpx
from turnspan.testing.drivers import MODEL, TOKENS, RuntimeDriver


def response(step, number):
    if isinstance(step, str):
        part = {"type": "output_text", "text": step, "annotations": []}
        output = [{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}]
    else:
        output = [
            {
                "type": "function_call",
                "id": f"f{n}",
                "call_id": c.call_id,
                "name": c.name,
                "status": "completed",
                "arguments": json.dumps(c.arguments),
            }
            for n, c in enumerate(step)
        ]
    used = {
        "input_tokens": TOKENS[0],
        "output_tokens": TOKENS[1],
        "total_tokens": sum(TOKENS),
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    return {
        "id": f"resp-{number}",
        "object": "response",
        "created_at": 1,
        "model": MODEL,
        "status": "completed",
        "output": output,
        "usage": used,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


class _Server:
    count = 0

    def __call__(self, step, request):
        type(self).count += 1
        if isinstance(step, Exception):
            return httpx.Response(400, json={"error": {"message": str(step), "type": "invalid_request_error"}})
        whole = response(step, self.count)
        if not json.loads(request.content).get("stream"):
            return httpx.Response(200, json=whole)
        events = [
            {
                "type": "response.output_text.delta",
                "delta": piece,
                "item_id": "m",
                "output_index": 0,
                "content_index": 0,
                "logprobs": [],
            }
            for piece in pieces(step if isinstance(step, str) else "")
        ]
        events.append({"type": "response.completed", "response": whole})
        text = sse([{**e, "sequence_number": n} for n, e in enumerate(events)], named=True)
        return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})


class OpenAIResponses(RuntimeDriver):
    """Each request is given the whole list."""

    adapter = "openai"

    async def turn(self, conversation, prompt, script):
        async with client(script, _Server()) as model:
            items = self._history(conversation, prompt)
            while True:
                done = await self._ask(model, items, conversation)
                items += done.output
                wanted = [item for item in done.output if item.type == "function_call"]
                if not wanted:
                    return done.output_text
                results = await together([(c.name, json.loads(c.arguments)) for c in wanted], lambda e: f"Error: {e}")
                for call, result in zip(wanted, results, strict=True):
                    items.append({"type": "function_call_output", "call_id": call.call_id, "output": str(result)})

    async def stream(self, conversation, prompt, script):
        async with client(script, _Server()) as model:
            items = self._history(conversation, prompt)
            async with await model.responses.create(model=MODEL, input=items, stream=True) as stream:
                async for event in stream:
                    yield event

    def _history(self, conversation, prompt):
        items = conversation.state.setdefault("items", [{"role": "developer", "content": "Help."}])
        items.append({"role": "user", "content": prompt})
        return items

    async def _ask(self, model, items, conversation):
        return await model.responses.create(model=MODEL, input=items)


class OpenAIPreviousResponse(OpenAIResponses):
    """Each request is given what is new, and the id of the response before."""

    async def _ask(self, model, items, conversation):
        new, items[:] = list(items), []
        more = {"previous_response_id": before} if (before := conversation.state.get("previous")) else {}
        done = await model.responses.create(model=MODEL, input=new, **more)
        conversation.state["previous"] = done.id
        return done

    async def turn(self, conversation, prompt, script):
        async with client(script, _Server()) as model:
            items = [{"role": "user", "content": prompt}]
            while True:
                done = await self._ask(model, items, conversation)
                wanted = [item for item in done.output if item.type == "function_call"]
                if not wanted:
                    return done.output_text
                results = await together([(c.name, json.loads(c.arguments)) for c in wanted], lambda e: f"Error: {e}")
                for call, result in zip(wanted, results, strict=True):
                    items.append({"type": "function_call_output", "call_id": call.call_id, "output": str(result)})


drivers = [OpenAIResponses, OpenAIPreviousResponse]
