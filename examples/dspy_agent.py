"""A DSPy program that knows nothing of turnspan: two turns of an agent, two tools, one failing.

turnspan run examples/dspy_agent.py
"""

import dspy
from dspy.utils.dummies import DummyLM


class Support(dspy.Signature):
    """Help with invoices."""

    question: str = dspy.InputField()
    history: dspy.History = dspy.InputField()
    answer: str = dspy.OutputField()


def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer for {number}")


def acts(tool: str, arguments: str = "{}") -> dict[str, str]:
    return {"next_thought": "I act.", "next_tool_name": tool, "next_tool_args": arguments}


SCRIPT = [
    acts("finish"),
    {"reasoning": "A greeting.", "answer": "Hello! How can I help?"},
    acts("find_invoice", '{"number": "7"}'),
    acts("refund", '{"number": "7"}'),
    acts("finish"),
    {"reasoning": "It failed.", "answer": "You paid twice. The bank is down, I will refund you tomorrow."},
]

dspy.configure(lm=DummyLM(SCRIPT))
agent = dspy.ReAct(Support, tools=[find_invoice, refund])
history = dspy.History(messages=[])
for prompt in ("Hi", "I paid invoice 7 twice"):
    answer = agent(question=prompt, history=history).answer
    history.messages.append({"question": prompt, "answer": answer})
    print(answer)
