"""Microsoft's Agent Framework over the wire, with its client of OpenAI's chat completions."""

from agent_framework import Agent
from agent_framework import tool as as_tool
from agent_framework.openai import OpenAIChatCompletionClient

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


class AgentFrameworkOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "agent-framework"
    own_spans = ("agent_framework",)

    def _agent(self, client, name="triage", tools=None):
        tools = [as_tool(tool, approval_mode="never_require") for tool in TOOLS] if tools is None else tools
        model = OpenAIChatCompletionClient(model=MODEL, async_client=client)
        return Agent(model, "Help.", id=name, name=name, tools=tools)

    def _session(self, conversation, agent):
        if "session" not in conversation.state:
            conversation.state["session"] = agent.create_session(session_id=conversation.id)
        return conversation.state["session"]

    async def turn(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            agent = self._agent(client)
            return (await agent.run(prompt, session=self._session(conversation, agent))).text

    async def stream(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            agent = self._agent(client)
            stream = agent.run(prompt, session=self._session(conversation, agent), stream=True)
            try:
                async for item in stream:
                    yield item
            finally:
                await stream.close()

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("helper", {"task": "q"}, "c")], "helped", "done"]
        async with self.openai(conversation, script) as client:
            helper = self._agent(client, "helper", []).as_tool(approval_mode="never_require")
            return (await self._agent(client, tools=[helper]).run(prompt)).text


drivers = [AgentFrameworkOverTheWire]
