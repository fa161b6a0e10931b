"""A deep agent: it plans, keeps notes in files, has a sub-agent look things up, and asks before it sends something.

https://docs.langchain.com/oss/python/deepagents/quickstart and .../deepagents/subagents and .../deepagents/human-in-the-loop
"""

from importlib.metadata import version

from deepagents import create_deep_agent
from langchain.agents.middleware import TodoListMiddleware
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command


def look_up(topic: str) -> str:
    """Look something up."""
    return f"{topic} is a river"


def send_report(to: str) -> str:
    """Send the report."""
    return f"sent to {to}"


researcher = {
    "name": "researcher",
    "description": "Looks things up.",
    "system_prompt": "You look things up.",
    "tools": [look_up],
    "model": ChatOpenAI(model="gpt-5-mini"),
}
agent = create_deep_agent(
    model=ChatOpenAI(model="gpt-5"),
    tools=[send_report],
    system_prompt="You write reports.",
    subagents=[researcher],
    middleware=[] if version("deepagents") < "0.3" else [TodoListMiddleware()],  # it was always there once
    interrupt_on={"send_report": {"allowed_decisions": ["approve", "reject"]}},
    checkpointer=InMemorySaver(),
)
config = {"configurable": {"thread_id": "report-1"}}
done = agent.invoke({"messages": [{"role": "user", "content": "Report on the Rhine"}]}, config)
print([request["name"] for request in done["__interrupt__"][0].value["action_requests"]])
print([todo["content"] for todo in done["todos"]], list(done["files"]))
done = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), config)
print(done["messages"][-1].text)
for update in agent.stream(
    {"messages": [{"role": "user", "content": "Two more"}]},
    {"configurable": {"thread_id": "report-2"}, "max_concurrency": 1},  # in the order of the calls
    stream_mode="updates",
):
    print([name for name in update if name in ("model", "tools")], end=" ")
print()

NEEDS = ["deepagents>=0.2", "langchain-openai>=1.0"]
MODEL = {
    "You write reports.": [
        [("write_todos", {"todos": [{"content": "look it up", "status": "in_progress"}]}, "t1")],
        [("task", {"description": "Find out about the Rhine", "subagent_type": "researcher"}, "a1")],
        [("write_file", {"file_path": "/report.md", "content": "The Rhine is a river."}, "f1")],
        [("edit_file", {"file_path": "/report.md", "old_string": "a river", "new_string": "long"}, "f2")],
        [("send_report", {"to": "Ann"}, "s1")],
        "Ann has the report.",
        [
            ("task", {"description": "Find out about the Elbe", "subagent_type": "researcher"}, "a2"),
            ("task", {"description": "Find out about the Oder", "subagent_type": "researcher"}, "a3"),
        ],
        "Both are rivers.",
    ],
    "Find out about the Rhine": [[("look_up", {"topic": "the Rhine"}, "l1")], "The Rhine is a river."],
    "Find out about the Elbe": [[("look_up", {"topic": "the Elbe"}, "l2")], "The Elbe is a river."],
    "Find out about the Oder": [[("look_up", {"topic": "the Oder"}, "l3")], "The Oder is a river."],
}
RECORD = """
session report-1
  turn LangGraph
    > Report on the Rhine
    model gpt-5 10+2
    tool write_todos(todos=[{"content": "look it up", "status": "in_progress"}]) = Updated todo list to [{'content': 'look it up', 'status': 'in_progress'}]
    model gpt-5 10+2
    tool task(description=Find out about the Rhine, subagent_type=researcher) = The Rhine is a river.
      agent researcher
        model gpt-5-mini 10+2
        tool look_up(topic=the Rhine) = the Rhine is a river
        model gpt-5-mini 10+2
    model gpt-5 10+2
    tool write_file(file_path=/report.md, content=The Rhine is a river.) = Updated file /report.md
    model gpt-5 10+2
    tool edit_file(file_path=/report.md, old_string=a river, new_string=long) = Successfully replaced 1 instance(s) of the string in '/report.md'
    model gpt-5 10+2
    note approval.asked {"tool_name": "send_report", "call_id": "s1", "arguments": {"to": "Ann"}}
    note interrupt {"value": {"action_requests": [{"name": "send_report", "args": {"to": "Ann"}, "description": "Tool execution requires approval\\n\\nTool: send_report\\nArgs: {'to': 'Ann'}"}], "review_configs": [{"action_name": "send_report", "allowed_decisions": ["approve", "reject"]}]}, "interrupt_id": "(id)"}
  turn LangGraph
    > {"decisions":[{"type":"approve"}]}
    note approval.approved {"tool_name": "send_report", "call_id": "s1"}
    tool send_report(to=Ann) = sent to Ann
    model gpt-5 10+2
    < Ann has the report.
session report-2
  turn LangGraph
    > Two more
    model gpt-5 10+2
    tool task(description=Find out about the Elbe, subagent_type=researcher) = The Elbe is a river.
      agent researcher
        model gpt-5-mini 10+2
        tool look_up(topic=the Elbe) = the Elbe is a river
        model gpt-5-mini 10+2
    tool task(description=Find out about the Oder, subagent_type=researcher) = The Oder is a river.
      agent researcher
        model gpt-5-mini 10+2
        tool look_up(topic=the Oder) = the Oder is a river
        model gpt-5-mini 10+2
    model gpt-5 10+2
    < Both are rivers.
"""
