"""An AutoGen program that knows nothing of turnspan: a swarm with two turns, a handoff, two tools, one failing.

turnspan run examples/autogen_team.py
"""

import asyncio
import logging

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import Swarm
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient


def asks(*calls: tuple[str, str, str]) -> CreateResult:
    """Return what a model says that asks for tools."""
    content = [FunctionCall(id=call_id, name=name, arguments=arguments) for name, arguments, call_id in calls]
    used = RequestUsage(prompt_tokens=10, completion_tokens=2)
    return CreateResult(finish_reason="function_calls", content=content, usage=used, cached=False)


INFO = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=False)
SCRIPT = [
    "Hello! How can I help? DONE",
    asks(("transfer_to_billing", "{}", "c1")),
    asks(("find_invoice", '{"number": "7"}', "c2"), ("refund", '{"number": "7"}', "c3")),
    "You paid twice. The bank is down, I will refund you tomorrow. DONE",
]
client = ReplayChatCompletionClient(SCRIPT, model_info=INFO)


def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer for {number}")


async def main() -> None:
    triage = AssistantAgent("triage", client, handoffs=["billing"])
    billing = AssistantAgent("billing", client, tools=[find_invoice, refund], reflect_on_tool_use=True)
    team = Swarm([triage, billing], termination_condition=TextMentionTermination("DONE"))
    for prompt in ("Hi", "I paid invoice 7 twice"):
        print((await team.run(task=prompt)).messages[-1].to_text())


logging.disable()
asyncio.run(main())
