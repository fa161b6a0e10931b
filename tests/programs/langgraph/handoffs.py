"""Agents that hand over to each other by ``Command``, and a supervisor whose tools are agents.

https://docs.langchain.com/oss/python/langchain/multi-agent
"""

from typing import Annotated

from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command


def hand_over_to(agent: str):
    @tool(f"transfer_to_{agent}", description=f"Ask {agent}.")
    def handoff(state: Annotated[dict, InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]) -> Command:
        said = ToolMessage(f"Transferred to {agent}", tool_call_id=tool_call_id)
        return Command(goto=agent, update={"messages": [*state["messages"], said]}, graph=Command.PARENT)

    return handoff


@tool
def book_hotel(hotel: str) -> str:
    """Book a hotel."""
    return f"{hotel} is booked"


flights = create_agent(ChatOpenAI(model="gpt-5-mini"), [hand_over_to("hotels")], name="flights")
hotels = create_agent(
    ChatOpenAI(model="gpt-5"), [book_hotel], name="hotels", system_prompt="You book hotels and nothing else."
)
travel = StateGraph(MessagesState)
travel.add_node("flights", flights)
travel.add_node("hotels", hotels)
travel.add_edge(START, "flights")
app = travel.compile(checkpointer=InMemorySaver(), name="travel")
done = app.invoke({"messages": [("user", "A hotel in Rome, please")]}, {"configurable": {"thread_id": "trip-3"}})
print(done["messages"][-1].text)


@tool
def ask_hotels(request: str) -> str:
    """Have a hotel booked."""
    return hotels.invoke({"messages": [("user", request)]})["messages"][-1].text


supervisor = create_agent(ChatOpenAI(model="gpt-5-mini"), [ask_hotels], name="supervisor")
for token, metadata in supervisor.stream({"messages": [("user", "And one in Oslo")]}, stream_mode="messages"):
    if token.text and metadata["langgraph_node"] == "model":
        print(token.text, end="|")

NEEDS = ["langgraph>=1.0", "langchain>=1.1", "langchain-openai>=1.0"]
MODEL = [
    [("transfer_to_hotels", {}, "t1")],
    [("book_hotel", {"hotel": "Roma"}, "b1")],
    "The Roma is booked.",
    [("ask_hotels", {"request": "one in Oslo"}, "a1")],
    [("book_hotel", {"hotel": "Fjord"}, "b2")],
    "The Fjord is booked.",
    "You stay at the Fjord.",
]
RECORD = """
session
  turn supervisor
    > And one in Oslo
    model gpt-5-mini
    tool ask_hotels(request=one in Oslo) = The Fjord is booked.
      agent hotels
        model gpt-5
        tool book_hotel(hotel=Fjord) = Fjord is booked
        model gpt-5
    model gpt-5-mini
    < You stay at the Fjord.
session trip-3
  turn travel
    > A hotel in Rome, please
    agent flights
      model gpt-5-mini 10+2
      tool transfer_to_hotels() = Transferred to hotels
    handoff flights -> hotels
    agent hotels
      model gpt-5 10+2
      tool book_hotel(hotel=Roma) = Roma is booked
      model gpt-5 10+2
    < The Roma is booked.
"""
