"""OpenTelemetry's own instrumentation of OpenAI's client, set up as its readme says; streams, tools, failures.

https://github.com/open-telemetry/opentelemetry-python-contrib/tree/main/instrumentation-genai/opentelemetry-instrumentation-openai-v2
"""

import json

from openai import OpenAI, RateLimitError
from opentelemetry import trace
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
OpenAIInstrumentor().instrument()

client = OpenAI(max_retries=0)
tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
messages = [{"role": "user", "content": "Is it warm?"}]
answer = client.chat.completions.create(model="gpt-5", messages=messages, tools=tools).choices[0].message
messages.append(answer)
for call in answer.tool_calls:
    messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps({"degrees": 21})})
for chunk in client.chat.completions.create(model="gpt-5", messages=messages, stream=True):
    print(chunk.choices[0].delta.content if chunk.choices else "", end="|")
print()
try:
    client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "Again?"}])
except RateLimitError as error:
    print(error.status_code)
its = [span for span in exporter.get_finished_spans() if "openai_v2" in span.instrumentation_scope.name]
print(*(span.name for span in its), sep=", ")

NEEDS = ["openai>=2", "opentelemetry-instrumentation-openai-v2>=2.3b0"]
MODEL = [[("weather", {}, "w1")], "It is.", {"status": 429, "message": "slow down"}]
RECORD = """
session
  turn
    > Is it warm?
    model gpt-5 10+2
    tool weather() = {"degrees": 21}
    model gpt-5
    < It is.
session
  turn ERROR Error code: 429 - slow down
    > Again?
    model gpt-5 ERROR Error code: 429 - slow down
"""
