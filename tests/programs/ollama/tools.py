"""Tool calling with Python functions, one after the other.

https://docs.ollama.com/capabilities/tool-calling
"""

from ollama import chat

TEMPERATURES = {"New York": "22°C", "London": "15°C"}


def get_temperature(city: str) -> str:
    """Get the current temperature for a city.

    Args:
      city: The name of the city

    Returns:
      The current temperature
    """
    return TEMPERATURES[city]


messages = [{"role": "user", "content": "What is the temperature in New York and in London?"}]
while True:
    response = chat(model="qwen3", messages=messages, tools=[get_temperature], think=True)
    messages.append(response.message)
    if not response.message.tool_calls:
        break
    for call in response.message.tool_calls:
        result = get_temperature(**call.function.arguments)
        print(call.function.name, call.function.arguments, result)
        messages.append({"role": "tool", "tool_name": call.function.name, "content": result})
print(response.message.content, response.prompt_eval_count, response.eval_count)

NEEDS = ["ollama>=0.5"]
MODEL = [
    {
        "thinking": "Both at once.",
        "tool_calls": [("get_temperature", {"city": "New York"}), ("get_temperature", {"city": "London"})],
        "usage": {"input_tokens": 180, "output_tokens": 40},
    },
    {"text": "22°C and 15°C.", "usage": {"input_tokens": 220, "output_tokens": 12}},
]
RECORD = """
session
  turn
    > What is the temperature in New York and in London?
    model qwen3 180+40
    tool get_temperature(city=London) = 15°C
    tool get_temperature(city=New York) = 22°C
    model qwen3 220+12
    < 22°C and 15°C.
"""
