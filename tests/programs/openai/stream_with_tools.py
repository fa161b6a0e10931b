"""Streaming and function calling together: deltas are put together by hand, two tools run in a thread pool.

https://platform.openai.com/docs/guides/function-calling#streaming
"""

import json
from concurrent.futures import ThreadPoolExecutor

from openai import OpenAI

TEMPERATURES = {"Paris": 18, "Bogotá": 14}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Current temperature of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]

client = OpenAI()


def get_weather(city: str) -> str:
    return f"{TEMPERATURES[city]} °C"


def ask(messages):
    """Print an answer while it comes; return the calls in it."""
    calls, text = {}, ""
    stream = client.chat.completions.create(
        model="gpt-5", messages=messages, tools=TOOLS, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        if not chunk.choices:
            print(f"\n[{chunk.usage.total_tokens} tokens]")
            continue
        delta = chunk.choices[0].delta
        text += delta.content or ""
        print(delta.content or "", end="")
        for piece in delta.tool_calls or []:
            call = calls.setdefault(piece.index, {"id": piece.id, "name": piece.function.name, "arguments": ""})
            call["arguments"] += piece.function.arguments or ""
    asked = [
        {"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}}
        for c in calls.values()
    ]
    messages.append({"role": "assistant", "content": text or None, **({"tool_calls": asked} if asked else {})})
    return list(calls.values())


messages = [
    {"role": "developer", "content": "You know the weather."},
    {"role": "user", "content": "Where is it warmer, in Paris or in Bogotá?"},
]
with ThreadPoolExecutor(2) as pool:
    while calls := ask(messages):
        results = pool.map(lambda call: get_weather(**json.loads(call["arguments"])), calls)
        for call, result in zip(calls, results, strict=True):
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
messages.append({"role": "user", "content": "And in Oslo?"})
ask(messages)

NEEDS = ["openai>=1.66"]
MODEL = [
    [("get_weather", {"city": "Paris"}, "c1"), ("get_weather", {"city": "Bogotá"}, "c2")],
    {"text": "In Paris: 18 °C.", "usage": {"input_tokens": 90, "output_tokens": 7, "cached_tokens": 64}},
    "I do not know.",
]
RECORD = """
session
  turn
    > Where is it warmer, in Paris or in Bogotá?
    model gpt-5 10+2
    tool get_weather(city=Bogotá) = 14 °C
    tool get_weather(city=Paris) = 18 °C
    model gpt-5 90+7 cache_read 64
    < In Paris: 18 °C.
  turn
    > And in Oslo?
    model gpt-5 10+2
    < I do not know.
"""
