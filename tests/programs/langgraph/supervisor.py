"""Agents whose supervisor hands the conversation to one after the other, and gets it back.

https://github.com/langchain-ai/langgraph-supervisor-py
"""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor


@tool
def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


@tool
def look_up(company: str) -> str:
    """Say how many people work at a company."""
    if company == "Acme":
        raise LookupError("nobody knows Acme")
    return f"{company}: 67000"


math = create_agent(ChatOpenAI(model="gpt-5-mini"), [add], name="math_expert", system_prompt="You add.")
research = create_agent(ChatOpenAI(model="gpt-5-mini"), [look_up], name="research", system_prompt="You look up.")
team = create_supervisor(
    [research, math],
    model=ChatOpenAI(model="gpt-5"),
    prompt="You manage a team.",
    supervisor_name="manager",
    add_handoff_back_messages=False,  # they have ids that are drawn
)
app = team.compile(checkpointer=InMemorySaver(), name="team")
config = {"configurable": {"thread_id": "team-1"}}
done = app.invoke({"messages": [{"role": "user", "content": "How many work at Meta and Apple?"}]}, config)
print(done["messages"][-1].text)
try:
    app.invoke({"messages": [{"role": "user", "content": "And at Acme?"}]}, config)
except LookupError as error:
    print(error)

NEEDS = ["langgraph-supervisor>=0.0.30", "langchain>=1.0", "langchain-openai>=1.0"]
MODEL = [
    [("transfer_to_research", {}, "h1")],
    [("look_up", {"company": "Meta"}, "r1")],
    [("look_up", {"company": "Apple"}, "r2")],
    "67000 each.",
    [("transfer_to_math_expert", {}, "h2")],
    [("add", {"a": 67000, "b": 67000}, "m1")],
    "134000.",
    "134000 people.",
    [("transfer_to_research", {}, "h3")],
    [("look_up", {"company": "Acme"}, "r3")],
]
RECORD = """
session team-1
  turn team
    > How many work at Meta and Apple?
    agent manager
      model gpt-5 10+2
      tool transfer_to_research() = Successfully transferred to research
    handoff manager -> research
    agent research
      model gpt-5-mini 10+2
      tool look_up(company=Meta) = Meta: 67000
      model gpt-5-mini 10+2
      tool look_up(company=Apple) = Apple: 67000
      model gpt-5-mini 10+2
    agent manager
      model gpt-5 10+2
      tool transfer_to_math_expert() = Successfully transferred to math_expert
    handoff manager -> math_expert
    agent math_expert
      model gpt-5-mini 10+2
      tool add(a=67000, b=67000) = 134000.0
      model gpt-5-mini 10+2
    agent manager
      model gpt-5 10+2
    < 134000 people.
  turn team ERROR nobody knows Acme
    > And at Acme?
    agent manager
      model gpt-5 10+2
      tool transfer_to_research() = Successfully transferred to research
    handoff manager -> research
    agent research ERROR nobody knows Acme
      model gpt-5-mini 10+2
      tool look_up(company=Acme) ERROR nobody knows Acme
"""
