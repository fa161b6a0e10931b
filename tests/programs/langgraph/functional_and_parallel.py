"""The functional API with tasks and retries, and a graph that fans out by ``Send``; Anthropic's model, async and sync.

https://docs.langchain.com/oss/python/langgraph/functional-api and https://docs.langchain.com/oss/python/langgraph/graph-api#send
"""

import asyncio
import operator
from typing import Annotated, TypedDict

from langchain_anthropic import ChatAnthropic
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, Send

model = ChatAnthropic(model="claude-haiku-4-5")
tries = 0


@task
async def write(topic: str) -> str:
    return (await model.ainvoke(f"Write about {topic}.")).text


@task(retry_policy=RetryPolicy(initial_interval=0.01, jitter=False, retry_on=ConnectionError))
def publish(text: str) -> str:
    global tries
    tries += 1
    if tries < 2:
        raise ConnectionError("the press stands still")
    return f"published: {text}"


@entrypoint(checkpointer=InMemorySaver())
async def workflow(topic: str, *, previous: str | None = None) -> entrypoint.final[str, str]:
    text = await write(topic)
    print(await publish(text))
    return entrypoint.final(value=f"{text} (before: {previous})", save=topic)


class Overall(TypedDict):
    subjects: list[str]
    jokes: Annotated[list[str], operator.add]
    best: str


class One(TypedDict):
    subject: str


def joke(state: One) -> dict:
    return {"jokes": [model.invoke([("user", f"A joke about {state['subject']}")]).text]}


def best(state: Overall) -> dict:
    return {"best": max(state["jokes"], key=len)}


builder = StateGraph(Overall)
builder.add_node("joke", joke)
builder.add_node("best", best)
builder.add_conditional_edges(START, lambda state: [Send("joke", {"subject": s}) for s in state["subjects"]], ["joke"])
builder.add_edge("joke", "best")
builder.add_edge("best", END)
jokes = builder.compile(name="jokes")


async def main() -> None:
    config = {"configurable": {"thread_id": "paper"}}
    for topic in ["cats", "dogs"]:
        print(await workflow.ainvoke(topic, config))


asyncio.run(main())
print(jokes.invoke({"subjects": ["lions", "ants"]})["best"])

NEEDS = ["langgraph>=1.0", "langchain-anthropic>=1.0"]
MODEL = {
    "Write about cats": ["Cats purr."],
    "Write about dogs": ["Dogs bark."],
    "joke about lions": ["A lion walks into a very long bar."],
    "joke about ants": ["An ant."],
}
RECORD = """
session
  turn jokes
    > {"subjects":["lions","ants"]}
    model claude-haiku-4-5 10+2
    model claude-haiku-4-5 10+2
    agent best
    < {"subjects":["lions","ants"],"jokes":["A lion walks into a very long bar.","An ant."],"best":"A lion walks into a very long bar."}
session paper
  turn workflow
    > cats
    model claude-haiku-4-5 10+2
    < Cats purr. (before: None)
  turn workflow
    > dogs
    model claude-haiku-4-5 10+2
    < Dogs bark. (before: cats)
"""
