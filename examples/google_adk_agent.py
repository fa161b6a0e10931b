"""A program on Google's ADK that knows nothing of turnspan: two turns of a session, a tool, and an agent that takes over.

turnspan run examples/google_adk_agent.py
"""

import asyncio
import logging

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

logging.getLogger("google_adk").setLevel(logging.ERROR)
SCRIPT = [
    "Hello! How can I help?",
    ("transfer_to_agent", {"agent_name": "billing"}),
    ("find_invoice", {"number": "7"}),
    "You paid 42.00 EUR twice, I will refund you.",
]


class Scripted(BaseLlm):
    """Answers from the script; what a provider would do over the network."""

    async def generate_content_async(self, llm_request, stream=False):
        step = SCRIPT.pop(0)
        if isinstance(step, str):
            part = types.Part(text=step)
        else:
            part = types.Part(function_call=types.FunctionCall(name=step[0], args=step[1]))
        yield LlmResponse(
            content=types.Content(role="model", parts=[part]),
            finish_reason=types.FinishReason.STOP,
            usage_metadata=types.GenerateContentResponseUsageMetadata(prompt_token_count=10, candidates_token_count=2),
        )


def find_invoice(number: str) -> str:
    """Look an invoice up.

    Args:
        number: Which.
    """
    return f"invoice {number}: 42.00 EUR, paid twice"


model = Scripted(model="scripted")
billing = LlmAgent(name="billing", model=model, description="Knows invoices.", tools=[find_invoice])
support = LlmAgent(name="support", model=model, instruction="Help.", sub_agents=[billing])


async def main():
    runner = InMemoryRunner(agent=support, app_name="desk")
    await runner.session_service.create_session(app_name="desk", user_id="ann", session_id="support-42")
    for prompt in ("Hi", "I paid invoice 7 twice"):
        async for event in runner.run_async(
            user_id="ann", session_id="support-42", new_message=types.UserContent(prompt)
        ):
            if event.is_final_response() and event.content:
                print(f"{event.author}: {event.content.parts[0].text}")


asyncio.run(main())
