"""A Xerxes program that knows nothing of turnspan: a default ``Xerxes``, two tools of which one fails; no network.

turnspan run examples/xerxes_agent.py
"""

import asyncio
import os
import tempfile

os.environ.setdefault("XERXES_HOME", tempfile.mkdtemp())

from xerxes import Agent, Xerxes
from xerxes.llms.base import BaseLLM, LLMConfig


class ScriptedLLM(BaseLLM):
    """Answers from a script; what a provider would do over the network."""

    def __init__(self, script):
        self.script = iter(script)
        super().__init__(LLMConfig(model="fake-1"))

    def _initialize_client(self):
        pass

    def extract_content(self, response):
        return str(response)

    async def process_streaming_response(self, response, callback):
        return ""

    def stream_completion(self, response, agent=None):
        yield from ()

    def close(self):
        pass

    async def generate_completion(self, prompt, model=None, **_options):
        return Answer(next(self.script))

    async def astream_completion(self, response, agent=None):
        text, calls = response.step
        yield {"content": text, "buffered_content": text, "raw_chunk": None, "is_final": False, "function_calls": []}
        yield {"content": "", "buffered_content": text, "raw_chunk": None, "is_final": True, "function_calls": calls}


class Answer:
    """A model's answer, before it is read."""

    def __init__(self, step):
        self.step = step

    async def __aiter__(self):
        yield self.step


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"{city}: 21 degrees"


def book_table(city: str) -> str:
    """Book a table."""
    raise OSError(f"no restaurant in {city} answers")


script = [
    (
        "",
        [
            {"id": "c1", "name": "get_weather", "arguments": {"city": "Berlin"}},
            {"id": "c2", "name": "book_table", "arguments": {"city": "Berlin"}},
        ],
    ),
    ("It is 21 degrees in Berlin. I could not book a table.", []),
    ("Any time.", []),
]
helper = Agent(id="helper", name="helper", model="fake-1", functions=[get_weather, book_table], max_function_retries=0)
xerxes = Xerxes(llm=ScriptedLLM(script))
xerxes.register_agent(helper)


async def main() -> None:
    for prompt in ("Dinner outside in Berlin?", "Thanks!"):
        answer = await xerxes.create_response(prompt=prompt, agent_id=helper, stream=False)
        print(answer.content)


asyncio.run(main())
