"""Parallel function calling, with a model of OpenAI's.

https://docs.litellm.ai/docs/completion/function_call
"""

import json

import litellm

TEMPERATURES = {"San Francisco": "72", "Tokyo": "10", "Paris": "22"}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_current_weather",
            "description": "Get the current weather in a given location",
            "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
        },
    }
]


def get_current_weather(location):
    return json.dumps({"location": location, "temperature": TEMPERATURES[location]})


messages = [{"role": "user", "content": "What's the weather like in San Francisco, Tokyo, and Paris?"}]
while True:
    response = litellm.completion(model="openai/gpt-4o", messages=messages, tools=TOOLS, max_retries=0)
    message = response.choices[0].message
    messages.append(message)
    if not message.tool_calls:
        break
    for call in message.tool_calls:
        result = get_current_weather(**json.loads(call.function.arguments))
        print(call.function.name, call.function.arguments, result)
        messages.append({"tool_call_id": call.id, "role": "tool", "name": call.function.name, "content": result})
print(message.content, response.usage.total_tokens)

NEEDS = ["litellm>=1.110.2"]
MODEL = [
    [
        ("get_current_weather", {"location": "San Francisco"}, "c1"),
        ("get_current_weather", {"location": "Tokyo"}, "c2"),
        ("get_current_weather", {"location": "Paris"}, "c3"),
    ],
    {
        "text": "It is warmest in San Francisco.",
        "usage": {"input_tokens": 230, "output_tokens": 12, "cached_tokens": 128},
    },
]
RECORD = """
session
  turn
    > What's the weather like in San Francisco, Tokyo, and Paris?
    model gpt-4o 10+2
    tool get_current_weather(location=Paris) = {"location": "Paris", "temperature": "22"}
    tool get_current_weather(location=San Francisco) = {"location": "San Francisco", "temperature": "72"}
    tool get_current_weather(location=Tokyo) = {"location": "Tokyo", "temperature": "10"}
    model gpt-4o 230+12 cache_read 128
    < It is warmest in San Francisco.
"""
