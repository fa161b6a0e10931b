"""Strands Agents over the wire, with its model of OpenAI's API."""

from strands import Agent, tool
from strands.models.openai import OpenAIModel

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


class StrandsOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions, always streamed."""

    adapter = "strands"
    own_spans = ("strands.telemetry.tracer",)

    def _agent(self, client, name="triage", tools=TOOLS):
        tools = [one if hasattr(one, "tool_spec") else tool(one) for one in tools]
        model = OpenAIModel(client=client, model_id=MODEL)
        return Agent(model, name=name, tools=tools, system_prompt="Help.", callback_handler=None)

    def _kept(self, conversation, client):
        kept = conversation.state.setdefault("agent", self._agent(client))
        kept.model = OpenAIModel(client=client, model_id=MODEL)
        return kept

    async def turn(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            return str(await self._kept(conversation, client).invoke_async(prompt)).strip()

    async def stream(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            stream = self._kept(conversation, client).stream_async(prompt)
            try:
                async for item in stream:
                    yield item
            finally:
                await stream.aclose()

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("helper", {"input": "q"}, "c")], "helped", "done"]
        async with self.openai(conversation, script) as client:
            helper = self._agent(client, "helper", []).as_tool()
            return str(await self._agent(client, tools=[helper]).invoke_async(prompt)).strip()


drivers = [StrandsOverTheWire]
