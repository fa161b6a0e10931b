"""Agents that hand over to each other and share a state, in one conversation that is kept in a memory.

https://developers.llamaindex.ai/python/framework/understanding/agent/multi_agent/
"""

import asyncio
import os

from llama_index.core.agent.workflow import AgentOutput, AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.memory import Memory
from llama_index.core.workflow import Context
from llama_index.llms.openai import OpenAI

llm = OpenAI(model="gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], max_retries=0)


async def search_web(query: str) -> str:
    """Search the web."""
    return f"Nothing but praise of {query}"


async def record_notes(ctx: Context, notes: str, notes_title: str) -> str:
    """Keep notes on a topic."""
    async with ctx.store.edit_state() as state:
        state["state"].setdefault("research_notes", {})[notes_title] = notes
    return "Notes recorded."


async def write_report(ctx: Context, report_content: str) -> str:
    """Write a report."""
    async with ctx.store.edit_state() as state:
        state["state"]["report_content"] = report_content
    return "Report written."


def review_report(report: str) -> str:
    """Review a report."""
    raise PermissionError(f"no reviewer may see {report!r}")


research_agent = FunctionAgent(
    name="ResearchAgent",
    description="Searches the web and records notes.",
    system_prompt="You are the ResearchAgent.",
    llm=llm,
    tools=[search_web, record_notes],
    can_handoff_to=["WriteAgent"],
)
write_agent = FunctionAgent(
    name="WriteAgent",
    description="Writes a report.",
    system_prompt="You are the WriteAgent.",
    llm=llm,
    tools=[write_report, review_report],
    can_handoff_to=["ResearchAgent"],
    streaming=False,
)
workflow = AgentWorkflow(
    agents=[research_agent, write_agent],
    root_agent=research_agent.name,
    initial_state={"research_notes": {}, "report_content": "Not written yet."},
)


async def main() -> None:
    memory = Memory.from_defaults(session_id="reports", tokenizer_fn=str.split)
    context = Context(workflow)
    for asked in ("Write a report on the web.", "Thanks. Who reviewed it?"):
        handler = workflow.run(user_msg=asked, memory=memory, ctx=context)
        async for event in handler.stream_events():
            if isinstance(event, AgentOutput) and event.response.content:
                print(event.current_agent_name, "says", event.response.content)
            elif isinstance(event, ToolCallResult):
                print(event.tool_name, event.tool_output.content[:40])
        print(await handler)
    print(await context.store.get("state"))


asyncio.run(main())

NEEDS = ["llama-index-core>=0.14.6", "llama-index-llms-openai"]
MODEL = [
    [("search_web", {"query": "the web"}, "r1"), ("record_notes", {"notes": "Praise", "notes_title": "Web"}, "r2")],
    [("handoff", {"to_agent": "WriteAgent", "reason": "The notes are complete"}, "r3")],
    [("write_report", {"report_content": "It is praised."}, "w1"), ("review_report", {"report": "It"}, "w2")],
    "The report is written, and not reviewed.",
    "Nobody.",
]
RECORD = """
session reports
  turn ResearchAgent
    > Write a report on the web.
    model gpt-4o-mini
    tool search_web(query=the web) = Nothing but praise of the web
    tool record_notes(notes=Praise, notes_title=Web) = Notes recorded.
    model gpt-4o-mini
    tool handoff(to_agent=WriteAgent, reason=The notes are complete) = Agent WriteAgent is now handling the request due to the following reason: The notes are complete.↵Please continue with the current request.
    handoff ResearchAgent -> WriteAgent The notes are complete
    agent WriteAgent
      model gpt-4o-mini 10+2
      tool write_report(report_content=It is praised.) = Report written.
      tool review_report(report=It) = no reviewer may see 'It' ERROR no reviewer may see 'It'
      model gpt-4o-mini 10+2
    < The report is written, and not reviewed.
  turn ResearchAgent
    > Thanks. Who reviewed it?
    model gpt-4o-mini 10+2
    < Nobody.
"""
