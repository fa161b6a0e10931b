"""A handwritten loop over LiteLLM, over the wire: it asks through OpenAI's client."""

import json
import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it fetches one when it is imported
import litellm
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

from support.drivers import together
from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, RuntimeDriver

litellm.suppress_debug_info = True


class LiteLLMChats(OverTheWire, RuntimeDriver):
    """Each answer is whole; streams are read chunk by chunk."""

    adapter = "litellm"
    streams = hasattr(CustomStreamWrapper, "aclose")  # before 1.100 a stream that is left cannot be closed

    async def turn(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        async with self.openai(conversation, script) as client:
            while True:
                message = await self._ask(client, messages)
                messages.append(message)
                if not message.tool_calls:
                    return message.content
                calls = [(c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls]
                results = await together(calls, lambda error: f"Error: {error}")
                for call, result in zip(message.tool_calls, results, strict=True):
                    messages.append({"role": "tool", "tool_call_id": call.id, "content": str(result)})

    async def _ask(self, client, messages):
        done = await litellm.acompletion(model=f"openai/{MODEL}", messages=messages, client=client, max_retries=0)
        return done.choices[0].message

    async def stream(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        async with self.openai(conversation, script) as client:
            chunks = await litellm.acompletion(model=f"openai/{MODEL}", messages=messages, client=client, **STREAMED)
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


STREAMED = {"stream": True, "stream_options": {"include_usage": True}, "max_retries": 0}


class LiteLLMStreams(LiteLLMChats):
    """Each answer is streamed, and put together by LiteLLM's own helper."""

    async def _ask(self, client, messages):
        asked = {"model": f"openai/{MODEL}", "messages": messages}
        chunks = [chunk async for chunk in await litellm.acompletion(**asked, client=client, **STREAMED)]
        return litellm.stream_chunk_builder(chunks, messages=messages).choices[0].message


drivers = [LiteLLMChats, LiteLLMStreams]
