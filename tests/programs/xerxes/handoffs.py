"""Two agents: a tool that switches to the other, an agent as a tool, and sessions side by side in threads.

https://github.com/erfanzar/Xerxes-Agents
"""

import asyncio
import os

from xerxes import Agent, LLMConfig, OpenAILLM, Xerxes

llm = OpenAILLM(LLMConfig(model="gpt-5", api_key=os.environ["OPENAI_API_KEY"]))
xerxes = Xerxes(llm=llm)
billing = Agent(id="billing", name="billing", model="gpt-5-mini", instructions="Billing.", functions=[])


def to_billing() -> str:
    """Give it to billing."""
    xerxes.orchestrator.switch_agent("billing", "it is about money")
    return "billing has it"


async def ask_billing(question: str) -> str:
    """Ask billing."""
    answer = await xerxes.create_response(prompt=question, agent_id="billing", stream=False)
    return answer.content


triage = Agent(id="triage", name="triage", model="gpt-5", instructions="Triage.", functions=[to_billing, ask_billing])
xerxes.register_agent(triage)
xerxes.register_agent(billing)


async def main() -> None:
    for prompt in ["I paid twice", "Ask what I owe"]:
        print((await xerxes.create_response(prompt=prompt, agent_id="triage", stream=False)).content)
    await llm.close()


asyncio.run(main())

NEEDS = ["xerxes-agent>=0.2.5"]
MODEL = [
    [("to_billing", {}, "t1")],
    "Billing will write to you.",
    [("ask_billing", {"question": "what is owed?"}, "t2")],
    "Nothing.",
    "You owe nothing.",
]
RECORD = """
session
  turn triage
    > I paid twice
    model gpt-5
    tool to_billing() = billing has it
    handoff triage -> billing it is about money
    agent billing
      model gpt-5
    < Billing will write to you.
  turn triage
    > Ask what I owe
    model gpt-5
    tool ask_billing(question=what is owed?) = Nothing.
      agent billing
        model gpt-5-mini
    model gpt-5
    < You owe nothing.
"""
