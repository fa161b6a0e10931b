"""A model without calls of tools writes them down; a stream; an agent that tries again; a tool that a hook keeps back.

https://docs.crewai.com/en/concepts/agents, .../learn/custom-llm and .../learn/tool-hooks
"""

import openai
from crewai import LLM, Agent, BaseLLM, Crew, Task
from crewai.events.utils.console_formatter import set_suppress_console_output
from crewai.hooks import before_tool_call
from crewai.tools import tool

set_suppress_console_output(True)


class Plain(BaseLLM):
    """A client of one's own, whose model knows no tools."""

    def call(self, messages, tools=None, callbacks=None, available_functions=None, from_task=None, from_agent=None,
             response_model=None):  # fmt: skip
        answer = openai.OpenAI(max_retries=0).chat.completions.create(model=self.model, messages=messages)
        return answer.choices[0].message.content

    def supports_function_calling(self):
        return False


@tool("convert")
def convert(euros: float) -> str:
    """Convert euros into crowns."""
    if euros < 0:
        raise ValueError("a price is never negative")
    return f"{euros * 25} crowns"


@tool("pay")
def pay(crowns: float) -> str:
    """Pay."""
    return "paid"


@before_tool_call
def keep_back(context):
    return False if context.tool_name == "pay" else None


def crew_of(agent, **more):
    task = Task(description="What are four euros in crowns?", expected_output="A number.", agent=agent)
    return Crew(agents=[agent], tasks=[task], **more)


clerk = Agent(role="Clerk", goal="Convert", backstory="Exact.", llm=Plain(model="plain-1"), tools=[convert])
print(crew_of(clerk).kickoff().raw)
cashier = Agent(role="Cashier", goal="Pay", backstory="Quick.", llm=LLM("openai/gpt-5"), tools=[pay])
print(cashier.kickoff([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes?"},
                       {"role": "user", "content": "Pay 100 crowns"}]).raw)  # fmt: skip
streaming = crew_of(Agent(role="Bank", goal="Help", backstory="Big.", llm=LLM("openai/gpt-5")), stream=True).kickoff()
print([chunk.content for chunk in streaming], streaming.result.raw)
stubborn = Agent(role="Stubborn", goal="Help", backstory="Old.", llm=LLM("openai/gpt-5", max_retries=0),
                 max_retry_limit=1)  # fmt: skip
try:
    crew_of(stubborn).kickoff()
except Exception as error:
    print(type(error).__name__, error)

NEEDS = ["crewai>=1.15.22"]
MODEL = [
    'Thought: I convert.\nAction: convert\nAction Input: {"euros": 4}',
    'Thought: Once more.\nAction: convert\nAction Input: {"euros": -4}',
    "Thought: I have it.\nFinal Answer: 100 crowns",
    [("pay", {"crowns": 100}, "p1")],
    "I may not pay.",
    "100 crowns.",
    {"status": 400, "message": "not today"},
    {"status": 400, "message": "not tomorrow"},
]
RECORD = """
session
  turn Cashier
    > Pay 100 crowns
    model gpt-5 10+2
    tool pay(crowns=100) = Tool execution blocked by hook. Tool: pay SKIPPED Tool execution blocked by hook. Tool: pay
    note guardrail {"guardrail": "before_tool_call", "stage": "tool_input", "tripped": true, "tool_name": "pay", "call_id": "p1"}
    model gpt-5 10+2
    < I may not pay.
session
  turn crew
    > What are four euros in crowns?
    agent Bank
      model gpt-5 10+2
    < 100 crowns.
session
  turn crew
    > What are four euros in crowns?
    agent Clerk
      model plain-1
      tool convert(euros=4) = 100.0 crowns
      model plain-1
      tool convert(euros=-4) ERROR a price is never negative
      model plain-1
    note retry {"of": "tool", "attempt": 2, "error": "a price is never negative", "tool_name": "convert", "call_id": "(id)"}
    note retry {"of": "tool", "attempt": 3, "error": "a price is never negative", "tool_name": "convert", "call_id": "(id)"}
    < 100 crowns
session
  turn crew ERROR Error code: 400 - {'error': {'message': 'not tomorrow', 'type': 'invalid_request_error', 'param': None, 'code': None}}
    > What are four euros in crowns?
    agent Stubborn ERROR Error code: 400 - {'error': {'message': 'not tomorrow', 'type': 'invalid_request_error', 'param': None, 'code': None}}
      model gpt-5 ERROR Error code: 400 - {'error': {'message': 'not today', 'type': 'invalid_request_error', 'param': None, 'code': None}}
      model gpt-5 ERROR Error code: 400 - {'error': {'message': 'not tomorrow', 'type': 'invalid_request_error', 'param': None, 'code': None}}
    note retry {"of": "model", "attempt": 2, "error": "Error code: 400 - {'error': {'message': 'not today', 'type': 'invalid_request_error', 'param': None, 'code': None}}"}
"""
