"""What LangGraph's own programs do beyond the plain turn: commands, questions in parallel, sub-graphs, own callbacks."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import pytest

pytest.importorskip("langgraph")
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode
from langgraph.types import Command, interrupt

from turnspan.instrumentation.registry import Adapters


@pytest.fixture(autouse=True)
def adapter(recording):
    adapters = Adapters()
    adapters.watch("langgraph")
    yield adapters
    adapters.undo()


def graph(*tools: Any, calls: list[dict[str, Any]]) -> Any:
    """Return a graph whose model asks once for some tools."""
    model = GenericFakeChatModel(messages=iter([AIMessage("", tool_calls=calls)]))
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode(list(tools)))
    builder.add_edge(START, "model")
    builder.add_edge("model", "tools")
    builder.add_edge("tools", END)
    return builder.compile()


@tool
def remember(name: str, call_id: Annotated[str, InjectedToolCallId]) -> Command:
    """Remember a name."""
    return Command(update={"messages": [ToolMessage(f"I will remember {name}", tool_call_id=call_id)]})


@tool
def refuse(name: str, call_id: Annotated[str, InjectedToolCallId]) -> Command:
    """Fail without raising."""
    return Command(update={"messages": [ToolMessage("the store is down", tool_call_id=call_id, status="error")]})


@tool
def summary(state: Annotated[dict, InjectedState]) -> str:
    """Summarise."""
    return f"{len(state['messages'])} messages"


def test_what_a_command_tells_the_model_is_the_tools_result(recording):
    """A tool that answers with a Command has the text and the status of its message, not the steering of the graph."""
    asked = [
        {"id": "c1", "name": "remember", "args": {"name": "Ada"}},
        {"id": "c2", "name": "refuse", "args": {"name": "Bob"}},
    ]
    graph(remember, refuse, calls=asked).invoke({"messages": [("user", "hi")]})
    calls = {call.tool_name: call for call in recording.turn.tool_calls}
    assert (calls["remember"].status, calls["remember"].result) == ("success", "I will remember Ada")
    assert (calls["refuse"].status, calls["refuse"].error) == ("error", "the store is down")


def test_arguments_are_what_the_model_gave(recording):
    """What LangGraph puts in is no argument, also where it puts in everything."""
    graph(summary, calls=[{"id": "c1", "name": "summary", "args": {}}]).invoke({"messages": [("user", "my diary")]})
    (call,) = recording.turn.tool_calls
    assert (call.arguments, call.result) == ({}, "2 messages")


class Answers(TypedDict):
    """A state to which every node adds."""

    out: Annotated[list[str], operator.add]


def test_each_of_several_questions_is_on_record(recording):
    """Two nodes that ask at once are two interrupts."""
    builder = StateGraph(Answers)
    for name in ("a", "b"):
        builder.add_node(name, lambda _state, name=name: {"out": [interrupt(f"{name}?")]})
        builder.add_edge(START, name)
    app = builder.compile(checkpointer=InMemorySaver())
    app.invoke({"out": []}, {"configurable": {"thread_id": "T"}})
    notes = recording.turn.metadata["turnspan"]["notes"]
    assert sorted(note["data"]["value"] for note in notes if note["name"] == "interrupt") == ["a?", "b?"]


def test_a_sub_graph_without_a_name_is_called_like_its_node(recording):
    """Otherwise every agent of a program would be "LangGraph"; a node that does all by itself is on record, too."""
    inner = StateGraph(MessagesState)
    inner.add_node("look_up", lambda _state: {"messages": [("ai", "sunny")]})
    inner.add_edge(START, "look_up")
    outer = StateGraph(MessagesState)
    outer.add_node("weather", inner.compile())
    outer.add_edge(START, "weather")
    outer.compile().invoke({"messages": [("user", "hi")]})
    assert [agent["agent_id"] for agent in recording.turn.metadata["turnspan"]["agents"]] == ["weather", "look_up"]


def test_the_programs_own_callbacks_are_called_as_ever(recording):
    """LangChain forgets a program's handler of text models beside one that runs inline; ours is none while it looks."""
    heard = []

    class Mine(BaseCallbackHandler):
        def on_llm_start(self, *_args, **_kwargs):
            heard.append("start")

        def on_llm_end(self, *_args, **_kwargs):
            heard.append("end")

    async def main():
        model = FakeListLLM(responses=["a", "b"])
        await model.ainvoke("x", {"callbacks": [Mine()]})
        async for _ in model.astream("x", {"callbacks": [Mine()]}):
            pass

    asyncio.run(main())
    assert heard == ["start", "end"] * 2
