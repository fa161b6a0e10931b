"""Conversation state at the provider: answers that go on from the one before, with a function and without one.

https://platform.openai.com/docs/guides/conversation-state
"""

import json

from openai import OpenAI

client = OpenAI()
HOROSCOPE = {
    "type": "function",
    "name": "get_horoscope",
    "description": "Today's horoscope for a sign.",
    "parameters": {"type": "object", "properties": {"sign": {"type": "string"}}, "required": ["sign"]},
}


def get_horoscope(sign: str) -> str:
    return f"{sign}: next Tuesday you will befriend a baby otter."


first = client.responses.create(model="gpt-5", input="Tell me a joke.", instructions="Be brief.")
print(first.output_text)
second = client.responses.create(model="gpt-5", previous_response_id=first.id, input="Explain why it is funny.")
print(second.output_text)

third = client.responses.create(
    model="gpt-5", previous_response_id=second.id, input="And my horoscope? I am an Aquarius.", tools=[HOROSCOPE]
)
answers = [
    {
        "type": "function_call_output",
        "call_id": item.call_id,
        "output": json.dumps({"horoscope": get_horoscope(**json.loads(item.arguments))}),
    }
    for item in third.output
    if item.type == "function_call"
]
fourth = client.responses.create(model="gpt-5", previous_response_id=third.id, input=answers, tools=[HOROSCOPE])
print(fourth.output_text)

# another branch of the same conversation
branch = client.responses.create(model="gpt-5", previous_response_id=first.id, input="Another one!")
print(branch.output_text)

# and a conversation that has an id of its own
for text in ("My name is Ada.", "What is my name?"):
    answer = client.responses.create(model="gpt-5", conversation="conv_ada", input=text)
    print(answer.output_text)

NEEDS = ["openai>=1.108"]
MODEL = [
    "Why do programmers prefer dark mode? Light attracts bugs.",
    "Bugs are insects, and faults.",
    {"thinking": "They want the tool.", "tool_calls": [("get_horoscope", {"sign": "Aquarius"}, "h1")]},
    "You will meet an otter.",
    "There are 10 kinds of people.",
    "Hello Ada.",
    "Ada.",
]
RECORD = """
session
  turn
    > Tell me a joke.
    model gpt-5 10+2
    < Why do programmers prefer dark mode? Light attracts bugs.
  turn
    > Explain why it is funny.
    model gpt-5 10+2
    < Bugs are insects, and faults.
  turn
    > And my horoscope? I am an Aquarius.
    model gpt-5 10+2
    tool get_horoscope(sign=Aquarius) = {"horoscope": "Aquarius: next Tuesday you will befriend a baby otter."}
    model gpt-5 10+2
    < You will meet an otter.
  turn
    > Another one!
    model gpt-5 10+2
    < There are 10 kinds of people.
session conv_ada
  turn
    > My name is Ada.
    model gpt-5 10+2
    < Hello Ada.
  turn
    > What is my name?
    model gpt-5 10+2
    < Ada.
"""
