"""A handwritten loop over Google's client, over the wire."""

import google.genai as genai
from google.genai import types

from support.drivers import together
from support.drivers._wire import TLS, OverTheWire
from turnspan.testing.drivers import MODEL, RuntimeDriver


class GeminiContents(OverTheWire, RuntimeDriver):
    """Each answer is whole; streams are read chunk by chunk."""

    adapter = "google-genai"
    config = types.GenerateContentConfig(system_instruction="Help.")

    def client(self, conversation, script):
        key = self.serve(conversation, script)
        more = {
            "client_args": {"verify": TLS, "trust_env": False},
            "async_client_args": {"verify": TLS, "trust_env": False},
        }
        return genai.Client(
            api_key=key, vertexai=False, http_options=types.HttpOptions(base_url=self.server.url, **more)
        ).aio

    async def turn(self, conversation, prompt, script):
        contents = self._history(conversation, prompt)
        client = self.client(conversation, script)
        try:
            while True:
                content = await self._ask(client, contents)
                contents.append(content)
                wanted = [part.function_call for part in content.parts if part.function_call]
                if not wanted:
                    return "".join(part.text for part in content.parts)
                results = await together([(c.name, dict(c.args)) for c in wanted], lambda error: f"Error: {error}")
                parts = [
                    types.Part.from_function_response(name=call.name, response={"result": str(result)})
                    for call, result in zip(wanted, results, strict=True)
                ]
                contents.append(types.Content(role="user", parts=parts))
        finally:
            await _closed(client)

    async def _ask(self, client, contents):
        done = await client.models.generate_content(model=MODEL, contents=contents, config=self.config)
        return done.candidates[0].content

    async def stream(self, conversation, prompt, script):
        contents = self._history(conversation, prompt)
        client = self.client(conversation, script)
        chunks = await client.models.generate_content_stream(model=MODEL, contents=contents, config=self.config)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()
            await _closed(client)

    @staticmethod
    def _history(conversation, prompt):
        contents = conversation.state.setdefault("contents", [])
        contents.append(types.Content(role="user", parts=[types.Part.from_text(text=prompt)]))
        return contents


class GeminiStreams(GeminiContents):
    """Each answer is streamed, and put together by the program."""

    async def _ask(self, client, contents):
        parts = []
        async for chunk in await client.models.generate_content_stream(
            model=MODEL, contents=contents, config=self.config
        ):
            parts += chunk.candidates[0].content.parts
        text = "".join(part.text for part in parts if part.text)
        calls = [part for part in parts if part.function_call]
        return types.Content(role="model", parts=calls or [types.Part.from_text(text=text)])


async def _closed(client):
    """Close what older releases leave to the garbage collector."""
    if hasattr(client, "aclose"):
        await client.aclose()
    else:
        await client._api_client._async_httpx_client.aclose()


drivers = [GeminiContents, GeminiStreams]
