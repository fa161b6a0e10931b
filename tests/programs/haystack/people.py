"""Calls that a person confirms, changes or rejects; a strategy of one's own; a pipeline that stops at a breakpoint.

https://docs.haystack.deepset.ai/docs/human-in-the-loop and https://docs.haystack.deepset.ai/docs/pipeline-breakpoints
"""

import asyncio
from typing import Annotated

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.core.errors import BreakpointException
from haystack.dataclasses import ChatMessage
from haystack.dataclasses.breakpoints import Breakpoint
from haystack.hooks.human_in_the_loop import (
    AlwaysAskPolicy,
    BlockingConfirmationStrategy,
    ConfirmationHook,
    ConfirmationUIResult,
    NeverAskPolicy,
    ToolExecutionDecision,
)
from haystack.tools import tool


@tool
def send_mail(to: Annotated[str, "whom"], text: Annotated[str, "what"]) -> str:
    """Send a mail."""
    return f"sent {text!r} to {to}"


@tool
def look_up(name: Annotated[str, "whose"]) -> str:
    """Look an address up."""
    return f"{name}@example.org"


@tool
def pay(amount: Annotated[int, "how much"]) -> str:
    """Pay."""
    return f"paid {amount}"


class Screen:
    """What a person clicks at."""

    clicks = [
        ConfirmationUIResult("confirm"),
        ConfirmationUIResult("modify", "be polite", {"to": "Bob", "text": "Dear Bob"}),
        ConfirmationUIResult("reject", "not on Sundays"),
    ]

    def get_user_confirmation(self, tool_name, tool_description, tool_params):
        print("asks:", tool_name, tool_params)
        return self.clicks.pop(0)


class Limit:
    """Lets small amounts through."""

    async def run_async(self, *, tool_name, tool_description, tool_params, tool_call_id=None, **_):
        await asyncio.sleep(0)
        return self.run(tool_name=tool_name, tool_params=tool_params, tool_call_id=tool_call_id)

    def run(self, *, tool_name, tool_params, tool_call_id=None, **_):
        small = tool_params["amount"] < 10
        feedback = None if small else "too much"
        return ToolExecutionDecision(tool_name, small, tool_call_id, feedback, tool_params if small else None)


def hook() -> ConfirmationHook:
    asks = BlockingConfirmationStrategy(confirmation_policy=AlwaysAskPolicy(), confirmation_ui=Screen())
    trusts = BlockingConfirmationStrategy(confirmation_policy=NeverAskPolicy(), confirmation_ui=Screen())
    return ConfirmationHook({"send_mail": asks, "look_up": trusts, "pay": Limit()})


secretary = Agent(
    chat_generator=OpenAIChatGenerator(model="gpt-5", max_retries=0),
    tools=[send_mail, look_up, pay],
    hooks={"before_tool": [hook()]},
    tool_concurrency_limit=1,
)
for asked in ("Greet Ann", "Greet Bob", "Greet Cleo"):
    print(secretary.run(messages=[ChatMessage.from_user(asked)])["last_message"].text)
print(asyncio.run(secretary.run_async(messages=[ChatMessage.from_user("Pay twice")]))["last_message"].text)

letters = Pipeline()
letters.add_component("prompt", ChatPromptBuilder([ChatMessage.from_user("Write to {{ name }}")]))
letters.add_component("llm", OpenAIChatGenerator(model="gpt-5", max_retries=0))
letters.add_component("second", ChatPromptBuilder([ChatMessage.from_user("Shorten {{ draft[0].text }}")]))
letters.add_component("editor", OpenAIChatGenerator(model="gpt-5-mini", max_retries=0))
letters.connect("prompt", "llm.messages")
letters.connect("llm.replies", "second.draft")
letters.connect("second", "editor.messages")
try:
    letters.run({"name": "Dora"}, break_point=Breakpoint("editor", 0))
except BreakpointException as stop:
    print("stopped before", stop.component)
    done = letters.run({}, pipeline_snapshot=stop.pipeline_snapshot)
    print(done["editor"]["replies"][0].text)

NEEDS = ["haystack-ai>=3.0"]
MODEL = [
    [("look_up", {"name": "Ann"}, "c1"), ("send_mail", {"to": "Ann", "text": "hi"}, "c2")],
    "Ann has it.",
    [("send_mail", {"to": "Bob", "text": "hi"}, "c3")],
    "Bob has it.",
    [("send_mail", {"to": "Cleo", "text": "hi"}, "c4")],
    "Cleo gets nothing.",
    [("pay", {"amount": 5}, "c5"), ("pay", {"amount": 500}, "c6")],
    "Five are paid.",
    "A long letter",
    "A letter",
]
RECORD = """
session
  turn Agent
    > Greet Ann
    model gpt-5 10+2
    note approval.asked {"tool_name": "send_mail", "call_id": "c2", "arguments": {"to": "Ann", "text": "hi"}}
    note approval.approved {"tool_name": "send_mail", "call_id": "c2"}
    tool look_up(name=Ann) = Ann@example.org
    tool send_mail(to=Ann, text=hi) = sent 'hi' to Ann
    model gpt-5 10+2
    < Ann has it.
session
  turn Agent
    > Greet Bob
    model gpt-5 10+2
    note approval.asked {"tool_name": "send_mail", "call_id": "c3", "arguments": {"to": "Bob", "text": "hi"}}
    note approval.approved {"tool_name": "send_mail", "call_id": "c3", "reason": "The parameters for tool 'send_mail' were updated by the user to:\\n{'to': 'Bob', 'text': 'Dear Bob'} With user feedback: be polite"}
    tool send_mail(to=Bob, text=Dear Bob) = sent 'Dear Bob' to Bob
    model gpt-5 10+2
    < Bob has it.
session
  turn Agent
    > Greet Cleo
    model gpt-5 10+2
    note approval.asked {"tool_name": "send_mail", "call_id": "c4", "arguments": {"to": "Cleo", "text": "hi"}}
    note approval.denied {"tool_name": "send_mail", "call_id": "c4", "reason": "Tool execution for 'send_mail' was rejected by the user. With user feedback: not on Sundays"}
    tool send_mail(to=Cleo, text=hi) SKIPPED Tool execution for 'send_mail' was rejected by the user. With user feedback: not on Sundays
    model gpt-5 10+2
    < Cleo gets nothing.
session
  turn Agent
    > Pay twice
    model gpt-5 10+2
    note approval.asked {"tool_name": "pay", "call_id": "c5", "arguments": {"amount": 5}}
    note approval.approved {"tool_name": "pay", "call_id": "c5"}
    note approval.asked {"tool_name": "pay", "call_id": "c6", "arguments": {"amount": 500}}
    note approval.denied {"tool_name": "pay", "call_id": "c6", "reason": "too much"}
    tool pay(amount=500) SKIPPED too much
    tool pay(amount=5) = paid 5
    model gpt-5 10+2
    < Five are paid.
session
  turn Pipeline
    > Dora
    model gpt-5 10+2
    note interrupt {"value": {"before": "editor"}}
  turn Pipeline
    model gpt-5-mini 10+2
    < A letter
"""
