"""A Strands program that knows nothing of turnspan: two turns of an agent, two tools, one failing.

turnspan run examples/strands_agent.py
"""

from strands import Agent, tool
from strands.models import Model

SCRIPT = [
    ("Hello! How can I help?", []),
    ("", [("find_invoice", '{"number": "7"}', "c1"), ("refund", '{"number": "7"}', "c2")]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


class Scripted(Model):
    """Answers from the script; what a provider would do over the network."""

    config = {"model_id": "scripted"}

    def update_config(self, **model_config):
        pass

    def get_config(self):
        return self.config

    async def structured_output(self, output_model, prompt, system_prompt=None, **kwargs):
        raise NotImplementedError
        yield

    async def stream(self, messages, tool_specs=None, system_prompt=None, **kwargs):
        text, calls = SCRIPT.pop(0)
        yield {"messageStart": {"role": "assistant"}}
        for start, delta in [
            *([({}, {"text": text})] if text else []),
            *(({"toolUse": {"name": n, "toolUseId": i}}, {"toolUse": {"input": given}}) for n, given, i in calls),
        ]:
            yield {"contentBlockStart": {"start": start}}
            yield {"contentBlockDelta": {"delta": delta}}
            yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if calls else "end_turn"}}
        yield {
            "metadata": {
                "usage": {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12},
                "metrics": {"latencyMs": 1},
            }
        }


@tool
def find_invoice(number: str) -> str:
    """Look an invoice up.

    Args:
        number: Which.
    """
    return f"invoice {number}: 42.00 EUR, paid twice"


@tool
def refund(number: str) -> str:
    """Pay an invoice back.

    Args:
        number: Which.
    """
    raise ConnectionError(f"the bank did not answer for {number}")


agent = Agent(
    Scripted(), name="support", system_prompt="Help with invoices.", tools=[find_invoice, refund], callback_handler=None
)
for prompt in ("Hi", "I paid invoice 7 twice"):
    print(agent(prompt))
