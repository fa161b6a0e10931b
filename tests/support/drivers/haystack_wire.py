"""Haystack over the wire, with its generator of OpenAI's chat completions: an agent in a pipeline, and one on its own."""

import asyncio
import os
from contextlib import asynccontextmanager, suppress

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "false")

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import ComponentTool, create_tool_from_function
from haystack.utils import Secret

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


class HaystackOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "haystack"

    @asynccontextmanager
    async def _model(self, conversation, script):
        async with self.openai(conversation, script) as client:
            key, address = Secret.from_token(client.api_key), str(client.base_url)
            made = OpenAIChatGenerator(key, MODEL, api_base_url=address, max_retries=0)
            made.async_client = client
            yield made

    def _agent(self, model, tools=TOOLS):
        return Agent(chat_generator=model, tools=list(map(create_tool_from_function, tools)), system_prompt="Help.")

    def _pipeline(self, agent):
        made = Pipeline()
        made.add_component("triage", agent)
        return made

    async def turn(self, conversation, prompt, script):
        messages = [*conversation.state.get("said", ()), ChatMessage.from_user(prompt)]
        async with self._model(conversation, script) as model:
            done = await self._pipeline(self._agent(model)).run_async({"triage": {"messages": messages}})
        conversation.state["said"] = done["triage"]["messages"][1:]  # it puts its system prompt in front each time
        return done["triage"]["last_message"].text

    async def stream(self, conversation, prompt, script):
        chunks = asyncio.Queue(1)  # the agent goes on when somebody reads
        async with self._model(conversation, script) as model:

            async def run():
                messages = [ChatMessage.from_user(prompt)]
                await self._agent(model).run_async(messages=messages, streaming_callback=chunks.put)
                await chunks.put(None)

            task = asyncio.ensure_future(run())
            try:
                while (item := await chunks.get()) is not None:
                    yield item
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def sub_agent(self, conversation, prompt):
        asked = {"messages": [{"role": "user", "content": [{"text": "q"}]}]}
        script = [[ScriptedToolCall("helper", asked, "c")], "helped", "done"]
        async with self._model(conversation, script) as model:
            helper = ComponentTool(self._agent(model, []), name="helper", description="Helps.")
            pipeline = self._pipeline(Agent(chat_generator=model, tools=[helper]))
            done = await pipeline.run_async({"triage": {"messages": [ChatMessage.from_user(prompt)]}})
        return done["triage"]["last_message"].text


drivers = [HaystackOverTheWire]
