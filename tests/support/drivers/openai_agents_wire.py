"""The OpenAI Agents SDK over the wire: both of its models over the real client."""

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    SQLiteSession,
    function_tool,
    set_trace_processors,
)

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall

set_trace_processors([])  # its own would send traces to OpenAI


class AgentsOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "openai-agents"
    model_class = OpenAIChatCompletionsModel

    def __init__(self):
        self._sessions = []

    def close(self):
        while self._sessions:
            self._sessions.pop().close()
        super().close()

    def _session(self, conversation):
        if "session" not in conversation.state:
            conversation.state["session"] = SQLiteSession(conversation.id)
            self._sessions.append(conversation.state["session"])
        return conversation.state["session"]

    def _agent(self, client, name="triage", tools=None):
        tools = [function_tool(tool) for tool in TOOLS] if tools is None else tools
        model = self.model_class(model=MODEL, openai_client=client)
        return Agent(name=name, instructions="Help.", model=model, tools=tools)

    async def turn(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            done = await Runner.run(self._agent(client), prompt, session=self._session(conversation))
        return done.final_output

    async def stream(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            result = Runner.run_streamed(self._agent(client), prompt, session=self._session(conversation))
            try:
                async for event in result.stream_events():
                    yield event
            finally:
                result.cancel()

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("ask_helper", {"input": "q"}, "c")], "helped", "done"]
        async with self.openai(conversation, script) as client:
            tool = self._agent(client, "helper", []).as_tool("ask_helper", "Ask.")
            return (await Runner.run(self._agent(client, tools=[tool]), prompt)).final_output


class AgentsResponsesOverTheWire(AgentsOverTheWire):
    """Over responses, as is the default."""

    model_class = OpenAIResponsesModel


drivers = [AgentsOverTheWire, AgentsResponsesOverTheWire]
