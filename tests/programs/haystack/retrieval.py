"""Questions about documents: a pipeline, the same streamed and asynchronous, a generator that steps in, a step that fails.

https://docs.haystack.deepset.ai/docs/creating-pipelines and https://docs.haystack.deepset.ai/docs/fallbackchatgenerator
"""

import asyncio
import logging

from haystack import Document, Pipeline, component
from haystack.components.builders import AnswerBuilder, ChatPromptBuilder
from haystack.components.generators.chat import FallbackChatGenerator, OpenAIChatGenerator
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.components.writers import DocumentWriter
from haystack.core.errors import PipelineRuntimeError
from haystack.dataclasses import ChatMessage
from haystack.document_stores.in_memory import InMemoryDocumentStore

logging.getLogger("haystack").setLevel(logging.CRITICAL)  # its lines have the time in them

store = InMemoryDocumentStore()
indexing = Pipeline()
indexing.add_component("writer", DocumentWriter(store))
cities = {"Jean": "Paris", "Mark": "Berlin", "Giorgio": "Rome"}
documents = [Document(content=f"My name is {name} and I live in {city}.") for name, city in cities.items()]
print("written:", indexing.run({"documents": documents}))

TEMPLATE = [
    ChatMessage.from_system("You answer from documents."),
    ChatMessage.from_user("{% for d in documents %}{{ d.content }}\n{% endfor %}Question: {{ question }}"),
]


def pipeline(generator) -> Pipeline:
    made = Pipeline(metadata={"name": "questions"})
    made.add_component("retriever", InMemoryBM25Retriever(store, top_k=1))
    made.add_component("prompt", ChatPromptBuilder(TEMPLATE, required_variables="*"))
    made.add_component("llm", generator)
    made.add_component("answers", AnswerBuilder())
    made.connect("retriever", "prompt.documents")
    made.connect("prompt", "llm.messages")
    made.connect("llm.replies", "answers.replies")
    return made


def asked(question: str) -> dict:
    return {"retriever": {"query": question}, "prompt": {"question": question}, "answers": {"query": question}}


rag = pipeline(OpenAIChatGenerator(model="gpt-5", max_retries=0))
print(rag.run(asked("Who lives in Rome?"))["answers"]["answers"][0].data)

streamed = OpenAIChatGenerator(
    model="gpt-5",
    max_retries=0,
    streaming_callback=lambda chunk: print(chunk.content, end="|"),
    generation_kwargs={"stream_options": {"include_usage": True}},
)
print("", pipeline(streamed).run(asked("Who lives in Paris?"))["answers"]["answers"][0].data)


async def main() -> None:
    several = FallbackChatGenerator(
        [OpenAIChatGenerator(model="gpt-5", max_retries=0), OpenAIChatGenerator(model="gpt-5-mini", max_retries=0)]
    )
    done = await pipeline(several).run_async(asked("Who lives in Berlin?"))
    print(done["answers"]["answers"][0].data)


asyncio.run(main())


@component
class Strict:
    """A step that does not like what it gets."""

    @component.output_types(text=str)
    def run(self, replies: list[ChatMessage]):
        raise ValueError(f"{replies[0].text} is not a number")


failing = Pipeline()
failing.add_component("llm", OpenAIChatGenerator(model="gpt-5", max_retries=0))
failing.add_component("strict", Strict())
failing.connect("llm.replies", "strict.replies")
try:
    failing.run({"llm": {"messages": [ChatMessage.from_user("How many are they?")]}})
except PipelineRuntimeError as error:
    print(type(error.__cause__).__name__, error.__cause__)

NEEDS = ["haystack-ai>=3.0"]
MODEL = [
    "Giorgio does.",
    "Jean does.",
    {"status": 500, "message": "overloaded"},
    "Mark does.",
    "three",
]
RECORD = """
session
  turn Pipeline ERROR The following component failed to run:
Component name: 'strict'
Component type: 'Strict'
Error: three is not a number
    > How many are they?
    model gpt-5 10+2
session
  turn questions
    > Who lives in Berlin?
    model gpt-5 ERROR Error code: 500 - overloaded
    note retry {"of": "model", "attempt": 2, "error": "Error code: 500 - overloaded"}
    model gpt-5-mini 10+2
    < Mark does.
session
  turn questions
    > Who lives in Paris?
    model gpt-5 10+2
    < Jean does.
session
  turn questions
    > Who lives in Rome?
    model gpt-5 10+2
    < Giorgio does.
"""
