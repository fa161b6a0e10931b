"""Google's ADK over the wire, with its own Gemini over the real client."""

import google.genai as genai
from google.adk.agents import LlmAgent, RunConfig
from google.adk.agents.run_config import StreamingMode
from google.adk.models.google_llm import Gemini
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools.agent_tool import AgentTool
from google.genai import types

from support.drivers._wire import TLS, OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


class GoogleAdkOverTheWire(OverTheWire, RuntimeDriver):
    """Answers are whole, or streamed."""

    adapter = "google-adk"
    a_failing_tool_fails_the_turn = True
    spans_beside = ("invoke_workflow", "execute_tool (merged tools)")

    def client(self, conversation, script):
        more = {
            "client_args": {"verify": TLS, "trust_env": False},
            "async_client_args": {"verify": TLS, "trust_env": False},
        }
        options = types.HttpOptions(base_url=self.server.url, **more)
        return genai.Client(api_key=self.serve(conversation, script), vertexai=False, http_options=options)

    @staticmethod
    def _agent(client, name="triage", tools=TOOLS):
        model = Gemini(model=MODEL, client=client)
        return LlmAgent(name=name, model=model, instruction="Help.", tools=list(tools))

    async def _events(self, conversation, prompt, agent, client, **config):
        sessions = conversation.state.get("sessions")
        if sessions is None:
            sessions = conversation.state["sessions"] = InMemorySessionService()
            await sessions.create_session(app_name="app", user_id="u", session_id=conversation.id)
        runner = Runner(app_name="app", agent=agent, session_service=sessions)
        message = types.UserContent(prompt)
        events = runner.run_async(
            user_id="u", session_id=conversation.id, new_message=message, run_config=RunConfig(**config)
        )
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()
            await client.aio.aclose()

    async def _answer(self, conversation, prompt, agent, client):
        said = ""
        async for event in self._events(conversation, prompt, agent, client):
            if event.is_final_response() and event.content:
                said = "".join(part.text or "" for part in event.content.parts)
        return said

    async def turn(self, conversation, prompt, script):
        client = self.client(conversation, script)
        return await self._answer(conversation, prompt, self._agent(client), client)

    async def stream(self, conversation, prompt, script):
        client = self.client(conversation, script)
        events = self._events(conversation, prompt, self._agent(client), client, streaming_mode=StreamingMode.SSE)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("helper", {"request": "q"}, "c")], "helped", "done"]
        client = self.client(conversation, script)
        helper = AgentTool(self._agent(client, "helper", []))
        return await self._answer(conversation, prompt, self._agent(client, tools=[helper]), client)


drivers = [GoogleAdkOverTheWire]
