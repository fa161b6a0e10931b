"""An agent that thinks and acts, in a conversation that is kept: tools, one that fails, one that refuses its arguments.

https://dspy.ai/learn/programming/tools/ and https://dspy.ai/tutorials/conversation_history/
"""

import asyncio
import os

import dspy

dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], cache=False, num_retries=0))


class AirlineAgent(dspy.Signature):
    """You are an airline's customer service agent."""

    user_request: str = dspy.InputField()
    history: dspy.History = dspy.InputField()
    process_result: str = dspy.OutputField()


def fetch_flight_info(origin: str, destination: str) -> list[str]:
    """Fetch flights between two places."""
    return [f"DA123 {origin}-{destination}"]


def book_flight(flight: str, seats: int) -> str:
    """Book a flight."""
    raise ConnectionError(f"no answer on {flight}")


async def fetch_user(name: str) -> dict[str, str]:
    """Look a user up."""
    return {"name": name, "email": f"{name.lower()}@example.com"}


agent = dspy.ReAct(AirlineAgent, tools=[fetch_flight_info, book_flight, fetch_user])
history = dspy.History(messages=[])


async def main() -> None:
    for asked in ("Book SFO to JFK for Adam", "Is it booked?"):
        answer = await agent.acall(user_request=asked, history=history)
        history.messages.append({"user_request": asked, "process_result": answer.process_result})
        print(answer.process_result, [key for key in answer.trajectory if key.startswith("observation")])


asyncio.run(main())


NEEDS = ["dspy>=3.4.1"]
MODEL = [
    (
        "[[ ## next_thought ## ]]\nWho?\n[[ ## next_tool_name ## ]]\nfetch_user\n"
        '[[ ## next_tool_args ## ]]\n{"name": "Adam"}\n[[ ## completed ## ]]'
    ),
    (
        "[[ ## next_thought ## ]]\nWhich?\n[[ ## next_tool_name ## ]]\nfetch_flight_info\n"
        '[[ ## next_tool_args ## ]]\n{"origin": "SFO", "destination": "JFK"}\n[[ ## completed ## ]]'
    ),
    (
        "[[ ## next_thought ## ]]\nBook.\n[[ ## next_tool_name ## ]]\nbook_flight\n"
        '[[ ## next_tool_args ## ]]\n{"flight": "DA123", "seats": "many"}\n[[ ## completed ## ]]'
    ),
    (
        "[[ ## next_thought ## ]]\nA number.\n[[ ## next_tool_name ## ]]\nbook_flight\n"
        '[[ ## next_tool_args ## ]]\n{"flight": "DA123", "seats": 1}\n[[ ## completed ## ]]'
    ),
    (
        "[[ ## next_thought ## ]]\nNo use.\n[[ ## next_tool_name ## ]]\nfinish\n"
        "[[ ## next_tool_args ## ]]\n{}\n[[ ## completed ## ]]"
    ),
    "[[ ## reasoning ## ]]\nIt failed.\n[[ ## process_result ## ]]\nI could not book it.\n[[ ## completed ## ]]",
    (
        "[[ ## next_thought ## ]]\nI know.\n[[ ## next_tool_name ## ]]\nfinish\n"
        "[[ ## next_tool_args ## ]]\n{}\n[[ ## completed ## ]]"
    ),
    "[[ ## reasoning ## ]]\nSee above.\n[[ ## process_result ## ]]\nNo.\n[[ ## completed ## ]]",
]
RECORD = """
session
  turn AirlineAgent
    > Book SFO to JFK for Adam
    model gpt-4o-mini 10+2
    tool fetch_user(name=Adam) = {"name": "Adam", "email": "adam@example.com"}
    model gpt-4o-mini 10+2
    tool fetch_flight_info(origin=SFO, destination=JFK) = ["DA123 SFO-JFK"]
    model gpt-4o-mini 10+2
    tool book_flight(flight=DA123, seats=many) ERROR Arg seats is invalid: 'many' is not of type 'integer'
    note arguments.rejected {"tool_name": "book_flight", "call_id": "(id)", "arguments": {"flight": "DA123", "seats": "many"}, "error": "Arg seats is invalid: 'many' is not of type 'integer'"}
    model gpt-4o-mini 10+2
    tool book_flight(flight=DA123, seats=1) ERROR no answer on DA123
    model gpt-4o-mini 10+2
    model gpt-4o-mini 10+2
    < I could not book it.
  turn AirlineAgent
    > Is it booked?
    model gpt-4o-mini 10+2
    model gpt-4o-mini 10+2
    < No.
"""
