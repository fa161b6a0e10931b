"""Handwritten loops over OpenAI's clients, over the wire: every answer streamed, and through the helpers."""

import json

from openai.resources.responses import AsyncResponses

from support.drivers import together
from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, RuntimeDriver


class ChatOverTheWire(OverTheWire, RuntimeDriver):
    """Each answer is streamed, and put together by the program."""

    adapter = "openai"

    async def turn(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        async with self.openai(conversation, script) as model:
            while True:
                text, calls = await self._ask(model, messages)
                if not calls:
                    messages.append({"role": "assistant", "content": text})
                    return text
                messages.append({"role": "assistant", "content": text or None, "tool_calls": calls})
                asked = [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls]
                results = await together(asked, lambda error: f"Error: {error}")
                for call, result in zip(calls, results, strict=True):
                    messages.append({"role": "tool", "tool_call_id": call["id"], "content": str(result)})

    async def _ask(self, model, messages):
        text, calls = "", {}
        more = {"stream": True, "stream_options": {"include_usage": True}}
        async with await model.chat.completions.create(model=MODEL, messages=messages, **more) as stream:
            async for chunk in stream:
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    for call in choice.delta.tool_calls or ():
                        empty = {"id": call.id, "type": "function", "function": {"name": "", "arguments": ""}}
                        function = calls.setdefault(call.index, empty)["function"]
                        function["name"] += call.function.name or ""
                        function["arguments"] += call.function.arguments or ""
        return text, list(calls.values())

    async def stream(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        async with self.openai(conversation, script) as model:
            more = {"stream": True, "stream_options": {"include_usage": True}}
            async with await model.chat.completions.create(model=MODEL, messages=messages, **more) as stream:
                async for chunk in stream:
                    yield chunk

    @staticmethod
    def _history(conversation, prompt):
        messages = conversation.state.setdefault("messages", [{"role": "system", "content": "Help."}])
        messages.append({"role": "user", "content": prompt})
        return messages


class ChatHelperOverTheWire(ChatOverTheWire):
    """Each answer through the streaming helper."""

    async def _ask(self, model, messages):
        more = {"stream_options": {"include_usage": True}}
        helper = getattr(model.chat.completions, "stream", None) or model.beta.chat.completions.stream  # before 1.92
        async with helper(model=MODEL, messages=messages, **more) as stream:
            message = (await stream.get_final_completion()).choices[0].message
        calls = [
            {"id": c.id, "type": "function", "function": {"name": c.function.name, "arguments": c.function.arguments}}
            for c in message.tool_calls or ()
        ]
        return message.content or "", calls


class ResponsesOverTheWire(OverTheWire, RuntimeDriver):
    """Each answer is streamed; each request goes on from the response before."""

    adapter = "openai"

    async def turn(self, conversation, prompt, script):
        items = [{"role": "user", "content": prompt}]
        async with self.openai(conversation, script) as model:
            while True:
                done = await self._ask(model, items, conversation.state.get("previous"))
                conversation.state["previous"] = done.id
                wanted = [item for item in done.output if item.type == "function_call"]
                if not wanted:
                    return done.output_text
                results = await together([(c.name, json.loads(c.arguments)) for c in wanted], lambda e: f"Error: {e}")
                items = [
                    {"type": "function_call_output", "call_id": call.call_id, "output": str(result)}
                    for call, result in zip(wanted, results, strict=True)
                ]

    async def _ask(self, model, items, previous):
        more = {"previous_response_id": previous} if previous else {}
        async with await model.responses.create(model=MODEL, input=items, stream=True, **more) as stream:
            async for event in stream:
                if event.type == "response.completed":
                    done = event.response
        return done

    async def stream(self, conversation, prompt, script):
        async with self.openai(conversation, script) as model:
            async with await model.responses.create(model=MODEL, input=prompt, stream=True) as stream:
                async for event in stream:
                    yield event


class ResponsesHelperOverTheWire(ResponsesOverTheWire):
    """Each answer through the streaming helper."""

    async def _ask(self, model, items, previous):
        more = {"previous_response_id": previous} if previous else {}
        async with model.responses.stream(model=MODEL, input=items, **more) as stream:
            return await stream.get_final_response()


drivers = [ChatOverTheWire, ChatHelperOverTheWire, ResponsesOverTheWire]
if hasattr(AsyncResponses, "stream"):  # from 1.70
    drivers.append(ResponsesHelperOverTheWire)
