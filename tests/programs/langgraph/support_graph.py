"""A chatbot with tools as a graph: a router with structured output, conditional edges, a sub-graph, memory, streams.

https://docs.langchain.com/oss/python/langgraph/workflows-agents and https://docs.langchain.com/oss/python/langgraph/use-subgraphs
"""

from typing import Literal

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel


class Route(BaseModel):
    """Where a question belongs."""

    step: Literal["weather", "joke"]


class State(MessagesState):
    step: str


@tool
def forecast(city: str) -> str:
    """Say the weather of a city."""
    if city == "Atlantis":
        raise ValueError("no such city")
    return f"{city}: 21 degrees"


model = ChatOpenAI(model="gpt-5-mini")
with_tools = model.bind_tools([forecast])


def ask(state: MessagesState) -> dict:
    return {"messages": [with_tools.invoke(state["messages"])]}


weather = StateGraph(MessagesState)
weather.add_node("ask", ask)
weather.add_node("tools", ToolNode([forecast], handle_tool_errors=True))
weather.add_edge(START, "ask")
weather.add_conditional_edges("ask", tools_condition)
weather.add_edge("tools", "ask")


def route(state: State) -> dict:
    decided = ChatOpenAI(model="gpt-5").with_structured_output(Route).invoke(state["messages"][-1:])
    return {"step": decided.step}


def joke(state: State) -> dict:
    return {"messages": [model.invoke(state["messages"])]}


builder = StateGraph(State)
builder.add_node("route", route)
builder.add_node("weather", weather.compile())
builder.add_node("joke", joke)
builder.add_edge(START, "route")
builder.add_conditional_edges("route", lambda state: state["step"], ["weather", "joke"])
builder.add_edge("weather", END)
builder.add_edge("joke", END)
app = builder.compile(checkpointer=InMemorySaver(), name="support")

config = {"configurable": {"thread_id": "thread-1"}}
for asked in ["Is it warm in Rome and in Atlantis?", "Tell a joke about it"]:
    given = {"messages": [{"role": "user", "content": asked}]}
    for namespace, update in app.stream(given, config, stream_mode="updates", subgraphs=True):
        print([name.partition(":")[0] for name in namespace], *update)
print(app.get_state(config).values["messages"][-1].text, len(app.get_state(config).values["messages"]))

NEEDS = ["langgraph>=1.0", "langchain-openai>=1.0"]
MODEL = [
    '{"step": "weather"}',
    [("forecast", {"city": "Rome"}, "f1")],
    [("forecast", {"city": "Atlantis"}, "f2")],
    "21 degrees in Rome.",
    '{"step": "joke"}',
    "Atlantis is under the weather.",
]
RECORD = """
session thread-1
  turn support
    > Is it warm in Rome and in Atlantis?
    model gpt-5 10+2
    agent weather
      model gpt-5-mini 10+2
      tool forecast(city=Rome) = Rome: 21 degrees
      model gpt-5-mini 10+2
      tool forecast(city=Atlantis) ERROR no such city
      model gpt-5-mini 10+2
    < 21 degrees in Rome.
  turn support
    > Tell a joke about it
    model gpt-5 10+2
    model gpt-5-mini 10+2
    < Atlantis is under the weather.
"""
