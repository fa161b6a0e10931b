"""Semantic Kernel over the wire, with its connector of OpenAI's chat completions."""

from semantic_kernel import Kernel
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


class SemanticKernelOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "semantic-kernel"
    own_spans = ("semantic_kernel.functions.kernel_function",)

    def _agent(self, client, name="triage", tools=TOOLS):
        kernel = Kernel()
        for tool in tools:
            function = kernel.add_function("tools", kernel_function(tool, name=tool.__name__, description=tool.__doc__))
            function.metadata.plugin_name = None  # so that tools are called as in other runtimes
        service = OpenAIChatCompletion(ai_model_id=MODEL, async_client=client)
        return ChatCompletionAgent(service=service, kernel=kernel, name=name, instructions="Help.")

    async def turn(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            done = await self._agent(client).get_response(prompt, thread=conversation.state.get("thread"))
        conversation.state["thread"] = done.thread
        return str(done.message)

    async def stream(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            stream = self._agent(client).invoke_stream(prompt)
            try:
                async for item in stream:
                    yield item
            finally:
                await stream.aclose()

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("ask_helper", {"question": "q"}, "c")], "helped", "done"]
        async with self.openai(conversation, script) as client:
            helper = self._agent(client, "helper", [])

            async def ask_helper(question: str) -> str:
                """Ask the helper."""
                return str((await helper.get_response(question)).message)

            return str((await self._agent(client, tools=[ask_helper]).get_response(prompt)).message)


drivers = [SemanticKernelOverTheWire]
