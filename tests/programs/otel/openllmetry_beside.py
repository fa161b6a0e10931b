"""OpenLLMetry's instrumentation beside, async, over chat and responses, two conversations at once.

https://www.traceloop.com/docs/openllmetry/tracing/without-sdk
"""

import asyncio
import os

os.environ["TRACELOOP_METRICS_ENABLED"] = "false"

from openai import AsyncOpenAI
from opentelemetry import trace
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
OpenAIInstrumentor().instrument()


async def talk(client: AsyncOpenAI, topic: str) -> str:
    messages = [{"role": "user", "content": f"Tell of {topic}."}]
    said = []
    async for chunk in await client.chat.completions.create(model="gpt-5", messages=messages, stream=True):
        said += [choice.delta.content or "" for choice in chunk.choices]
    messages += [{"role": "assistant", "content": "".join(said)}, {"role": "user", "content": "More."}]
    return (await client.chat.completions.create(model="gpt-5", messages=messages)).choices[0].message.content


async def main() -> None:
    async with AsyncOpenAI() as client:
        print(await asyncio.gather(talk(client, "cats"), talk(client, "dogs")))
        response = await client.responses.create(model="gpt-5-mini", input="Sum it up.")
        print(response.output_text)


asyncio.run(main())
its = [span for span in exporter.get_finished_spans() if "instrumentation.openai" in span.instrumentation_scope.name]
print(len(its))

NEEDS = ["openai>=2", "opentelemetry-instrumentation-openai>=0.50"]
MODEL = {"cats": ["Cats purr.", "And sleep."], "dogs": ["Dogs bark.", "And run."], "Sum it up": ["Pets."]}
RECORD = """
session
  turn
    > Sum it up.
    model gpt-5-mini 10+2
    < Pets.
session
  turn
    > Tell of cats.
    model gpt-5
    < Cats purr.
  turn
    > More.
    model gpt-5 10+2
    < And sleep.
session
  turn
    > Tell of dogs.
    model gpt-5
    < Dogs bark.
  turn
    > More.
    model gpt-5 10+2
    < And run.
"""
