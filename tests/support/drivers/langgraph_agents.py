"""LangChain's ``create_agent``, which is a graph of LangGraph."""

from typing import Any

from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver

from support.drivers import pieces
from turnspan.testing.drivers import MODEL, TOKENS, TOOLS, RuntimeDriver, ScriptedToolCall

USED = {"input_tokens": TOKENS[0], "output_tokens": TOKENS[1], "total_tokens": sum(TOKENS)}


class Scripted(BaseChatModel):
    script: list[Any]

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return self

    def _next(self):
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        calls = (
            []
            if isinstance(step, str)
            else [{"name": c.name, "args": c.arguments, "id": c.call_id, "type": "tool_call"} for c in step]
        )
        meta = {"model_name": MODEL, "finish_reason": "tool_calls" if calls else "stop"}
        said = step if isinstance(step, str) else ""
        return {"content": said, "tool_calls": calls, "response_metadata": meta, "usage_metadata": USED}

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=AIMessage(**self._next()))])

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        whole = self._next()
        for piece in pieces(whole["content"]):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        yield ChatGenerationChunk(message=AIMessageChunk(**{**whole, "content": ""}))


def tools():
    for function in TOOLS:
        kind = "coroutine" if function.__name__ == "slow" else "func"
        yield StructuredTool.from_function(**{kind: function}, name=function.__name__, description=function.__doc__)


class Seen(BaseCallbackHandler):
    """The program's own callback handler."""

    def __init__(self, callbacks):
        self._callbacks = callbacks

    def on_chat_model_start(self, _serialized, messages, **_more):
        self._callbacks.append(f"chat_model_start {len(messages[0])}")

    def on_llm_end(self, response, **_more):
        self._callbacks.append(f"llm_end {response.generations[0][0].text}")

    def on_llm_error(self, error, **_more):
        self._callbacks.append(f"llm_error {error}")

    def on_tool_error(self, error, **_more):
        self._callbacks.append(f"tool_error {error}")


class LangGraphAgent(RuntimeDriver):
    adapter = "langgraph"
    a_failing_tool_fails_the_turn = True

    def __init__(self):
        self.callbacks = []

    def _graph(self, conversation, script, **more):
        saver = conversation.state.setdefault("saver", InMemorySaver())
        return create_agent(Scripted(script=script), list(tools()), name="triage", checkpointer=saver, **more)

    async def turn(self, conversation, prompt, script):
        config = {"configurable": {"thread_id": conversation.id}, "callbacks": [Seen(self.callbacks)]}
        done = await self._graph(conversation, script).ainvoke({"messages": [HumanMessage(prompt)]}, config)
        return done["messages"][-1].content

    async def stream(self, conversation, prompt, script):
        config = {"configurable": {"thread_id": conversation.id}}
        graph = self._graph(conversation, script)
        async for item in graph.astream(
            {"messages": [HumanMessage(prompt)]}, config, stream_mode=["messages", "values"]
        ):
            yield item

    async def sub_agent(self, conversation, prompt):
        helper = create_agent(Scripted(script=["helped"]), [], name="helper")

        async def ask_helper(question: str) -> str:
            """Ask the helper."""
            return (await helper.ainvoke({"messages": [HumanMessage(question)]}))["messages"][-1].content

        tool = StructuredTool.from_function(coroutine=ask_helper, name="ask_helper", description="Ask.")
        boss = create_agent(
            Scripted(script=[[ScriptedToolCall("ask_helper", {"question": "q"}, "c")], "done"]), [tool], name="triage"
        )
        done = await boss.ainvoke(
            {"messages": [HumanMessage(prompt)]}, {"configurable": {"thread_id": conversation.id}}
        )
        return done["messages"][-1].content


drivers = [LangGraphAgent]
