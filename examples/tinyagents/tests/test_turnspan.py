"""The adapter keeps what every adapter promises: the real runtime, and a model that follows a script."""

import pytest
import tinyagents

from turnspan.testing import TOKENS, TOOLS, AdapterConformance, RuntimeDriver, ScriptedToolCall


class Scripted:
    """A model that does what a script says."""

    name = "scripted"

    def __init__(self, script):
        self.script = list(script)

    async def answer(self, messages):
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, str):
            return tinyagents.Answer(step, tokens=TOKENS)
        calls = tuple(tinyagents.Call(call.name, call.arguments, call.call_id) for call in step)
        return tinyagents.Answer(calls=calls, tokens=TOKENS)


class TinyAgentsDriver(RuntimeDriver):
    """How tinyagents runs a turn."""

    adapter = "turnspan-tinyagents"

    def _agent(self, conversation, script):
        agent = conversation.state.setdefault("agent", tinyagents.Agent("triage", Scripted([]), TOOLS))
        agent.model = Scripted(script)
        return agent

    async def turn(self, conversation, prompt, script):
        return await self._agent(conversation, script).run(prompt, conversation.id)

    async def stream(self, conversation, prompt, script):
        stream = self._agent(conversation, script).stream(prompt, conversation.id)
        try:
            async for word in stream:
                yield word
        finally:
            await stream.aclose()

    async def sub_agent(self, conversation, prompt):
        async def ask_helper(question: str) -> str:
            return await tinyagents.Agent("helper", Scripted(["helped"])).run(question, "helper")

        script = [[ScriptedToolCall("ask_helper", {"question": "q"}, "c1")], "done"]
        return await tinyagents.Agent("triage", Scripted(script), (ask_helper,)).run(prompt, conversation.id)


class TestTinyAgents(AdapterConformance):
    """All cases; `pytest tests` in this folder, once `pip install -e .` has made the entry point known."""

    @pytest.fixture
    def driver(self):
        return TinyAgentsDriver()
