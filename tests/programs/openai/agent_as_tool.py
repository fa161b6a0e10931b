"""An agent loop whose tool asks a model itself; the outer tool fails once, and the program says so to the model.

https://cookbook.openai.com/examples/orchestrating_agents
"""

import json

from openai import OpenAI

client = OpenAI()
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": properties}}}
    for name, properties in {
        "translate": {"text": {"type": "string"}},
        "look_up": {"item": {"type": "integer"}},
    }.items()
]


def translate(text: str) -> str:
    """Ask another model, in a conversation of its own."""
    asked = [{"role": "system", "content": "Translate to French."}, {"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-5-mini", messages=asked).choices[0].message.content


def look_up(item: int) -> str:
    raise KeyError(f"no item {item}")


def run(messages):
    while True:
        answer = client.chat.completions.create(model="gpt-5", messages=messages, tools=TOOLS).choices[0].message
        messages.append(answer)
        if not answer.tool_calls:
            return answer.content
        for call in answer.tool_calls:
            try:
                result = globals()[call.function.name](**json.loads(call.function.arguments))
            except (KeyError, ValueError) as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


print(run([{"role": "user", "content": "Translate item 7, or else just 'good morning'."}]))

NEEDS = ["openai>=1.66"]
MODEL = [
    [("look_up", {"item": 7}, "c1"), ("translate", {"text": "good morning"}, "c2")],
    "bonjour",
    "There is no item 7; good morning is bonjour.",
]
RECORD = """
session
  turn
    > Translate item 7, or else just 'good morning'.
    model gpt-5 10+2
    tool look_up(item=7) = Error: 'no item 7'
    tool translate(text=good morning) = bonjour
    model gpt-5 10+2
    < There is no item 7; good morning is bonjour.
session
  turn
    > good morning
    model gpt-5-mini 10+2
    < bonjour
"""
