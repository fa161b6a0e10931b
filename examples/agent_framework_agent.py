"""A program of Microsoft's Agent Framework that knows nothing of turnspan: two turns of a session, two tools, one failing.

turnspan run examples/agent_framework_agent.py
"""

import asyncio
import logging

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    Content,
    FunctionInvocationLayer,
    Message,
    tool,
)
from agent_framework.observability import ChatTelemetryLayer

SCRIPT = [
    [Content.from_text("Hello! How can I help?")],
    [
        Content.from_function_call("c1", "find_invoice", arguments='{"number": "7"}'),
        Content.from_function_call("c2", "refund", arguments='{"number": "7"}'),
    ],
    [Content.from_text("You paid twice. The bank is down, I will refund you tomorrow.")],
]


class Answers(BaseChatClient):
    """Answers from the script; what a provider would do over the network."""

    OTEL_PROVIDER_NAME = "scripted"
    model = "scripted"

    def _inner_get_response(self, *, messages, stream, options, **kwargs):
        async def answer():
            said = SCRIPT.pop(0)
            return ChatResponse(messages=[Message("assistant", said)], model="scripted")

        return answer()


class Scripted(FunctionInvocationLayer, ChatTelemetryLayer, Answers):
    """The client with the layers that run tools and start spans."""


@tool(approval_mode="never_require")
def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


@tool(approval_mode="never_require")
def refund(number: str) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer for {number}")


async def main() -> None:
    agent = Agent(Scripted(), "Help with invoices.", name="support", tools=[find_invoice, refund])
    session = agent.create_session()
    for prompt in ("Hi", "I paid invoice 7 twice"):
        print((await agent.run(prompt, session=session)).text)


logging.disable()
asyncio.run(main())
