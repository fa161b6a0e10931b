"""LangChain's ``create_agent`` over the wire, with LangChain's model of OpenAI."""

from contextlib import asynccontextmanager

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import MODEL, TOOLS, RuntimeDriver, ScriptedToolCall


def tools():
    for function in TOOLS:
        kind = "coroutine" if function.__name__ == "slow" else "func"
        yield StructuredTool.from_function(**{kind: function}, name=function.__name__, description=function.__doc__)


class LangGraphOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "langgraph"
    a_failing_tool_fails_the_turn = True

    responses = False

    @asynccontextmanager
    async def _model(self, conversation, script):
        async with self.openai(conversation, script) as client:
            clients = {"async_client": client.chat.completions, "root_async_client": client}
            yield ChatOpenAI(
                model=MODEL, api_key=client.api_key, stream_usage=True, use_responses_api=self.responses, **clients
            )

    def _kept(self, conversation):
        return {"checkpointer": conversation.state.setdefault("saver", InMemorySaver())}

    async def turn(self, conversation, prompt, script):
        async with self._model(conversation, script) as model:
            graph = create_agent(model, list(tools()), name="triage", **self._kept(conversation))
            return await self._run(graph, conversation, prompt)

    async def _run(self, graph, conversation, prompt):
        config = {"configurable": {"thread_id": conversation.id}}
        done = await graph.ainvoke({"messages": [HumanMessage(prompt)]}, config)
        return done["messages"][-1].text

    async def stream(self, conversation, prompt, script):
        config = {"configurable": {"thread_id": conversation.id}}
        asked = {"messages": [HumanMessage(prompt)]}
        async with self._model(conversation, script) as model:
            graph = create_agent(model, list(tools()), name="triage", **self._kept(conversation))
            async for item in graph.astream(asked, config, stream_mode=["messages", "values"]):
                yield item

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("ask_helper", {"question": "q"}, "c")], "helped", "done"]
        async with self._model(conversation, script) as model:
            helper = create_agent(model, [], name="helper")

            async def ask_helper(question: str) -> str:
                """Ask the helper."""
                return (await helper.ainvoke({"messages": [HumanMessage(question)]}))["messages"][-1].text

            tool = StructuredTool.from_function(coroutine=ask_helper, name="ask_helper", description="Ask.")
            return await self._run(create_agent(model, [tool], name="triage"), conversation, prompt)


class LangGraphResponsesOverTheWire(LangGraphOverTheWire):
    """Over responses."""

    responses = True


drivers = [LangGraphOverTheWire, LangGraphResponsesOverTheWire]
