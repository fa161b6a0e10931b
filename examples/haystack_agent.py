"""A Haystack program that knows nothing of turnspan: two turns of an agent, two tools, one failing.

turnspan run examples/haystack_agent.py
"""

import logging
import os
from typing import Annotated

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "false"

from haystack import component
from haystack.components.agents import Agent
from haystack.dataclasses import ChatMessage, ToolCall
from haystack.tools import tool

logging.getLogger("haystack").setLevel(logging.CRITICAL)

SCRIPT = [
    ("Hello! How can I help?", []),
    (None, [("find_invoice", {"number": "7"}, "c1"), ("refund", {"number": "7"}, "c2")]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


@component
class ScriptedChatGenerator:
    """Answers from the script; what a provider would do over the network."""

    model = "scripted"

    @component.output_types(replies=list[ChatMessage])
    def run(self, messages: list[ChatMessage], tools: list | None = None):
        text, calls = SCRIPT.pop(0)
        asked = [ToolCall(name, arguments, call_id) for name, arguments, call_id in calls]
        used = {"prompt_tokens": 10, "completion_tokens": 2}
        meta = {"model": "scripted-1", "finish_reason": "tool_calls" if asked else "stop", "usage": used}
        return {"replies": [ChatMessage.from_assistant(text, tool_calls=asked, meta=meta)]}


@tool
def find_invoice(number: Annotated[str, "which"]) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


@tool
def refund(number: Annotated[str, "which"]) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer for {number}")


agent = Agent(chat_generator=ScriptedChatGenerator(), tools=[find_invoice, refund], system_prompt="Help with invoices.")
messages = []
for prompt in ("Hi", "I paid invoice 7 twice"):
    done = agent.run(messages=[*messages, ChatMessage.from_user(prompt)])
    messages = done["messages"]
    print(done["last_message"].text)
