"""LlamaIndex's agents over the wire, with its model of OpenAI."""

from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import TOOLS, RuntimeDriver, ScriptedToolCall


class LlamaIndexOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "llama-index"

    def _agent(self, client, name="triage", tools=TOOLS, streaming=False):
        model = OpenAI(
            model="gpt-4o-mini",
            async_openai_client=client,
            api_key=client.api_key,
            max_retries=0,
            additional_kwargs={"stream_options": {"include_usage": True}} if streaming else {},
        )
        tools = [FunctionTool.from_defaults(**{_kind(tool): tool}) for tool in tools]
        return FunctionAgent(name=name, tools=tools, llm=model, system_prompt="Help.", streaming=streaming)

    def _memory(self, conversation):
        made = conversation.state.get("memory")
        if made is None:
            made = conversation.state["memory"] = ChatMemoryBuffer.from_defaults(tokenizer_fn=str.split)
        return made

    async def turn(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            return str(await self._agent(client).run(prompt, memory=self._memory(conversation)))

    async def stream(self, conversation, prompt, script):
        async with self.openai(conversation, script) as client:
            agent = self._agent(client, streaming=True)
            handler = agent.run(prompt, memory=self._memory(conversation))
            try:
                async for item in handler.stream_events():
                    if isinstance(item, AgentStream):
                        yield item
            finally:
                if not handler.is_done():
                    await handler.cancel_run()
            await handler

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("ask_helper", {"question": "q"}, "c")], "helped", "done"]
        async with self.openai(conversation, script) as client:
            helper = self._agent(client, "helper", [])

            async def ask_helper(question: str) -> str:
                """Ask the helper."""
                return str(await helper.run(question))

            return str(await self._agent(client, tools=[ask_helper]).run(prompt))


def _kind(tool):
    return "async_fn" if tool.__name__ in ("slow", "ask_helper") else "fn"


drivers = [LlamaIndexOverTheWire]
