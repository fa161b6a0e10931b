"""Runs that wait for a person's consent or input, a database of sessions, a stream, and a model that is asked again.

https://docs.agno.com/concepts/hitl/user-confirmation and https://docs.agno.com/concepts/agents/sessions
"""

import asyncio

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.openai import OpenAIChat
from agno.tools import tool


@tool(requires_confirmation=True)
def send_mail(to: str, text: str) -> str:
    """Send a mail."""
    return f"sent to {to}"


@tool(external_execution=True)
def run_shell(command: str) -> str:
    """Run a command in a shell."""
    raise AssertionError("it runs elsewhere")


agent = Agent(
    name="secretary",
    model=OpenAIChat(id="gpt-5", retries=1, delay_between_retries=0, client_params={"max_retries": 0}),
    tools=[send_mail, run_shell],
    db=InMemoryDb(),
    add_history_to_context=True,
    telemetry=False,
)


def run(asked: str, consent: bool) -> None:
    output = agent.run(asked, session_id="mails-1")
    while output.is_paused:
        for requirement in output.active_requirements:
            print("waits:", requirement.tool_execution.tool_name, requirement.tool_execution.tool_args)
            if requirement.needs_confirmation:
                requirement.confirm() if consent else requirement.reject("not on Sundays")
            elif requirement.needs_external_execution:
                requirement.set_external_execution_result("three files")
        output = agent.continue_run(run_id=output.run_id, requirements=output.requirements, session_id="mails-1")
    print(output.status.value, output.content)


run("Mail Ann", consent=True)
run("Mail Bob", consent=False)
run("List my files", consent=True)


async def main() -> None:
    async for event in agent.arun("Tell me what you did", session_id="mails-1", stream=True, stream_events=True):
        if event.event == "RunContent":
            print("heard:", event.content)


asyncio.run(main())

NEEDS = ["agno>=3.1", "openai>=2"]
MODEL = [
    [("send_mail", {"to": "Ann", "text": "hi"}, "c1")],
    "Ann has it.",
    [("send_mail", {"to": "Bob", "text": "hi"}, "c2")],
    "Bob gets nothing.",
    [("run_shell", {"command": "ls"}, "c3")],
    {"status": 500, "message": "overloaded"},
    "Three files.",
    "I sent a mail.",
]
RECORD = """
session mails-1
  turn secretary
    > Mail Ann
    model gpt-5 10+2
    note approval.asked {"tool_name": "send_mail", "call_id": "c1", "arguments": {"to": "Ann", "text": "hi"}}
  turn secretary
    note approval.approved {"tool_name": "send_mail", "call_id": "c1"}
    tool send_mail(to=Ann, text=hi) = sent to Ann
    model gpt-5 10+2
    < Ann has it.
  turn secretary
    > Mail Bob
    model gpt-5 10+2
    note approval.asked {"tool_name": "send_mail", "call_id": "c2", "arguments": {"to": "Bob", "text": "hi"}}
  turn secretary
    note approval.denied {"tool_name": "send_mail", "call_id": "c2", "reason": "not on Sundays"}
    tool send_mail(to=Bob, text=hi) SKIPPED not on Sundays
    model gpt-5 10+2
    < Bob gets nothing.
  turn secretary
    > List my files
    model gpt-5 10+2
    note interrupt {"value": {"needs": "external execution", "tool_name": "run_shell", "arguments": {"command": "ls"}}, "interrupt_id": "c3"}
  turn secretary
    tool run_shell(command=ls) = three files
    model gpt-5 10+2
    note retry {"of": "model", "attempt": 2, "error": "overloaded"}
    < Three files.
  turn secretary
    > Tell me what you did
    model gpt-5 10+2
    < I sent a mail.
"""
