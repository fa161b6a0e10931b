"""A team whose leader has its members answer, and a workflow with two steps at once.

https://docs.agno.com/concepts/teams/overview and https://docs.agno.com/concepts/workflows/overview
"""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team
from agno.workflow import Parallel, Step, Workflow


def agent(name: str, role: str) -> Agent:
    return Agent(name=name, role=role, instructions=f"You are {role}.", model=OpenAIChat(id="gpt-5"), telemetry=False)


english, chinese = agent("English Agent", "the one for English"), agent("Chinese Agent", "the one for Chinese")
team = Team(
    name="Languages",
    model=OpenAIChat(id="gpt-5"),
    members=[english, chinese],
    instructions="You lead.",
    telemetry=False,
)
print(team.run("Say hello in both", session_id="hello").content)
print(
    "".join(str(event.content) for event in team.run("And in English?", stream=True) if event.event == "TeamRunContent")
)

workflow = Workflow(
    name="article",
    steps=[
        Parallel(
            Step(name="news", agent=agent("news", "a reader of news")),
            Step(name="papers", agent=agent("papers", "a reader of papers")),
            name="research",
        ),
        Step(name="write", agent=agent("writer", "a writer")),
    ],
    telemetry=False,
)
print(workflow.run(input="AI").content)

NEEDS = ["agno>=3.1", "openai>=2", "fastapi"]
MODEL = {
    "a reader of news.": ["Nothing is new."],
    "a reader of papers.": ["Everything is known."],
    "You are a writer.": ["AI: nothing is new, everything is known."],
    "You are the one for English.": ["Hello", "Hi there"],
    "You are the one for Chinese.": ["Ni hao"],
    "You lead.": [
        [
            ("delegate_task_to_member", {"member_id": "english-agent", "task": "Say hello"}, "c1"),
            ("delegate_task_to_member", {"member_id": "chinese-agent", "task": "Say hello"}, "c2"),
        ],
        "Hello, ni hao",
        [("delegate_task_to_member", {"member_id": "english-agent", "task": "Say hello again"}, "c3")],
        "Hi there",
    ],
}
RECORD = """
session
  turn Languages
    > And in English?
    model gpt-5 10+2
    tool delegate_task_to_member(member_id=english-agent, task=Say hello again) = Hi there
    handoff Languages -> English Agent Say hello again
    agent English Agent
      model gpt-5 10+2
    model gpt-5 10+2
    < Hi there
session
  turn article
    > AI
    agent news
      model gpt-5 10+2
    agent papers
      model gpt-5 10+2
    agent writer
      model gpt-5 10+2
    < AI: nothing is new, everything is known.
session hello
  turn Languages
    > Say hello in both
    model gpt-5 10+2
    tool delegate_task_to_member(member_id=english-agent, task=Say hello) = Hello
    handoff Languages -> English Agent Say hello
    agent English Agent
      model gpt-5 10+2
    tool delegate_task_to_member(member_id=chinese-agent, task=Say hello) = Ni hao
    handoff Languages -> Chinese Agent Say hello
    agent Chinese Agent
      model gpt-5 10+2
    model gpt-5 10+2
    < Hello, ni hao
"""
