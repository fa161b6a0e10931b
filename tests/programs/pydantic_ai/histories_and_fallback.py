"""A conversation that is kept as JSON and cut, a second model when the first fails, a third provider, and errors.

https://ai.pydantic.dev/message-history/ and https://ai.pydantic.dev/models/overview/#fallback-model
"""

from openai import AsyncOpenAI
from pydantic_ai import Agent, ModelHTTPError, ModelMessagesTypeAdapter, UnexpectedModelBehavior
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(openai_client=AsyncOpenAI(max_retries=0))
chat = OpenAIChatModel("gpt-5", provider=provider)
agent = Agent(FallbackModel(chat, AnthropicModel("claude-haiku-4-5")), name="assistant", instructions="Be brief.")

first = agent.run_sync("Tell me a joke.")
print(first.output)
kept = first.all_messages_json()
history = ModelMessagesTypeAdapter.validate_json(kept)
second = agent.run_sync("Explain?", message_history=history)
print(second.output, second.response.model_name, len(second.new_messages()))
third = agent.run_sync("Shorter!", message_history=second.all_messages()[-2:])
print(third.output)


def square(n: int) -> int:
    """Square a number."""
    return n * n


for asked in ["What is forbidden?", "Square it"]:
    try:
        print(Agent(chat, name="maths", tools=[square]).run_sync(asked).output)
    except (ModelHTTPError, UnexpectedModelBehavior) as error:
        print(type(error).__name__, getattr(error, "status_code", None))

NEEDS = ["pydantic-ai-slim>=2", "openai>=2", "anthropic>=0.40"]
MODEL = [
    "Why did the chicken cross the road?",
    {"status": 503, "message": "overloaded"},
    "To get to the other side.",
    "Other side.",
    {"status": 400, "message": "not that"},
    [("square", {"n": "two"}, "q1")],
    [("square", {"n": "three"}, "q2")],
]
RECORD = """
session
  turn assistant
    > Tell me a joke.
    model gpt-5 10+2
    < Why did the chicken cross the road?
  turn assistant
    > Explain?
    model claude-haiku-4-5 10+2
    < To get to the other side.
  turn assistant
    > Shorter!
    model gpt-5 10+2
    < Other side.
session
  turn maths ERROR Tool 'square' exceeded max retries count of 1. Consider raising the retry limit, or see the docs on tool retries: https://pydantic.dev/docs/ai/tools-toolsets/tools-advanced/#tool-retries
    > Square it
    model gpt-5 10+2
    tool square(n=two) = [{"type": "int_parsing", "loc": ["n"], "msg": "Input should be a valid integer, unable to parse string as an integer", "input": "two"}] ERROR 1 validation error for square
n
  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='two', input_type=str]
    For further information visit https://errors.pydantic.dev/2.14/v/int_parsing
    model gpt-5 10+2
    tool square(n=three) = [{"type": "int_parsing", "loc": ["n"], "msg": "Input should be a valid integer, unable to parse string as an integer", "input": "three"}] ERROR 1 validation error for square
n
  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='three', input_type=str]
    For further information visit https://errors.pydantic.dev/2.14/v/int_parsing
session
  turn maths ERROR status_code: 400, model_name: gpt-5, body: {'message': 'not that', 'type': 'invalid_request_error', 'param': None, 'code': None}
    > What is forbidden?
    model gpt-5 ERROR status_code: 400, model_name: gpt-5, body: {'message': 'not that', 'type': 'invalid_request_error', 'param': None, 'code': None}
"""
