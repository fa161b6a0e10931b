"""A swarm whose agents hand over to each other, and a graph with two branches at once.

https://strandsagents.com/latest/documentation/docs/user-guide/concepts/multi-agent/swarm/ and .../graph/
"""

from strands import Agent
from strands.models.openai import OpenAIModel
from strands.multiagent import GraphBuilder, Swarm

model = OpenAIModel(model_id="gpt-5")


def agent(name: str, prompt: str) -> Agent:
    return Agent(model, name=name, system_prompt=prompt, callback_handler=None)


researcher, coder = agent("researcher", "You research."), agent("coder", "You write code.")
result = Swarm([researcher, coder], entry_point=researcher, max_handoffs=5, execution_timeout=600.0)("A todo API")
print(result.status.value, [node.node_id for node in result.node_history])

builder = GraphBuilder()
for name in ("research", "analysis", "facts", "report"):
    builder.add_node(agent(name, f"You do the {name}."), name)
for source, target in (("research", "analysis"), ("research", "facts"), ("analysis", "report"), ("facts", "report")):
    builder.add_edge(source, target)
builder.set_entry_point("research")
builder.set_execution_timeout(600)
result = builder.build()("Healthcare")
print(result.status.value, result.completed_nodes, str(result.results["report"].result).strip())

NEEDS = ["strands-agents>=1.40", "openai>=2"]
MODEL = {
    "You research.": [
        [("handoff_to_agent", {"agent_name": "coder", "message": "It is designed"}, "t1")],
        "Over to the coder.",
    ],
    "You write code.": ["def todo(): ..."],
    "You do the research.": ["It costs a lot."],
    "You do the analysis.": ["Too much."],
    "You do the facts.": ["That is true."],
    "You do the report.": ["It costs too much."],
}
RECORD = """
session
  turn default_graph
    > Healthcare
    agent research
      model gpt-5 10+2
    handoff research -> analysis
    handoff research -> facts
    agent analysis
      model gpt-5 10+2
    agent facts
      model gpt-5 10+2
    handoff analysis -> report
    handoff facts -> report
    agent report
      model gpt-5 10+2
    < It costs too much.
session
  turn default_swarm
    > A todo API
    agent researcher
      model gpt-5 10+2
      tool handoff_to_agent(agent_name=coder, message=It is designed) = Handing off to coder: It is designed
      model gpt-5 10+2
    handoff researcher -> coder It is designed
    agent coder
      model gpt-5 10+2
    < def todo(): ...
"""
