"""A handwritten loop over Mistral's client, over the wire."""

import json
from contextlib import asynccontextmanager

from mistralai.client import Mistral
from mistralai.client.httpclient import httpx

from support.drivers import together
from support.drivers._wire import TLS, OverTheWire
from turnspan.testing.drivers import MODEL, RuntimeDriver


class MistralChats(OverTheWire, RuntimeDriver):
    """Each answer is whole; streams are read chunk by chunk."""

    adapter = "mistralai"

    @asynccontextmanager
    async def client(self, conversation, script):
        key = self.serve(conversation, script)
        async with httpx.AsyncClient(verify=TLS, trust_env=False) as http:
            yield Mistral(api_key=key, server_url=self.server.url, async_client=http, retry_config=None)

    async def turn(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        async with self.client(conversation, script) as client:
            while True:
                message = await self._ask(client, messages)
                messages.append(message)
                if not message["tool_calls"]:
                    return message["content"]
                calls = [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in message["tool_calls"]]
                results = await together(calls, lambda error: f"Error: {error}")
                for call, result in zip(message["tool_calls"], results, strict=True):
                    named = {"name": call["function"]["name"], "tool_call_id": call["id"]}
                    messages.append({"role": "tool", "content": str(result), **named})

    async def _ask(self, client, messages):
        done = await client.chat.complete_async(model=MODEL, messages=messages)
        message = done.choices[0].message
        return {"role": "assistant", "content": message.content, "tool_calls": _calls(message.tool_calls)}

    async def stream(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        async with self.client(conversation, script) as client:
            async with await client.chat.stream_async(model=MODEL, messages=messages) as events:
                async for event in events:
                    yield event

    @staticmethod
    def _history(conversation, prompt):
        messages = conversation.state.setdefault("messages", [{"role": "system", "content": "Help."}])
        messages.append({"role": "user", "content": prompt})
        return messages


class MistralStreams(MistralChats):
    """Each answer is streamed, and put together by the program."""

    async def _ask(self, client, messages):
        text, calls = "", {}
        async with await client.chat.stream_async(model=MODEL, messages=messages) as events:
            async for event in events:
                for choice in event.data.choices:
                    text += choice.delta.content or ""
                    for call in choice.delta.tool_calls or ():
                        whole = calls.setdefault(call.index, _calls([call])[0])
                        if whole["id"] != call.id:  # a further piece has none
                            whole["function"]["arguments"] += call.function.arguments
        return {"role": "assistant", "content": text, "tool_calls": list(calls.values())}


def _calls(calls):
    return [
        {"id": c.id, "type": "function", "function": {"name": c.function.name, "arguments": c.function.arguments}}
        for c in calls or ()
    ]


drivers = [MistralChats, MistralStreams]
