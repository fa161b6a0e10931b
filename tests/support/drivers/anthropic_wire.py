"""A handwritten loop over Anthropic's client, over the wire."""

import anthropic  # noqa: F401  without it there is no such runtime

from support.drivers import together
from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, RuntimeDriver

ASKED = {"model": MODEL, "max_tokens": 100, "system": "Help."}


class MessagesOverTheWire(OverTheWire, RuntimeDriver):
    """Each answer through the streaming helper."""

    adapter = "anthropic"

    async def turn(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        async with self.anthropic(conversation, script) as model:
            while True:
                done = await self._ask(model, messages)
                messages.append({"role": "assistant", "content": done.content})
                wanted = [block for block in done.content if block.type == "tool_use"]
                if not wanted:
                    return done.content[0].text
                results = await together([(c.name, c.input) for c in wanted], lambda error: error)
                messages.append({"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": call.id, "is_error": isinstance(result, Exception),
                     "content": f"Error: {result}" if isinstance(result, Exception) else str(result)}
                    for call, result in zip(wanted, results, strict=True)
                ]})  # fmt: skip

    async def _ask(self, model, messages):
        async with model.messages.stream(messages=messages, **ASKED) as stream:
            return await stream.get_final_message()

    async def stream(self, conversation, prompt, script):
        messages = self._history(conversation, prompt)
        async with self.anthropic(conversation, script) as model:
            async with await model.messages.create(messages=messages, stream=True, **ASKED) as stream:
                async for event in stream:
                    yield event

    @staticmethod
    def _history(conversation, prompt):
        messages = conversation.state.setdefault("messages", [])
        messages.append({"role": "user", "content": prompt})
        return messages


drivers = [MessagesOverTheWire]
