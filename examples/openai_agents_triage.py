"""An OpenAI Agents SDK program that knows nothing of turnspan: two agents, tools, a handoff, streaming; no network.

turnspan run examples/openai_agents_triage.py
"""

import asyncio

from agents import Agent, Runner, SQLiteSession, function_tool, set_trace_processors
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.usage import Usage

set_trace_processors([])  # do not send traces to OpenAI
USED = Usage(requests=1, input_tokens=120, output_tokens=18, total_tokens=138)  # what the scripted model says of itself


@function_tool
def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


@function_tool
def refund(number: str) -> str:
    """Pay an invoice back."""
    msg = f"the bank did not answer for {number}"
    raise ConnectionError(msg)


billing = Agent(
    name="billing",
    tools=[find_invoice, refund],
    model=ScriptedModel(
        [
            [
                function_call("find_invoice", {"number": "7"}, call_id="c1"),
                function_call("refund", {"number": "7"}, call_id="c2"),
            ],
            [assistant_message("You paid twice. The bank is down, I will refund you tomorrow.")],
        ],
        default_usage=USED,
    ),
)
triage = Agent(
    name="triage",
    handoffs=[billing],
    model=ScriptedModel(
        [
            [assistant_message("Hello! How can I help?")],
            [function_call("transfer_to_billing", {}, call_id="h1")],
            [assistant_message("You are welcome.")],
        ],
        default_usage=USED,
    ),
)


async def main() -> None:
    session = SQLiteSession("support-42")
    print((await Runner.run(triage, "Hi", session=session)).final_output)
    print((await Runner.run(triage, "I paid invoice 7 twice", session=session)).final_output)
    result = Runner.run_streamed(triage, "Thanks!", session=session)
    async for _event in result.stream_events():
        pass
    print(result.final_output)


asyncio.run(main())
