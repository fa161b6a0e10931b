"""A smolagents program that knows nothing of turnspan: two turns of an agent, two tools, one failing.

turnspan run examples/smolagents_agent.py
"""

from smolagents import LogLevel, Model, ToolCallingAgent, tool
from smolagents.models import (
    ChatMessage,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    MessageRole,
    TokenUsage,
)

SCRIPT = [
    [("final_answer", {"answer": "Hello! How can I help?"}, "c1")],
    [("find_invoice", {"number": "7"}, "c2")],
    [("refund", {"number": "7"}, "c3")],
    [("final_answer", {"answer": "You paid twice. The bank is down, I will refund you tomorrow."}, "c4")],
]


class Scripted(Model):
    """Answers from the script; what a provider would do over the network."""

    def generate(self, messages, stop_sequences=None, response_format=None, tools_to_call_from=None, **more):
        calls = [
            ChatMessageToolCall(ChatMessageToolCallFunction(arguments, name), call_id, "function")
            for name, arguments, call_id in SCRIPT.pop(0)
        ]
        return ChatMessage(MessageRole.ASSISTANT, None, calls, token_usage=TokenUsage(10, 2))


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


agent = ToolCallingAgent(
    [find_invoice, refund], Scripted(model_id="scripted"), name="support", verbosity_level=LogLevel.OFF
)
for prompt in ("Hi", "I paid invoice 7 twice"):
    print(agent.run(prompt, reset=False))
