"""The GenAI conventions by hand, with a provider of the program's own: agents, tools that fail, a sub-agent; no client.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/
"""

import json
import os
import urllib.request

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult


class Printing(SpanExporter):
    def export(self, spans):
        for span in spans:
            print("span", span.name, span.status.status_code.name)
        return SpanExportResult.SUCCESS


provider = TracerProvider(resource=Resource.create({"service.name": "by-hand"}))
provider.add_span_processor(SimpleSpanProcessor(Printing()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("by.hand")


def ask(model: str, messages: list[dict]) -> dict:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.input.messages": json.dumps(messages),
    }
    with tracer.start_as_current_span(f"chat {model}", kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
        request = urllib.request.Request(
            os.environ["OPENAI_BASE_URL"] + "/chat/completions",
            json.dumps({"model": model, "messages": messages}).encode(),
            {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            body = json.load(answer)
        said = body["choices"][0]["message"]
        span.set_attribute("gen_ai.response.model", body["model"])
        span.set_attribute("gen_ai.response.id", body["id"])
        span.set_attribute("gen_ai.response.finish_reasons", [body["choices"][0]["finish_reason"]])
        span.set_attribute("gen_ai.usage.input_tokens", body["usage"]["prompt_tokens"])
        span.set_attribute("gen_ai.usage.output_tokens", body["usage"]["completion_tokens"])
        span.set_attribute("gen_ai.output.messages", json.dumps([{"role": "assistant", "content": said["content"]}]))
        return said


def call(name: str, arguments: dict, call_id: str) -> str:
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call_id,
        "gen_ai.tool.call.arguments": json.dumps(arguments),
    }
    with tracer.start_as_current_span(f"execute_tool {name}", attributes=attributes) as span:
        if name == "refund":
            raise PermissionError("not today")
        result = agent("translator", arguments["text"], model="small")
        span.set_attribute("gen_ai.tool.call.result", result)
        return result


def agent(name: str, prompt: str, model: str, conversation: str | None = None) -> str:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    if conversation:
        attributes["gen_ai.conversation.id"] = conversation
    messages = [{"role": "user", "content": prompt}]
    attributes["gen_ai.input.messages"] = json.dumps(messages)
    with tracer.start_as_current_span(f"invoke_agent {name}", attributes=attributes) as span:
        while True:
            said = ask(model, messages)
            messages.append(said)
            if not said.get("tool_calls"):
                break
            for tool in said["tool_calls"]:
                arguments = json.loads(tool["function"]["arguments"])
                try:
                    result = call(tool["function"]["name"], arguments, tool["id"])
                except PermissionError as error:
                    result = f"Error: {error}"
                messages.append({"role": "tool", "tool_call_id": tool["id"], "content": result})
        span.set_attribute("gen_ai.output.messages", json.dumps([{"role": "assistant", "content": said["content"]}]))
        return said["content"]


print(agent("clerk", "Pay me back, and translate 'good day'", "large", conversation="desk-7"))

NEEDS = ["opentelemetry-sdk>=1.40"]
MODEL = [
    [("refund", {"amount": 7}, "r1"), ("translate", {"text": "good day"}, "t1")],
    "bonjour",
    "I may not pay you back; it is 'bonjour'.",
]
RECORD = """
session desk-7
  turn clerk
    > Pay me back, and translate 'good day'
    model large 10+2
    tool refund(amount=7) ERROR not today
    tool translate(text=good day) = bonjour
      agent translator
        model small 10+2
    model large 10+2
    < I may not pay you back; it is 'bonjour'.
"""
