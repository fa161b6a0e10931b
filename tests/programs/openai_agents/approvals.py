"""Human in the loop: a run that waits for approvals is saved to a file, decided on, read back, and goes on as a stream.

https://openai.github.io/openai-agents-python/human_in_the_loop/
"""

import asyncio
import json
from pathlib import Path

from agents import Agent, Runner, RunState, function_tool

SAVED = Path("state.json")


def save(state: RunState) -> None:
    SAVED.write_text(json.dumps(state.to_json()))


def saved() -> str:
    return SAVED.read_text()


async def is_dear(_context, arguments, _call_id) -> bool:
    return arguments.get("amount", 0) > 100


@function_tool(needs_approval=True)
async def cancel_order(order_id: int) -> str:
    """Cancel an order."""
    return f"order {order_id} is cancelled"


@function_tool(needs_approval=is_dear)
async def refund(amount: int) -> str:
    """Pay back."""
    return f"{amount} are paid back"


@function_tool
async def look_up(order_id: int) -> str:
    """Look an order up."""
    return f"order {order_id}: 2 items, 250"


refunds = Agent(name="Refunds", model="gpt-5-mini", tools=[refund])
agent = Agent(
    name="Orders",
    instructions="Help with orders.",
    model="gpt-5",
    tools=[cancel_order, look_up, refunds.as_tool("refund_agent", "Pays back")],
)


async def main() -> None:
    result = await Runner.run(agent, "Cancel order 7 and order 8, and pay me back")
    while result.interruptions:
        save(result.to_state())
        state = await RunState.from_string(agent, saved())
        for asked in state.get_interruptions():
            print("may", asked.agent.name, "call", asked.name, asked.arguments)
            if "8" in asked.arguments:
                state.reject(asked, rejection_message="Order 8 is on its way.")
            else:
                state.approve(asked)
        result = Runner.run_streamed(agent, state)
        async for event in result.stream_events():
            if event.type == "run_item_stream_event":
                print(event.name)
    print(result.final_output)


asyncio.run(main())

NEEDS = ["openai-agents>=0.20"]
MODEL = [
    [
        ("look_up", {"order_id": 7}, "o1"),
        ("cancel_order", {"order_id": 7}, "o2"),
        ("cancel_order", {"order_id": 8}, "o3"),
    ],
    [("refund_agent", {"input": "refund order 7"}, "o4")],
    [("refund", {"amount": 250}, "r1")],
    "250 are on their way.",
    "Order 7 is cancelled and paid back; order 8 is on its way.",
]
RECORD = """
session
  turn Orders
    > Cancel order 7 and order 8, and pay me back
    model gpt-5 10+2
    tool look_up(order_id=7) = order 7: 2 items, 250
    note approval.asked {"tool_name": "cancel_order", "call_id": "o2", "arguments": {"order_id": 7}}
    note approval.asked {"tool_name": "cancel_order", "call_id": "o3", "arguments": {"order_id": 8}}
  turn Orders
    > Cancel order 7 and order 8, and pay me back
    note approval.approved {"tool_name": "cancel_order", "call_id": "o2"}
    note approval.denied {"tool_name": "cancel_order", "call_id": "o3", "reason": "Order 8 is on its way."}
    tool cancel_order(order_id=8) SKIPPED Order 8 is on its way.
    tool cancel_order(order_id=7) = order 7 is cancelled
    model gpt-5 10+2
    tool refund_agent(input=refund order 7) SKIPPED waits for approval
      agent Refunds
        model gpt-5-mini 10+2
    note approval.asked {"tool_name": "refund", "call_id": "r1", "arguments": {"amount": 250}}
  turn Orders
    > Cancel order 7 and order 8, and pay me back
    tool refund_agent(input=refund order 7) = 250 are on their way.
      agent Refunds
        tool refund(amount=250) = 250 are paid back
        model gpt-5-mini 10+2
    note approval.approved {"tool_name": "refund", "call_id": "r1"}
    model gpt-5 10+2
    < Order 7 is cancelled and paid back; order 8 is on its way.
"""
