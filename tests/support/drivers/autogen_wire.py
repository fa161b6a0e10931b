"""AutoGen AgentChat over the wire, with its client of OpenAI's chat completions."""

from contextlib import asynccontextmanager

import openai
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.tools import AgentTool
from autogen_core.models import ModelInfo
from autogen_ext.models.openai import OpenAIChatCompletionClient

from support.drivers._wire import TLS, OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall

INFO = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=False)


class AutoGenOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "autogen"
    own_spans = ("autogen-core",)

    @asynccontextmanager
    async def _model(self, conversation, script):
        key, http = self.serve(conversation, script), openai.DefaultAsyncHttpxClient(verify=TLS)
        where = {"base_url": self.server.url + "/v1", "api_key": key, "max_retries": 0, "http_client": http}
        more = {"stream_options": {"include_usage": True}}
        client = OpenAIChatCompletionClient(model=MODEL, model_info=INFO, **where, **more)
        try:
            yield client
        finally:
            await client.close()

    def _agent(self, model, name="triage", tools=TOOLS, **more):
        return AssistantAgent(
            name, model, tools=list(tools), system_message="Help.", reflect_on_tool_use=bool(tools), **more
        )

    def _kept(self, conversation, model, **more):
        agent = conversation.state.get("agent") or self._agent(model, **more)
        conversation.state["agent"] = agent
        agent._model_client = model  # each turn is served by a script of its own
        return agent

    async def turn(self, conversation, prompt, script):
        async with self._model(conversation, script) as model:
            result = await self._kept(conversation, model).run(task=prompt)
            return result.messages[-1].to_text()

    async def stream(self, conversation, prompt, script):
        async with self._model(conversation, script) as model:
            stream = self._kept(conversation, model, model_client_stream=True).run_stream(task=prompt)
            try:
                async for item in stream:
                    yield item
            finally:
                await stream.aclose()

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("helper", {"task": "q"}, "c")], "helped", "done"]
        async with self._model(conversation, script) as model:
            helper = AgentTool(self._agent(model, "helper", []), return_value_as_last_message=True)
            result = await self._agent(model, tools=[helper]).run(task=prompt)
            return result.messages[-1].to_text()


drivers = [AutoGenOverTheWire]
