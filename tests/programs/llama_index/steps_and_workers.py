"""A workflow of the program's own: steps side by side that ask a model, one that asks an agent, and a model that fails.

https://developers.llamaindex.ai/python/llamaagents/workflows/concurrent_execution/
"""

import asyncio
import os

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step
from llama_index.llms.openai import OpenAI

llm = OpenAI(model="gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], max_retries=0)


class JokeEvent(Event):
    topic: str


class CritiqueEvent(Event):
    topic: str
    joke: str


class Published(StopEvent):
    jokes: list[str]


def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


counter = FunctionTool.from_defaults(count_words)
critic = FunctionAgent(name="critic", system_prompt="Be strict.", llm=llm, tools=[counter])


class JokeFlow(Workflow):
    @step
    async def split(self, ctx: Context, ev: StartEvent) -> JokeEvent | None:
        for topic in ev.topics:
            ctx.send_event(JokeEvent(topic=topic))

    @step(num_workers=3)
    async def tell(self, ev: JokeEvent) -> CritiqueEvent:
        answer = await llm.acomplete(f"Tell a joke on {ev.topic}.")
        return CritiqueEvent(topic=ev.topic, joke=str(answer))

    @step
    async def publish(self, ctx: Context, ev: CritiqueEvent) -> Published | None:
        jokes = ctx.collect_events(ev, [CritiqueEvent] * 2)
        if jokes is None:
            return None
        jokes = sorted(jokes, key=lambda one: one.topic)
        counted = [await counter.acall(text=one.joke) for one in jokes]
        longest = max(one.raw_output for one in counted)
        verdict = await critic.run(f"Is a joke of {longest} words too long?")
        chat = await llm.astream_chat([ChatMessage(role="user", content=f"Say goodbye, {verdict}")])
        async for piece in chat:
            print(piece.delta, end="|")
        print()
        return Published(jokes=[one.joke for one in jokes])


async def main() -> None:
    print((await JokeFlow(timeout=60).run(topics=["cats", "dogs"])).jokes)
    try:
        await JokeFlow(timeout=60).run(topics=["cows"])
    except Exception as error:
        print(type(error).__name__, getattr(error, "status_code", None))


asyncio.run(main())

NEEDS = ["llama-index-core>=0.14.6", "llama-index-llms-openai"]
MODEL = {
    "on cats": ["A cat walks in."],
    "on dogs": ["A dog walks into a bar."],
    "too long": [[("count_words", {"text": "A dog"}, "k1")], "No."],
    "goodbye": ["Good bye"],
    "on cows": [{"status": 400, "message": "no cows"}],
}
RECORD = """
session
  turn JokeFlow
    > ["cats","dogs"]
    model gpt-4o-mini 10+2
    model gpt-4o-mini 10+2
    tool count_words(text=A cat walks in.) = 4
    tool count_words(text=A dog walks into a bar.) = 6
    agent critic
      model gpt-4o-mini
      tool count_words(text=A dog) = 2
      model gpt-4o-mini
    model gpt-4o-mini
    < {"jokes":["A cat walks in.","A dog walks into a bar."]}
session
  turn JokeFlow ERROR Error code: 400 - {'error': {'message': 'no cows', 'type': 'invalid_request_error', 'param': None, 'code': None}}
    > ["cows"]
    model gpt-4o-mini ERROR Error code: 400 - {'error': {'message': 'no cows', 'type': 'invalid_request_error', 'param': None, 'code': None}}
"""
