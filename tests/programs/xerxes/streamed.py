"""Streams of the class runtime: chunks, tools, an error of the provider, a stream that breaks off.

https://github.com/erfanzar/Xerxes-Agents
"""

import asyncio
import os

from xerxes import Agent, LLMConfig, OpenAILLM, Xerxes


async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


llm = OpenAILLM(LLMConfig(model="gpt-5-mini", api_key=os.environ["OPENAI_API_KEY"]))
xerxes = Xerxes(llm=llm)
xerxes.register_agent(Agent(id="adder", name="adder", model="gpt-5-mini", functions=[add]))


async def main() -> None:
    for prompt in ["2 and 3?", "And what is forbidden?", "Count!"]:
        try:
            stream = await xerxes.create_response(prompt=prompt, agent_id="adder", stream=True)
            async for item in stream:
                if content := getattr(item, "content", None):
                    print(type(item).__name__, repr(content))
        except Exception as error:
            print(type(error).__name__)
    await llm.close()


asyncio.run(main())

NEEDS = ["xerxes-agent>=0.2.5"]
MODEL = [
    [("add", {"a": 2, "b": 3}, "a1")],
    "It is 5.",
    {"status": 400, "message": "not that"},
    {"text": "One, two, three", "breaks": "disconnect"},
]
RECORD = """
session
  turn adder
    > 2 and 3?
    model gpt-5-mini
    tool add(a=2, b=3) = 5
    model gpt-5-mini
    < It is 5.
  turn adder ERROR Error code: 400 - not that
    > And what is forbidden?
    model gpt-5-mini ERROR Error code: 400 - not that
  turn adder ERROR Connection error.
    > Count!
    model gpt-5-mini ERROR Connection error.
    < One, two, three
"""
