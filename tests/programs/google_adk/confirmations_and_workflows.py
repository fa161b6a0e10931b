"""A tool that waits for consent, a job that takes long, and a workflow that asks whoever runs it.

https://google.github.io/adk-docs/tools-custom/confirmation/, .../tools-custom/function-tools/ and .../workflows/
"""

import asyncio
import logging

from google.adk.agents import LlmAgent
from google.adk.apps import App, ResumabilityConfig
from google.adk.events.request_input import RequestInput
from google.adk.runners import InMemoryRunner
from google.adk.tools import FunctionTool, LongRunningFunctionTool, ToolContext
from google.adk.workflow import START, Workflow
from google.genai import types

logging.getLogger("google_adk").setLevel(logging.CRITICAL)


def reimburse(amount: int, tool_context: ToolContext) -> dict:
    """Pay money back.

    Args:
        amount: How much.
    """
    return {"status": f"paid {amount}"}


def ask_for_approval(purpose: str) -> dict:
    """Ask the manager.

    Args:
        purpose: For what.
    """
    return {"status": "pending", "ticket": "t-1"}


async def more_than_ten(amount: int, tool_context: ToolContext) -> bool:
    return amount > 10


clerk = LlmAgent(
    name="clerk",
    model="gemini-2.5-flash",
    instruction="You pay money back.",
    tools=[FunctionTool(reimburse, require_confirmation=more_than_ten), LongRunningFunctionTool(ask_for_approval)],
)
writer = LlmAgent(name="writer", model="gemini-2.5-flash", instruction="You write a headline.")


async def ask_reader(node_input: str):
    yield RequestInput(interrupt_id="reader", message="Do you like it?", payload={"headline": str(node_input)})


def publish(node_input: str) -> str:
    return f"published, and the reader said {node_input}"


news = Workflow(name="news", edges=[(START, writer, ask_reader, publish)])


async def run(runner, session_id, message, **more):
    """Run a turn; return the function calls that wait for an answer."""
    if isinstance(message, str):
        message = types.Content(role="user", parts=[types.Part(text=message)])
    waiting = []
    async for event in runner.run_async(user_id="u1", session_id=session_id, new_message=message, **more):
        for part in event.content.parts or [] if event.content else []:
            if part.text:
                print(event.author, "says", part.text)
        if event.output is not None:
            print("output", event.output)
        calls = event.get_function_calls()
        waiting += [call for call in calls if call.id in (event.long_running_tool_ids or ())]
    return waiting


def answer(call, response):
    response = types.FunctionResponse(id=call.id, name=call.name, response=response)
    return types.Content(role="user", parts=[types.Part(function_response=response)])


async def main():
    runner = InMemoryRunner(agent=clerk, app_name="clerks")
    await runner.session_service.create_session(app_name="clerks", user_id="u1", session_id="c1")
    await run(runner, "c1", "Pay 5 back.")
    for confirmed in (True, False):
        (call,) = await run(runner, "c1", "Pay 50 back.")
        print(call.name, call.args["originalFunctionCall"]["name"])
        await run(runner, "c1", answer(call, {"confirmed": confirmed}))
    (call,) = await run(runner, "c1", "Pay my flight back.")
    await run(runner, "c1", answer(call, {"status": "approved"}))

    app = App(name="papers", root_agent=news, resumability_config=ResumabilityConfig(is_resumable=True))
    runner = InMemoryRunner(app=app)
    await runner.session_service.create_session(app_name="papers", user_id="u1", session_id="n1")
    (call,) = await run(runner, "n1", "It rains.")
    print(call.name, call.args["message"])
    await run(runner, "n1", answer(call, {"result": "yes"}))


asyncio.run(main())

NEEDS = ["google-adk>=2.10"]
MODEL = [
    [("reimburse", {"amount": 5})],
    "I paid 5.",
    [("reimburse", {"amount": 50})],
    "I paid 50.",
    [("reimburse", {"amount": 50})],
    "I may not.",
    [("ask_for_approval", {"purpose": "flight"})],
    "I have asked.",
    "It was approved.",
    "Rain!",
]
RECORD = """
session c1
  turn clerk
    > Pay 5 back.
    model gemini-2.5-flash 10+2
    tool reimburse(amount=5) = {"status": "paid 5"}
    model gemini-2.5-flash 10+2
    < I paid 5.
  turn clerk
    > Pay 50 back.
    model gemini-2.5-flash 10+2
    tool reimburse(amount=50) SKIPPED waits for approval
    note approval.asked {"tool_name": "reimburse", "call_id": "adk-(id)", "arguments": {"amount": 50}, "reason": "Please approve or reject the tool call reimburse() by responding with a FunctionResponse with an expected ToolConfirmation payload."}
  turn clerk
    > {"confirmed":true}
    tool reimburse(amount=50) = {"status": "paid 50"}
    note approval.approved {"tool_name": "reimburse", "call_id": "adk-(id)"}
    model gemini-2.5-flash 10+2
    < I paid 50.
  turn clerk
    > Pay 50 back.
    model gemini-2.5-flash 10+2
    tool reimburse(amount=50) SKIPPED waits for approval
    note approval.asked {"tool_name": "reimburse", "call_id": "adk-(id)", "arguments": {"amount": 50}, "reason": "Please approve or reject the tool call reimburse() by responding with a FunctionResponse with an expected ToolConfirmation payload."}
  turn clerk
    > {"confirmed":false}
    tool reimburse(amount=50) = {"error": "This tool call is rejected."} SKIPPED This tool call is rejected.
    note approval.denied {"tool_name": "reimburse", "call_id": "adk-(id)"}
    model gemini-2.5-flash 10+2
    < I may not.
  turn clerk
    > Pay my flight back.
    model gemini-2.5-flash 10+2
    tool ask_for_approval(purpose=flight) = {"status": "pending", "ticket": "t-1"}
    model gemini-2.5-flash 10+2
    < I have asked.
  turn clerk
    > {"status":"approved"}
    model gemini-2.5-flash 10+2
    < It was approved.
session n1
  turn news
    > It rains.
    agent writer
      model gemini-2.5-flash 10+2
    note interrupt {"value": {"interruptId": "reader", "payload": {"headline": "Rain!"}, "message": "Do you like it?", "response_schema": null}, "interrupt_id": "reader"}
    < Rain!
  turn news
    > {"result":"yes"}
    < published, and the reader said yes
"""
