"""A CrewAI program that knows nothing of turnspan: two kickoffs of a crew, two tools, one failing.

turnspan run examples/crewai_crew.py
"""

import json
import os

os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")  # CrewAI's own
os.environ.setdefault("CREWAI_TRACING_ENABLED", "false")

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import tool

SCRIPT = [
    "Hello! How can I help?",
    ("find_invoice", {"number": "7"}),
    ("refund", {"number": "7"}),
    "You paid twice. The bank is down, I will refund you tomorrow.",
]


class Scripted(BaseLLM):
    """Answers from the script; what a provider would do over the network."""

    def call(self, messages, tools=None, **more):
        step = SCRIPT.pop(0)
        if isinstance(step, str):
            return step
        function = {"name": step[0], "arguments": json.dumps(step[1])}
        return [{"id": f"call-{len(SCRIPT)}", "type": "function", "function": function}]

    def supports_function_calling(self):
        return True


@tool("find_invoice")
def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


@tool("refund")
def refund(number: str) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer for {number}")


agent = Agent(
    role="support",
    goal="Help customers",
    backstory="You work for a shop.",
    llm=Scripted(model="scripted"),
    tools=[find_invoice, refund],
)
task = Task(description="{message}", expected_output="An answer to the customer.", agent=agent)
crew = Crew(name="shop", agents=[agent], tasks=[task])
for message in ("Hi", "I paid invoice 7 twice"):
    print(crew.kickoff(inputs={"message": message}))
