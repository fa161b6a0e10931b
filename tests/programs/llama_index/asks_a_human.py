"""A tool that asks a human before it goes on; a tool that is called with what it does not take; an agent that thinks aloud.

https://developers.llamaindex.ai/python/framework/understanding/agent/human_in_the_loop/
"""

import asyncio
import os

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.workflow import Context, HumanResponseEvent, InputRequiredEvent
from llama_index.llms.openai import OpenAI

llm = OpenAI(model="gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], max_retries=0)


async def dangerous_task(ctx: Context) -> str:
    """Do something dangerous."""
    question = "Are you sure you want to proceed? "
    response = await ctx.wait_for_event(
        HumanResponseEvent,
        waiter_id=question,
        waiter_event=InputRequiredEvent(prefix=question, user_name="Laurie"),
        requirements={"user_name": "Laurie"},
    )
    return "Done." if response.response == "yes" else "Aborted."


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


async def main() -> None:
    helper = FunctionAgent(name="helper", system_prompt="Help.", llm=llm, tools=[dangerous_task], streaming=False)
    for answer in ("yes", "no"):
        handler = helper.run(user_msg="Do the dangerous thing.")
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                print(event.prefix, answer)
                handler.ctx.send_event(HumanResponseEvent(response=answer, user_name=event.user_name))
        print(await handler)
    maths = AgentWorkflow.from_tools_or_functions([multiply], llm=llm, system_prompt="Calculate.")
    print(await maths.run(user_msg="What is 6 times 7?"))
    thinker = ReActAgent(name="thinker", llm=llm, tools=[multiply], streaming=False)
    print(await thinker.run(user_msg="What is 2 times 3?"))


asyncio.run(main())

NEEDS = ["llama-index-core>=0.14.20", "llama-index-llms-openai"]
MODEL = [
    [("dangerous_task", {}, "d1")],
    "I did it.",
    [("dangerous_task", {}, "d2")],
    "I did not do it.",
    [("multiply", {"a": 6, "c": 7}, "m1")],
    [("multiply", {"a": 6, "b": 7}, "m2")],
    "42",
    "Thought: I need a tool.\nAction: multiply\nAction Input: not JSON",
    'Thought: I need to write JSON.\nAction: multiply\nAction Input: {"a": 2, "b": 3}',
    "Thought: I can answer now.\nAnswer: 6",
]
RECORD = r"""
session
  turn Agent
    > What is 6 times 7?
    model gpt-4o-mini
    tool multiply(a=6, c=7) = multiply() got an unexpected keyword argument 'c' ERROR multiply() got an unexpected keyword argument 'c'
    note arguments.rejected {"tool_name": "multiply", "call_id": "m1", "arguments": {"a": 6, "c": 7}, "error": "multiply() got an unexpected keyword argument 'c'"}
    model gpt-4o-mini
    tool multiply(a=6, b=7) = 42
    model gpt-4o-mini
    < 42
session
  turn helper
    > Do the dangerous thing.
    model gpt-4o-mini 10+2
    tool dangerous_task() SKIPPED waits for an answer
    note interrupt {"value": {"prefix": "Are you sure you want to proceed? ", "user_name": "Laurie"}, "interrupt_id": "Are you sure you want to proceed? "}
    tool dangerous_task() = Aborted.
    model gpt-4o-mini 10+2
    < I did not do it.
session
  turn helper
    > Do the dangerous thing.
    model gpt-4o-mini 10+2
    tool dangerous_task() SKIPPED waits for an answer
    note interrupt {"value": {"prefix": "Are you sure you want to proceed? ", "user_name": "Laurie"}, "interrupt_id": "Are you sure you want to proceed? "}
    tool dangerous_task() = Done.
    model gpt-4o-mini 10+2
    < I did it.
session
  turn thinker
    > What is 2 times 3?
    model gpt-4o-mini 10+2
    note retry {"of": "model", "attempt": 2, "error": "Error while parsing the output: Could not extract tool use from input text: Thought: I need a tool.\nAction: multiply\nAction Input: not JSON\n\nThe output should be in one of the following formats:\n1. To call a tool:\n```\nThought: <thought>\nAction: <action>\nAction Input: <action_input>\n```\n2. To answer the question:\n```\nThought: <thought>\nAnswer: <answer>\n```\n"}
    model gpt-4o-mini 10+2
    tool multiply(a=2, b=3) = 6
    model gpt-4o-mini 10+2
    < 6
"""
