"""One runtime that answers several customers at once.

https://github.com/erfanzar/Xerxes-Agents
"""

import asyncio
import os

from xerxes import Agent, LLMConfig, OpenAILLM, Xerxes


async def stock(fruit: str) -> int:
    """Count fruit."""
    await asyncio.sleep(0)
    return {"apples": 3, "pears": 0}[fruit]


llm = OpenAILLM(LLMConfig(model="gpt-5", api_key=os.environ["OPENAI_API_KEY"]))
xerxes = Xerxes(llm=llm)
grocer = Agent(id="grocer", name="grocer", model="gpt-5", functions=[stock])
xerxes.register_agent(grocer)


async def serve(fruit: str) -> str:
    answer = await xerxes.create_response(prompt=f"Are there {fruit}?", agent_id=grocer, stream=False)
    return answer.content


async def main() -> None:
    print(await asyncio.gather(serve("apples"), serve("pears")))
    await llm.close()


asyncio.run(main())

NEEDS = ["xerxes-agent>=0.2.5"]
MODEL = {
    "there apples?": [[("stock", {"fruit": "apples"}, "s1")], "Three."],
    "there pears?": [[("stock", {"fruit": "pears"}, "s1")], "None."],
}
RECORD = """
session
  turn grocer
    > Are there apples?
    model gpt-5
    tool stock(fruit=apples) = 3
    model gpt-5
    < Three.
  turn grocer
    > Are there pears?
    model gpt-5
    tool stock(fruit=pears) = 0
    model gpt-5
    < None.
"""
