"""CrewAI over the wire, with its own client of OpenAI: an agent by itself; a crew of it where it is streamed."""

import asyncio
import os
import warnings
from contextlib import asynccontextmanager

os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false"}  # it would phone home

from crewai import LLM, Agent, Crew, Task
from crewai.events.utils.console_formatter import set_suppress_console_output
from crewai.tools import tool

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import TOOLS, RuntimeDriver, ScriptedToolCall


class CrewAIOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "crewai"

    @asynccontextmanager
    async def _model(self, conversation, script):
        set_suppress_console_output(True)  # its panels come in any order
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="crewai")  # it uses what it deprecates
        key = self.serve(conversation, script)
        model = LLM("openai/gpt-4o-mini", base_url=self.server.url + "/v1", api_key=key, max_retries=0)
        try:
            yield model
        finally:
            model._get_sync_client().close()
            await model._get_async_client().close()

    def _agent(self, model, name="triage", tools=TOOLS, cancelled=None):
        tools = [_tool(one, cancelled) for one in tools]
        return Agent(role=name, goal="help", backstory="You help.", llm=model, tools=tools, cache=False)

    async def turn(self, conversation, prompt, script):
        cancelled, state = [], conversation.state
        async with self._model(conversation, script) as model:
            agent = state["agent"] = state.get("agent") or self._agent(model, cancelled=cancelled)
            agent.llm = model
            try:
                return (await agent.kickoff_async(prompt)).raw
            except asyncio.CancelledError:
                for cancel in cancelled:
                    cancel()
                raise

    async def stream(self, conversation, prompt, script):
        async with self._model(conversation, script) as model:
            agent = self._agent(model)
            task = Task(description=prompt, expected_output="An answer.", agent=agent)
            async with await Crew(name="triage", agents=[agent], tasks=[task], stream=True).akickoff() as stream:
                async for item in stream:
                    yield item

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("ask_helper", {"question": "q"}, "c")], "helped", "done"]
        async with self._model(conversation, script) as model:
            helper = self._agent(model, "helper", [])

            def ask_helper(question: str) -> str:
                """Ask the helper."""
                return helper.kickoff(question).raw

            return (await self._agent(model, tools=[ask_helper]).kickoff_async(prompt)).raw


def _tool(function, cancelled):
    """Return a tool of a function; one that waits can be cancelled, which the thread that it runs in cannot."""
    if not asyncio.iscoroutinefunction(function):
        return tool(function)

    async def cancellable(seconds: int) -> str:
        task, loop = asyncio.ensure_future(function(seconds)), asyncio.get_running_loop()
        cancelled.append(lambda: loop.call_soon_threadsafe(task.cancel))
        return await task

    cancellable.__name__, cancellable.__doc__ = function.__name__, function.__doc__
    return tool(cancellable)


drivers = [CrewAIOverTheWire]
