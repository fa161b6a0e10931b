"""An agent as another one's plugin with Semantic Kernel's own diagnostics on, agents at the same time, and a model that fails.

https://learn.microsoft.com/semantic-kernel/frameworks/agent/ and .../concepts/enterprise-readiness/observability/
"""

import asyncio
import logging
import os

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"] = "true"

from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion


def agent(name: str, **more) -> ChatCompletionAgent:
    service = OpenAIChatCompletion(ai_model_id="gpt-5")
    return ChatCompletionAgent(service=service, name=name, instructions=f"You are the {name}.", **more)


async def main() -> None:
    billing = agent("billing", description="Knows about bills.")
    triage = agent("triage", plugins=[billing])
    print(await triage.get_response("I paid twice"))
    answers = await asyncio.gather(*(billing.get_response(asked) for asked in ("Bill one?", "Bill two?")))
    print([str(answer) for answer in answers])
    try:
        await triage.get_response("Say too much")
    except Exception as error:
        print(type(error).__name__, "too many words" in str(error))


logging.disable()
asyncio.run(main())

NEEDS = ["semantic-kernel>=1.45"]
MODEL = {
    "Bill one?": ["Paid."],
    "Bill two?": ["Open."],
    "Say too much": [{"status": 400, "message": "too many words"}],
    "You are the billing.": ["One of them is paid back."],
    "You are the triage.": [[("billing-billing", {"messages": "Paid twice"}, "c1")], "You get it back."],
}
RECORD = """
session
  turn billing
    > Bill one?
    model gpt-5 10+2
    < Paid.
session
  turn billing
    > Bill two?
    model gpt-5 10+2
    < Open.
session
  turn triage
    > I paid twice
    model gpt-5 10+2
    tool billing-billing(messages=Paid twice) = One of them is paid back.
      agent billing
        model gpt-5 10+2
    model gpt-5 10+2
    < You get it back.
session
  turn triage ERROR ("<class 'semantic_kernel.connectors.ai.open_ai.services.open_ai_chat_completion.OpenAIChatCompletion'> service failed to complete the prompt", BadRequestError('Error code: 400 - too many words'))
    > Say too much
    model gpt-5 ERROR ("<class 'semantic_kernel.connectors.ai.open_ai.services.open_ai_chat_completion.OpenAIChatCompletion'> service failed to complete the prompt", BadRequestError('Error code: 400 - too many words'))
"""
