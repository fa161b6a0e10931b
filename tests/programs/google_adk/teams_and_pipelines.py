"""A coordinator that transfers, an agent as a tool, and a pipeline of steps in a row, at once and in a loop.

https://google.github.io/adk-docs/agents/multi-agents/ and .../agents/workflow-agents/
"""

import asyncio
import logging
import warnings

warnings.simplefilter("ignore")

from google.adk.agents import LlmAgent, LoopAgent, ParallelAgent, SequentialAgent
from google.adk.runners import InMemoryRunner
from google.adk.tools import exit_loop
from google.adk.tools.agent_tool import AgentTool
from google.genai import types

logging.getLogger("google_adk").setLevel(logging.CRITICAL)
MODEL_NAME = "gemini-2.5-flash"


def find_invoice(number: int) -> dict:
    """Look an invoice up.

    Args:
        number: Which.
    """
    return {"number": number, "due": "42.00 EUR"}


energy_is_done = asyncio.Event()


async def wait_for_energy(callback_context, llm_request):
    """Have what comes later see the two in this order, which else is chance."""
    await energy_is_done.wait()


def say_done(callback_context):
    energy_is_done.set()


def agent(name, instruction, **more):
    return LlmAgent(name=name, model=MODEL_NAME, instruction=instruction, **more)


summarizer = agent("summarizer", "You summarize.", description="Summarizes a text.")
billing = agent("billing", "You handle billing.", description="Handles invoices.", tools=[find_invoice])
support = agent("support", "You handle outages.", description="Handles outages.")
coordinator = agent(
    "coordinator",
    "You coordinate.",
    sub_agents=[billing, support],
    tools=[AgentTool(summarizer, skip_summarization=False)],
)
pipeline = SequentialAgent(
    name="pipeline",
    sub_agents=[
        ParallelAgent(
            name="research",
            sub_agents=[
                agent("energy", "You research energy.", output_key="energy", after_agent_callback=say_done),
                agent("cars", "You research cars.", output_key="cars", before_model_callback=wait_for_energy),
            ],
        ),
        agent("merger", "You merge: {energy} {cars}", output_key="text"),
        LoopAgent(name="refining", max_iterations=3, sub_agents=[agent("critic", "You criticize.", tools=[exit_loop])]),
    ],
)


async def main():
    for root, session_id, prompts in (
        (coordinator, "team", ["Summarize this: it rains.", "What about invoice 7?", "Thanks!"]),
        (pipeline, "pipe", ["Sustainability"]),
    ):
        runner = InMemoryRunner(agent=root, app_name="teams")
        await runner.session_service.create_session(app_name="teams", user_id="u1", session_id=session_id)
        for prompt in prompts:
            message = types.Content(role="user", parts=[types.Part(text=prompt)])
            said = []
            async for event in runner.run_async(user_id="u1", session_id=session_id, new_message=message):
                if event.is_final_response() and event.content:
                    said.append(f"{event.author}: {''.join(part.text or '' for part in event.content.parts)}")
            print(sorted(said))


asyncio.run(main())

NEEDS = ["google-adk>=2.10"]
MODEL = {
    "You coordinate.": [
        [("summarizer", {"request": "it rains"})],
        "Rain, in short.",
        [("transfer_to_agent", {"agent_name": "billing"})],
    ],
    "You summarize.": ["Rain."],
    "You handle billing.": [[("find_invoice", {"number": 7})], "You owe 42.00 EUR.", "You are welcome."],
    "You research energy.": ["Sun and wind."],
    "You research cars.": ["Batteries."],
    "You merge: ": ["Sun, wind and batteries."],
    "You criticize.": ["Name a country.", [("exit_loop", {})]],
}
RECORD = """
session pipe
  turn pipeline
    > Sustainability
    agent research
      agent cars
        model gemini-2.5-flash 10+2
      agent energy
        model gemini-2.5-flash 10+2
    agent merger
      model gemini-2.5-flash 10+2
    agent refining
      agent critic
        model gemini-2.5-flash 10+2
      agent critic
        model gemini-2.5-flash 10+2
        tool exit_loop()
    < Name a country.
session team
  turn coordinator
    > Summarize this: it rains.
    model gemini-2.5-flash 10+2
    tool summarizer(request=it rains) = Rain.
      agent summarizer
        model gemini-2.5-flash 10+2
    model gemini-2.5-flash 10+2
    < Rain, in short.
  turn coordinator
    > What about invoice 7?
    model gemini-2.5-flash 10+2
    tool transfer_to_agent(agent_name=billing)
    handoff coordinator -> billing
    agent billing
      model gemini-2.5-flash 10+2
      tool find_invoice(number=7) = {"number": 7, "due": "42.00 EUR"}
      model gemini-2.5-flash 10+2
    < You owe 42.00 EUR.
  turn billing
    > Thanks!
    model gemini-2.5-flash 10+2
    < You are welcome.
"""
