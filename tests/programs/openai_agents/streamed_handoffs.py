"""Customer service of an airline, streamed: handoffs with a reason and a filter, and specialists who hand back.

https://openai.github.io/openai-agents-python/handoffs/
"""

import asyncio

from agents import Agent, ItemHelpers, RunContextWrapper, Runner, function_tool, handoff
from agents.extensions import handoff_filters
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel


class Escalation(BaseModel):
    reason: str


async def on_seat_booking(context: RunContextWrapper[dict]) -> None:
    context.context["flight"] = "FLT-123"


async def on_escalation(_context: RunContextWrapper[dict], data: Escalation) -> None:
    print("escalated:", data.reason)


@function_tool
async def update_seat(context: RunContextWrapper[dict], confirmation: str, seat: str) -> str:
    """Give a passenger another seat."""
    return f"{seat} on {context.context['flight']} for {confirmation}"


@function_tool(name_override="faq_lookup")
def look_up(question: str) -> str:
    """Look frequent questions up."""
    return "One bag of at most 20 kg." if "bag" in question else "I do not know."


human = Agent(name="Supervisor", handoff_description="Decides what others may not.", model="gpt-5")
seats = Agent(name="Seat booking", tools=[update_seat], model="gpt-5-mini")
faq = Agent(name="FAQ", handoff_description="Answers questions about the airline.", tools=[look_up], model="gpt-5-mini")
triage = Agent(
    name="Triage",
    instructions="Hand over to whoever can help.",
    model="gpt-5",
    handoffs=[faq, handoff(agent=seats, on_handoff=on_seat_booking)],
)
faq.handoffs.append(triage)
seats.handoffs.append(triage)
seats.handoffs.append(
    handoff(
        agent=human,
        on_handoff=on_escalation,
        input_type=Escalation,
        tool_name_override="escalate",
        input_filter=handoff_filters.remove_all_tools,
    )
)


async def main() -> None:
    agent, items = triage, []
    for said in ["How many bags?", "Seat 7A for ABC, please", "I want it for free!"]:
        items.append({"role": "user", "content": said})
        result = Runner.run_streamed(agent, items, context={})
        async for event in result.stream_events():
            match event.type:
                case "raw_response_event" if isinstance(event.data, ResponseTextDeltaEvent):
                    print(event.data.delta, end="|")
                case "agent_updated_stream_event":
                    print("now:", event.new_agent.name)
                case "run_item_stream_event" if event.item.type == "tool_call_output_item":
                    print("tool:", event.item.output)
                case "run_item_stream_event" if event.item.type == "message_output_item":
                    print("=", ItemHelpers.text_message_output(event.item))
        agent, items = result.last_agent, result.to_input_list()


asyncio.run(main())

NEEDS = ["openai-agents>=0.14"]
MODEL = [
    [("transfer_to_faq", {}, "h1")],
    [("faq_lookup", {"question": "how many bags"}, "f1")],
    "One bag.",
    [("transfer_to_triage", {}, "h2")],
    [("transfer_to_seat_booking", {}, "h3")],
    [("update_seat", {"confirmation": "ABC", "seat": "7A"}, "u1")],
    "7A it is.",
    [("escalate", {"reason": "wants it for free"}, "h4")],
    "No, we are sorry.",
]
RECORD = """
session
  turn Triage
    > How many bags?
    model gpt-5 10+2
    handoff Triage -> FAQ
    agent FAQ
      model gpt-5-mini 10+2
      tool faq_lookup(question=how many bags) = One bag of at most 20 kg.
      model gpt-5-mini 10+2
    < One bag.
  turn FAQ
    > Seat 7A for ABC, please
    model gpt-5-mini 10+2
    handoff FAQ -> Triage
    agent Triage
      model gpt-5 10+2
    handoff Triage -> Seat booking
    agent Seat booking
      model gpt-5-mini 10+2
      tool update_seat(confirmation=ABC, seat=7A) = 7A on FLT-123 for ABC
      model gpt-5-mini 10+2
    < 7A it is.
  turn Seat booking
    > I want it for free!
    model gpt-5-mini 10+2
    handoff Seat booking -> Supervisor
    agent Supervisor
      model gpt-5 10+2
    < No, we are sorry.
"""
