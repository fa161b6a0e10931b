"""Structured outputs: a Pydantic model as the answer, one as a function's arguments, and a refusal.

https://platform.openai.com/docs/guides/structured-outputs
"""

from openai import OpenAI, pydantic_function_tool
from pydantic import BaseModel


class Step(BaseModel):
    explanation: str
    output: str


class Solution(BaseModel):
    steps: list[Step]
    answer: str


class Query(BaseModel):
    """Look orders up."""

    table: str
    columns: list[str]


client = OpenAI()
tutor = {"role": "system", "content": "You are a maths tutor."}

solved = client.chat.completions.parse(
    model="gpt-5",
    messages=[tutor, {"role": "user", "content": "Solve 8x + 7 = -23"}],
    response_format=Solution,
)
print(solved.choices[0].message.parsed.answer)

refused = client.chat.completions.parse(
    model="gpt-5",
    messages=[tutor, {"role": "user", "content": "How is a bank robbed?"}],
    response_format=Solution,
)
print(refused.choices[0].message.parsed, refused.choices[0].message.refusal)

messages = [{"role": "user", "content": "Which orders did not arrive in time?"}]
asked = client.chat.completions.parse(model="gpt-5", messages=messages, tools=[pydantic_function_tool(Query)])
(call,) = asked.choices[0].message.tool_calls
query = call.function.parsed_arguments
print(type(query).__name__, query.table, query.columns)
messages += [asked.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "[17, 23]"}]
told = client.chat.completions.create(model="gpt-5", messages=messages)
print(told.choices[0].message.content)

response = client.responses.parse(model="gpt-5", input="Solve 2x = 4, please", text_format=Solution)
print(response.output_parsed.steps[0].output)

NEEDS = ["openai>=1.92"]
MODEL = [
    '{"steps": [{"explanation": "subtract 7", "output": "8x = -30"}], "answer": "x = -3.75"}',
    {"refusal": "I cannot help with that."},
    [("Query", {"table": "orders", "columns": ["id", "due"]}, "q1")],
    "Orders 17 and 23.",
    '{"steps": [{"explanation": "halve", "output": "x = 2"}], "answer": "x = 2"}',
]
RECORD = """
session
  turn
    > How is a bank robbed?
    model gpt-5 10+2
    < I cannot help with that.
session
  turn
    > Solve 2x = 4, please
    model gpt-5 10+2
    < {"steps": [{"explanation": "halve", "output": "x = 2"}], "answer": "x = 2"}
session
  turn
    > Solve 8x + 7 = -23
    model gpt-5 10+2
    < {"steps": [{"explanation": "subtract 7", "output": "8x = -30"}], "answer": "x = -3.75"}
session
  turn
    > Which orders did not arrive in time?
    model gpt-5 10+2
    tool Query(table=orders, columns=["id", "due"]) = [17, 23]
    model gpt-5 10+2
    < Orders 17 and 23.
"""
