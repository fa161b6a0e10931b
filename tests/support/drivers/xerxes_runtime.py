"""Xerxes, its class runtime."""

import os
import tempfile

os.environ.setdefault("XERXES_HOME", tempfile.mkdtemp())

from xerxes import Agent, Xerxes
from xerxes.llms.base import BaseLLM, LLMConfig

from support.drivers import pieces
from turnspan.testing.drivers import TOOLS, RuntimeDriver, ScriptedToolCall


class Answer:
    def __init__(self, step):
        self.step = step

    async def __aiter__(self):
        yield self.step


class Scripted(BaseLLM):
    model = "scripted"

    def __init__(self, script):
        self.script = script
        super().__init__(LLMConfig(model=self.model))

    def _initialize_client(self): ...

    def extract_content(self, response):
        return ""

    async def process_streaming_response(self, response, callback):
        return ""

    def stream_completion(self, response, agent=None):
        yield from ()

    def close(self): ...

    async def generate_completion(self, prompt, model=None, **_):
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return Answer(step)

    async def astream_completion(self, response, agent=None):
        step = response.step
        text = step if isinstance(step, str) else ""
        calls = [] if text else [{"id": c.call_id, "name": c.name, "arguments": c.arguments} for c in step]
        base = {"buffered_content": text, "raw_chunk": None}
        for piece in pieces(text):
            yield {**base, "content": piece, "is_final": False, "function_calls": []}
        yield {**base, "content": "", "is_final": True, "function_calls": calls}


class XerxesRuntime(RuntimeDriver):
    adapter = "xerxes"
    a_failing_tool_fails_the_turn = True

    def _runtime(self, conversation, script):
        made = conversation.state.get("runtime")
        if made is None:
            agent = Agent(id="triage", name="triage", model="scripted", functions=list(TOOLS), max_function_retries=0)
            made = conversation.state["runtime"] = Xerxes(llm=Scripted(script))
            made.register_agent(agent)
            conversation.state["agent"] = agent
        made.llm_client.script = script
        return made

    async def turn(self, conversation, prompt, script):
        runtime = self._runtime(conversation, script)
        done = await runtime.create_response(prompt=prompt, agent_id=conversation.state["agent"], stream=False)
        return done.content

    async def stream(self, conversation, prompt, script):
        runtime = self._runtime(conversation, script)
        stream = await runtime.create_response(prompt=prompt, agent_id=conversation.state["agent"], stream=True)
        async for item in stream:
            yield item

    async def sub_agent(self, conversation, prompt):
        runtime = self._runtime(conversation, [[ScriptedToolCall("hand_over", {}, "c")], "done"])
        runtime.register_agent(Agent(id="helper", name="helper", model="scripted"))

        def hand_over() -> str:
            """Give it to the helper."""
            runtime.orchestrator.switch_agent("helper", "it knows")
            return "handed over"

        triage = conversation.state["agent"]
        runtime.orchestrator.function_registry.register(hand_over, "triage", triage)
        triage.functions.append(hand_over)
        return (await runtime.create_response(prompt=prompt, agent_id=triage, stream=False)).content


drivers = [XerxesRuntime]
