"""Guardrails: an agent that judges what is asked, one that judges the answer, and both on a tool.

https://openai.github.io/openai-agents-python/guardrails/
"""

import asyncio
import json

from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    RunContextWrapper,
    Runner,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrailData,
    ToolOutputGuardrailData,
    function_tool,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
    tool_output_guardrail,
)
from pydantic import BaseModel


class Homework(BaseModel):
    is_homework: bool
    reasoning: str


class Reply(BaseModel):
    response: str


judge = Agent(name="Guardrail check", instructions="Is it homework?", output_type=Homework, model="gpt-5-nano")


@input_guardrail(run_in_parallel=False)
async def no_homework(context: RunContextWrapper[None], _agent: Agent, asked) -> GuardrailFunctionOutput:
    result = await Runner.run(judge, asked, context=context.context)
    found = result.final_output_as(Homework)
    return GuardrailFunctionOutput(output_info=found.reasoning, tripwire_triggered=found.is_homework)


@output_guardrail
async def no_numbers(_context: RunContextWrapper, _agent: Agent, output: Reply) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(
        output_info={"length": len(output.response)}, tripwire_triggered=any(map(str.isdigit, output.response))
    )


@tool_input_guardrail
def no_keys(data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
    if "key" in json.loads(data.context.tool_arguments or "{}").get("subject", ""):
        return ToolGuardrailFunctionOutput.reject_content("Do not mention keys.")
    return ToolGuardrailFunctionOutput.allow()


@tool_output_guardrail
def no_addresses(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
    if "@" in str(data.output):
        return ToolGuardrailFunctionOutput.reject_content("An address was withheld.", output_info={"found": "@"})
    return ToolGuardrailFunctionOutput.allow()


@function_tool(tool_input_guardrails=[no_keys], tool_output_guardrails=[no_addresses])
def send(subject: str) -> str:
    """Send an email."""
    return f"sent {subject} to ann@example.com" if subject == "minutes" else "sent"


support = Agent(
    name="Customer support",
    model="gpt-5-mini",
    tools=[send],
    input_guardrails=[no_homework],
    output_guardrails=[no_numbers],
    output_type=Reply,
)


async def main() -> None:
    for asked in ["Send the minutes, the key and the news", "Solve x + 3 = 11", "How late is it?"]:
        try:
            result = await Runner.run(support, asked)
            print(result.final_output.response)
        except InputGuardrailTripwireTriggered as tripped:
            print("refused:", tripped.guardrail_result.output.output_info)
        except OutputGuardrailTripwireTriggered as tripped:
            print("withheld:", tripped.guardrail_result.output.output_info)


asyncio.run(main())

NEEDS = ["openai-agents>=0.14"]
MODEL = [
    '{"is_homework": false, "reasoning": "it is work"}',
    [("send", {"subject": "minutes"}, "s1"), ("send", {"subject": "key"}, "s2"), ("send", {"subject": "news"}, "s3")],
    '{"response": "The news are sent."}',
    '{"is_homework": true, "reasoning": "an equation"}',
    '{"is_homework": false, "reasoning": "small talk"}',
    '{"response": "It is 9."}',
]
RECORD = """
session
  turn Customer support
    > Send the minutes, the key and the news
    agent Guardrail check
      model gpt-5-nano 10+2
    note guardrail {"guardrail": "no_homework", "stage": "input", "tripped": false, "verdict": "it is work"}
    model gpt-5-mini 10+2
    note guardrail {"guardrail": "no_keys", "stage": "tool_input", "tripped": false, "verdict": {"type": "allow", "output_info": null}, "tool_name": "send", "call_id": "s1"}
    note guardrail {"guardrail": "no_keys", "stage": "tool_input", "tripped": true, "verdict": {"type": "reject_content", "message": "Do not mention keys.", "output_info": null}, "tool_name": "send", "call_id": "s2"}
    tool send(subject=key) SKIPPED Do not mention keys.
    note guardrail {"guardrail": "no_keys", "stage": "tool_input", "tripped": false, "verdict": {"type": "allow", "output_info": null}, "tool_name": "send", "call_id": "s3"}
    tool send(subject=minutes) = sent minutes to ann@example.com
    tool send(subject=news) = sent
    note guardrail {"guardrail": "no_addresses", "stage": "tool_output", "tripped": true, "verdict": {"type": "reject_content", "message": "An address was withheld.", "output_info": {"found": "@"}}, "tool_name": "send", "call_id": "s1"}
    note guardrail {"guardrail": "no_addresses", "stage": "tool_output", "tripped": false, "verdict": {"type": "allow", "output_info": null}, "tool_name": "send", "call_id": "s3"}
    model gpt-5-mini 10+2
    note guardrail {"guardrail": "no_numbers", "stage": "output", "tripped": false, "verdict": {"length": 18}}
    < {"response":"The news are sent."}
session
  turn Customer support ERROR Guardrail InputGuardrail triggered tripwire
    > Solve x + 3 = 11
    agent Guardrail check
      model gpt-5-nano 10+2
    note guardrail {"guardrail": "no_homework", "stage": "input", "tripped": true, "verdict": "an equation"}
session
  turn Customer support ERROR Guardrail OutputGuardrail triggered tripwire
    > How late is it?
    agent Guardrail check
      model gpt-5-nano 10+2
    note guardrail {"guardrail": "no_homework", "stage": "input", "tripped": false, "verdict": "small talk"}
    model gpt-5-mini 10+2
    note guardrail {"guardrail": "no_numbers", "stage": "output", "tripped": true, "verdict": {"length": 8}}
"""
