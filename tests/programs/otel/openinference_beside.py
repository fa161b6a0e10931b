"""OpenInference's instrumentation beside, with its sessions and a tool and an agent of its decorators.

https://arize-ai.github.io/openinference/python/instrumentation/
"""

from openai import OpenAI
from openinference.instrumentation import TracerProvider, using_session
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
OpenAIInstrumentor().instrument(tracer_provider=provider)
tracer = provider.get_tracer("bakery")
client = OpenAI()


@tracer.tool(name="stock")
def stock(bread: str) -> int:
    """Count bread."""
    return {"rye": 3}[bread]


@tracer.agent(name="baker")
def baker(question: str) -> str:
    """Answer about bread."""
    left = stock("rye")
    asked = [{"role": "system", "content": f"{left} rye left."}, {"role": "user", "content": question}]
    return client.chat.completions.create(model="gpt-5", messages=asked).choices[0].message.content


with using_session("bakery-9"):
    print(baker("Do you have rye?"))
    try:
        stock("spelt")
    except KeyError as error:
        print(error)
print(client.responses.create(model="gpt-5", input="And cake?").output_text)
print(*(span.name for span in exporter.get_finished_spans()), sep=", ")

NEEDS = ["openai>=2", "openinference-instrumentation-openai>=0.1.40", "openinference-instrumentation>=0.1.40"]
MODEL = ["Three.", "No cake."]
RECORD = """
session
  turn
    > And cake?
    model gpt-5 10+2
    < No cake.
session bakery-9
  turn baker
    > Do you have rye?
    tool stock(bread=rye) = 3
    model gpt-5 10+2
    < Three.
  turn stock ERROR 'spelt'
    > {"bread":"spelt"}
    tool stock(bread=spelt) ERROR 'spelt'
"""
