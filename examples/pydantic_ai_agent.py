"""A Pydantic AI program that knows nothing of turnspan: two turns of a conversation, a tool that is retried.

turnspan run examples/pydantic_ai_agent.py
"""

from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

SCRIPT = [
    [TextPart("Hello! How can I help?")],
    [ToolCallPart("find_invoice", {"number": "7"}, "c1"), ToolCallPart("refund", {"number": "7"}, "c2")],
    [TextPart("You paid twice. The bank is down, I will refund you tomorrow.")],
]


def model(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
    """Answer from the script; what a provider would do over the network."""
    return ModelResponse(parts=SCRIPT.pop(0))


agent = Agent(FunctionModel(model, model_name="scripted"), name="support", instructions="Help with invoices.")


@agent.tool_plain
def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


@agent.tool_plain
def refund(number: str) -> str:
    """Pay an invoice back."""
    raise ModelRetry(f"the bank did not answer for {number}")


history = None
for prompt in ("Hi", "I paid invoice 7 twice"):
    result = agent.run_sync(prompt, message_history=history)
    history = result.all_messages()
    print(result.output)
