"""Xerxes over the wire: its class runtime with its own model of OpenAI."""

import os
import tempfile

os.environ.setdefault("XERXES_HOME", tempfile.mkdtemp())

import openai
from xerxes import Agent, Xerxes
from xerxes.llms.base import LLMConfig
from xerxes.llms.openai import OpenAILLM

from support.drivers._wire import TLS, OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


class XerxesOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions, always streamed."""

    adapter = "xerxes"
    a_failing_tool_fails_the_turn = True

    def _runtime(self, conversation, script):
        client = self.openai(conversation, script)  # given, because its own check refuses loopback
        more = {"max_retries": 0, "http_client": openai.DefaultHttpxClient(verify=TLS)}
        models = openai.OpenAI(base_url=self.server.url + "/v1", api_key=client.api_key, **more)
        llm = OpenAILLM(LLMConfig(model=MODEL, api_key=client.api_key), client=models, async_client=client)
        made = conversation.state.get("runtime")
        if made is None:
            agent = Agent(id="triage", name="triage", model=MODEL, functions=list(TOOLS), max_function_retries=0)
            made = conversation.state["runtime"] = Xerxes(llm=llm)
            made.register_agent(agent)
            conversation.state["agent"] = agent
        made.llm_client = llm
        return made

    async def turn(self, conversation, prompt, script):
        runtime = self._runtime(conversation, script)
        try:
            done = await runtime.create_response(prompt=prompt, agent_id=conversation.state["agent"], stream=False)
        finally:
            await runtime.llm_client.close()
        return done.content

    async def stream(self, conversation, prompt, script):
        runtime = self._runtime(conversation, script)
        try:
            stream = await runtime.create_response(prompt=prompt, agent_id=conversation.state["agent"], stream=True)
            async for item in stream:
                yield item
        finally:
            await runtime.llm_client.close()

    async def sub_agent(self, conversation, prompt):
        runtime = self._runtime(conversation, [[ScriptedToolCall("hand_over", {}, "c")], "done"])
        runtime.register_agent(Agent(id="helper", name="helper", model=MODEL))

        def hand_over() -> str:
            """Give it to the helper."""
            runtime.orchestrator.switch_agent("helper", "it knows")
            return "handed over"

        triage = conversation.state["agent"]
        runtime.orchestrator.function_registry.register(hand_over, "triage", triage)
        triage.functions.append(hand_over)
        try:
            return (await runtime.create_response(prompt=prompt, agent_id=triage, stream=False)).content
        finally:
            await runtime.llm_client.close()


drivers = [XerxesOverTheWire]
