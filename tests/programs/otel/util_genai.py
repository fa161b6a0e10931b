"""OpenTelemetry's utilities for those who instrument a client of their own: an agent, its model, a tool that fails.

https://github.com/open-telemetry/opentelemetry-python-contrib/tree/main/util/opentelemetry-util-genai
"""

import json
import os

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"

import httpx
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import InputMessage, OutputMessage, Text

trace.set_tracer_provider(TracerProvider())
handler = TelemetryHandler(tracer_provider=trace.get_tracer_provider())
client = httpx.Client(
    base_url=os.environ["OPENAI_BASE_URL"], headers={"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
)


def complete(messages: list[dict]) -> dict:
    with handler.inference("acme", request_model="acme-1") as said:
        said.input_messages = [InputMessage(role=m["role"], parts=[Text(str(m["content"]))]) for m in messages]
        body = client.post("/chat/completions", json={"model": "acme-1", "messages": messages}).json()
        (choice,) = body["choices"]
        said.response_model_name, said.response_id = body["model"], body["id"]
        said.finish_reasons = [choice["finish_reason"]]
        said.input_tokens, said.output_tokens = body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]
        text = Text(choice["message"]["content"] or "")
        said.output_messages = [OutputMessage(role="assistant", parts=[text], finish_reason=choice["finish_reason"])]
    return choice["message"]


def dial(number: str) -> str:
    with handler.tool("dial") as tool:
        tool.arguments = {"number": number}
        raise ConnectionError("nobody answers")


with handler.invoke_local_agent(agent_name="operator", request_model="acme-1", conversation_id="line-1") as operator:
    messages = [{"role": "user", "content": "Call 555"}]
    operator.input_messages = [InputMessage(role="user", parts=[Text("Call 555")])]
    said = complete(messages)
    messages.append(said)
    for call in said["tool_calls"]:
        try:
            result = dial(**json.loads(call["function"]["arguments"]))
        except ConnectionError as error:
            result = str(error)
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    answer = complete(messages)["content"]
    operator.output_messages = [OutputMessage(role="assistant", parts=[Text(answer)], finish_reason="stop")]
print(answer)

NEEDS = ["opentelemetry-util-genai>=1.2b0", "httpx>=0.27"]
MODEL = [[("dial", {"number": "555"}, "d1")], "Nobody answers."]
RECORD = """
session line-1
  turn operator
    > Call 555
    model acme-1 10+2
    tool dial(number=555) ERROR nobody answers
    model acme-1 10+2
    < Nobody answers.
"""
