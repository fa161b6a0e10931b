"""The tool runner: functions as tools, a list of content as a result, a tool that fails, messages looked at on the way.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use#tool-runner-beta
"""

import json
import logging

from anthropic import Anthropic, beta_tool

logging.getLogger("anthropic").setLevel(logging.CRITICAL)  # it logs what its tools raise
client = Anthropic()


@beta_tool
def get_weather(location: str, unit: str = "celsius") -> str:
    """Look the weather up.

    Args:
        location: A city.
        unit: celsius or fahrenheit.
    """
    return json.dumps({"location": location, "unit": unit, "temperature": 20})


@beta_tool
def look(path: str) -> list:
    """Look at a file."""
    return [{"type": "text", "text": f"{path} has"}, {"type": "text", "text": "two lines"}]


@beta_tool
def divide(a: int, b: int) -> str:
    """Divide."""
    return str(a / b)


runner = client.beta.messages.tool_runner(
    model="claude-sonnet-4-5",
    max_tokens=1024,
    tools=[get_weather, look, divide],
    messages=[{"role": "user", "content": "The weather in Paris, notes.txt, and 1 / 0, please."}],
)
for message in runner:
    print(message.stop_reason, [block.type for block in message.content])

NEEDS = ["anthropic>=1.0"]
MODEL = [
    {
        "text": "Let me see.",
        "tool_calls": [
            ("get_weather", {"location": "Paris"}, "t1"),
            ("look", {"path": "notes.txt"}, "t2"),
            ("divide", {"a": 1, "b": 0}, "t3"),
        ],
    },
    "20 degrees, two lines, and no number.",
]
RECORD = """
session
  turn
    > The weather in Paris, notes.txt, and 1 / 0, please.
    model claude-sonnet-4-5 10+2
    tool divide(a=1, b=0) = ZeroDivisionError('division by zero') ERROR ZeroDivisionError('division by zero')
    tool get_weather(location=Paris) = {"location": "Paris", "unit": "celsius", "temperature": 20}
    tool look(path=notes.txt) = notes.txt hastwo lines
    model claude-sonnet-4-5 10+2
    < 20 degrees, two lines, and no number.
"""
