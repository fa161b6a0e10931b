"""smolagents over the wire, with its model of OpenAI: it runs in threads, and ends with a tool that is the answer."""

import asyncio
from contextlib import suppress

from smolagents import LogLevel, OpenAIModel, Tool, ToolCallingAgent

from support.drivers._wire import TLS, OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


class _Tool(Tool):
    """A tool of a function, whose types are those that the runtime has words for."""

    skip_forward_signature_validation = True
    output_type = "any"

    def __init__(self, function, cancelled=None):
        kinds = {"int": "integer", "str": "string"}
        given = {name: kind for name, kind in function.__annotations__.items() if name != "return"}
        self.name, self.description, self._function = function.__name__, function.__doc__, function
        self.inputs = {name: {"type": kinds[kind], "description": name} for name, kind in given.items()}
        self._cancelled = cancelled
        super().__init__()

    def forward(self, **given):
        result = self._function(**given)
        return asyncio.run(self._until_cancelled(result)) if asyncio.iscoroutine(result) else result

    async def _until_cancelled(self, work):
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        self._cancelled.append(lambda: loop.call_soon_threadsafe(task.cancel))
        return await task


class SmolagentsOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "smolagents"

    def _model(self, conversation, script):
        import openai

        answers = [[ScriptedToolCall("final_answer", {"answer": s}, "f")] if isinstance(s, str) else s for s in script]
        key = self.serve(conversation, answers)
        http = openai.DefaultHttpxClient(verify=TLS)
        more = {"max_retries": 0, "http_client": http}
        return OpenAIModel(MODEL, api_base=self.server.url + "/v1", api_key=key, client_kwargs=more), http

    def _agent(self, model, name="triage", tools=TOOLS, cancelled=None, **more):
        tools = [tool if isinstance(tool, Tool) else _Tool(tool, cancelled) for tool in tools]
        return ToolCallingAgent(tools, model, name=name, description=name, verbosity_level=LogLevel.OFF, **more)

    async def turn(self, conversation, prompt, script):
        model, http = self._model(conversation, script)
        cancelled = []
        agent = conversation.state.get("agent")
        if agent is None:
            agent = conversation.state["agent"] = self._agent(model, cancelled=cancelled)
        agent.model = model
        with http:
            try:
                return await asyncio.to_thread(agent.run, prompt, reset=False)
            except asyncio.CancelledError:
                for cancel in cancelled:
                    cancel()
                raise

    async def stream(self, conversation, prompt, script):
        model, http = self._model(conversation, script)
        agent = self._agent(model, stream_outputs=True)
        with http:
            stream = agent.run(prompt, stream=True)
            try:
                for item in stream:
                    yield item
                    await asyncio.sleep(0)
            finally:
                with suppress(RuntimeError):  # one that is left in the middle does not survive it well
                    stream.close()
                stream.close()

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("helper", {"task": "q"}, "c")], "helped", "done"]
        model, http = self._model(conversation, script)
        helper = self._agent(model, "helper", [])
        with http:
            return await asyncio.to_thread(self._agent(model, tools=[], managed_agents=[helper]).run, prompt)


drivers = [SmolagentsOverTheWire]
