"""Pydantic AI over the wire: its models over the real clients."""

from pydantic_ai import Agent, Tool
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


class PydanticOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "pydantic-ai"
    own_spans = ("pydantic-ai",)
    a_failing_tool_fails_the_turn = True
    limits_tools = True

    def _client(self, conversation, script):
        return self.openai(conversation, script)

    def _model(self, client):
        return OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client))

    def _agent(self, client, name="triage", tools=TOOLS):
        return Agent(self._model(client), name=name, tools=tools, instructions="Help.")

    async def turn(self, conversation, prompt, script):
        history = conversation.state.get("history")
        more = {"message_history": history} if history else {"conversation_id": conversation.id}
        async with self._client(conversation, script) as client:
            done = await self._agent(client).run(prompt, **more)
        conversation.state["history"] = done.all_messages()
        return done.output

    async def limited(self, conversation, prompt, script):
        async with self._client(conversation, script) as client:
            agent = self._agent(client, tools=[Tool(TOOLS[-1], timeout=0.05)])
            return (await agent.run(prompt, conversation_id=conversation.id)).output

    async def stream(self, conversation, prompt, script):
        async with self._client(conversation, script) as client:
            async with self._agent(client).run_stream(prompt, conversation_id=conversation.id) as result:
                async for text in result.stream_text(delta=True, debounce_by=None):
                    yield text

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("ask_helper", {"question": "q"}, "c")], "helped", "done"]
        async with self._client(conversation, script) as client:
            helper = self._agent(client, "helper", [])

            async def ask_helper(question: str) -> str:
                """Ask the helper."""
                return (await helper.run(question)).output

            return (await self._agent(client, tools=[ask_helper]).run(prompt)).output


class PydanticResponsesOverTheWire(PydanticOverTheWire):
    """Over responses."""

    def _model(self, client):
        return OpenAIResponsesModel(MODEL, provider=OpenAIProvider(openai_client=client))


drivers = [PydanticOverTheWire, PydanticResponsesOverTheWire]
