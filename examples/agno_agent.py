"""An Agno program that knows nothing of turnspan: two turns of a session, two tools, one failing.

turnspan run examples/agno_agent.py
"""

import json
from dataclasses import dataclass

from agno.agent import Agent
from agno.models.base import Model
from agno.models.response import ModelResponse

SCRIPT = [
    ("Hello! How can I help?", []),
    (None, [("find_invoice", {"number": "7"}, "c1"), ("refund", {"number": "7"}, "c2")]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


@dataclass
class Scripted(Model):
    """Answers from the script; what a provider would do over the network."""

    id: str = "scripted"

    def invoke(self, *args, **kwargs):
        text, calls = SCRIPT.pop(0)
        asked = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for name, arguments, call_id in calls
        ]
        return ModelResponse(role="assistant", content=text, tool_calls=asked)

    async def ainvoke(self, *args, **kwargs):
        return self.invoke()

    def invoke_stream(self, *args, **kwargs):
        yield self.invoke()

    async def ainvoke_stream(self, *args, **kwargs):
        yield self.invoke()

    def _parse_provider_response(self, response, **kwargs):
        return response

    def _parse_provider_response_delta(self, response):
        return response


def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer for {number}")


agent = Agent(
    name="support",
    model=Scripted(),
    tools=[find_invoice, refund],
    instructions="Help with invoices.",
    telemetry=False,
)
for prompt in ("Hi", "I paid invoice 7 twice"):
    print(agent.run(prompt).content)
