"""Agno over the wire, with its model of OpenAI's chat completions."""

import os

os.environ.setdefault("AGNO_TELEMETRY", "false")

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.run.base import RunStatus
from agno.team import Team

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


def said(done):
    """An error does not leave a run: a program looks for it in the output."""
    if done.status == RunStatus.error:
        raise RuntimeError(done.content)
    return done.content


class AgnoOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "agno"

    def _model(self, client):
        return OpenAIChat(id=MODEL, async_client=client)

    def _agent(self, client, name="triage", tools=TOOLS):
        return Agent(name=name, model=self._model(client), tools=list(tools), instructions="Help.", telemetry=False)

    async def turn(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            return said(await self._agent(client).arun(prompt, session_id=conversation.id))

    async def stream(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            stream = self._agent(client).arun(prompt, session_id=conversation.id, stream=True)
            try:
                async for item in stream:
                    yield item
            finally:
                await stream.aclose()

    async def sub_agent(self, conversation, prompt):
        asked = {"member_id": "helper", "task": "q"}
        script = [[ScriptedToolCall("delegate_task_to_member", asked, "c")], "helped", "done"]
        async with self.openai(conversation, script) as client:
            helper = self._agent(client, "helper", [])
            team = Team(name="triage", model=self._model(client), members=[helper], telemetry=False)
            return said(await team.arun(prompt))


drivers = [AgnoOverTheWire]
