"""A swarm whose agents hand over to each other and to a person, who answers, and the swarm goes on.

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/swarm.html
"""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import HandoffTermination, TextMentionTermination
from autogen_agentchat.messages import HandoffMessage
from autogen_agentchat.teams import Swarm
from autogen_ext.models.openai import OpenAIChatCompletionClient


def refund_flight(flight_id: str) -> str:
    """Refund a flight."""
    return f"Flight {flight_id} refunded"


async def main() -> None:
    client = OpenAIChatCompletionClient(model="gpt-4.1")
    travel = AssistantAgent(
        "travel_agent",
        model_client=client,
        handoffs=["flights_refunder", "user"],
        system_message="You are a travel agent.",
    )
    refunder = AssistantAgent(
        "flights_refunder",
        model_client=client,
        handoffs=["travel_agent", "user"],
        tools=[refund_flight],
        system_message="You refund flights.",
    )
    ends = HandoffTermination(target="user") | TextMentionTermination("TERMINATE")
    team = Swarm([travel, refunder], termination_condition=ends)
    result = await team.run(task="I need to refund my flight.")
    print(result.stop_reason, [message.source for message in result.messages])
    answer = HandoffMessage(source="user", target=result.messages[-1].source, content="It is 507811")
    async for message in team.run_stream(task=answer):
        print(type(message).__name__, getattr(message, "source", ""))
    await client.close()


asyncio.run(main())

NEEDS = ["autogen-agentchat>=0.7", "autogen-ext"]
MODEL = {
    "You are a travel agent.": [[("transfer_to_flights_refunder", {}, "c1")], "It is done. TERMINATE"],
    "You refund flights.": [
        [("transfer_to_user", {}, "c2")],
        [("refund_flight", {"flight_id": "507811"}, "c3")],
        [("transfer_to_travel_agent", {}, "c4")],
    ],
}
RECORD = """
session
  turn Swarm
    > I need to refund my flight.
    agent travel_agent
      model gpt-4.1 10+2
      tool transfer_to_flights_refunder() = Transferred to flights_refunder, adopting the role of flights_refunder immediately.
    handoff travel_agent -> flights_refunder Transferred to flights_refunder, adopting the role of flights_refunder immediately.
    agent flights_refunder
      model gpt-4.1 10+2
      tool transfer_to_user() = Transferred to user, adopting the role of user immediately.
    handoff flights_refunder -> user Transferred to user, adopting the role of user immediately.
    < Transferred to user, adopting the role of user immediately.
  turn Swarm
    > It is 507811
    agent flights_refunder
      model gpt-4.1 10+2
      tool refund_flight(flight_id=507811) = Flight 507811 refunded
    agent flights_refunder
      model gpt-4.1 10+2
      tool transfer_to_travel_agent() = Transferred to travel_agent, adopting the role of travel_agent immediately.
    handoff flights_refunder -> travel_agent Transferred to travel_agent, adopting the role of travel_agent immediately.
    agent travel_agent
      model gpt-4.1 10+2
    < It is done. TERMINATE
"""
