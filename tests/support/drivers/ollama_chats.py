"""A handwritten loop over Ollama's client, over the wire."""

import ollama

from support.drivers import together
from support.drivers._wire import TLS, OverTheWire
from turnspan.testing.drivers import MODEL, RuntimeDriver


class OllamaChats(OverTheWire, RuntimeDriver):
    """Each answer is whole; streams are read chunk by chunk."""

    adapter = "ollama"

    def client(self, conversation, script):
        key = self.serve(conversation, script)
        return ollama.AsyncClient(self.server.url, headers={"x-script": key}, verify=TLS, trust_env=False)

    async def turn(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        client = self.client(conversation, script)
        async with client._client:  # which it leaves open in releases before 0.5
            while True:
                message = await self._ask(client, messages)
                messages.append(message)
                if not message.tool_calls:
                    return message.content
                calls = [(c.function.name, dict(c.function.arguments)) for c in message.tool_calls]
                results = await together(calls, lambda error: f"Error: {error}")
                for (name, _), result in zip(calls, results, strict=True):
                    messages.append({"role": "tool", "tool_name": name, "content": str(result)})

    async def _ask(self, client, messages):
        return (await client.chat(MODEL, messages)).message

    async def stream(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        client = self.client(conversation, script)
        async with client._client:
            chunks = await client.chat(MODEL, messages, stream=True)
            try:
                async for chunk in chunks:
                    yield chunk
            finally:
                await chunks.aclose()

    @staticmethod
    def _history(conversation, prompt):
        messages = conversation.state.setdefault("messages", [{"role": "system", "content": "Help."}])
        messages.append({"role": "user", "content": prompt})
        return messages


class OllamaStreams(OllamaChats):
    """Each answer is streamed, and put together by the program."""

    async def _ask(self, client, messages):
        whole = ollama.Message(role="assistant", content="")
        async for chunk in await client.chat(model=MODEL, messages=messages, stream=True):
            whole.content += chunk.message.content or ""
            whole.tool_calls = [*(whole.tool_calls or ()), *(chunk.message.tool_calls or ())] or None
        return whole


drivers = [OllamaChats, OllamaStreams]
