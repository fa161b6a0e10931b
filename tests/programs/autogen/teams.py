"""A writer and a critic who take turns, a team whose next speaker a model selects, and a team as a tool of an agent.

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/tutorial/teams.html and .../selector-group-chat.html
"""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_agentchat.tools import TeamTool
from autogen_ext.models.openai import OpenAIChatCompletionClient

client = OpenAIChatCompletionClient(model="gpt-4.1-2025-04-14")


def agent(name: str, **more) -> AssistantAgent:
    return AssistantAgent(name, client, description=f"the {name}", system_message=f"You are the {name}.", **more)


async def main() -> None:
    writer, critic = agent("writer"), agent("critic")
    team = RoundRobinGroupChat([writer, critic], termination_condition=TextMentionTermination("APPROVE"), name="poets")
    for task in ("Write about autumn", "Now in Spanish"):
        result = await team.run(task=task)
        print(result.stop_reason, [message.source for message in result.messages])
    analysts = SelectorGroupChat(
        [agent("planner"), agent("searcher")],
        model_client=client,
        termination_condition=MaxMessageTermination(3),
        name="analysts",
        description="a team of analysts",
        selector_prompt="Select the next of {participants} for {history}.",
    )
    boss = agent(
        "boss", tools=[TeamTool(analysts, name="analyse", description="Ask the analysts.")], reflect_on_tool_use=True
    )
    result = await boss.run(task="Who won?")
    print(result.messages[-1].content)
    await client.close()


asyncio.run(main())

NEEDS = ["autogen-agentchat>=0.7", "autogen-ext"]
MODEL = {
    "Select the next of": ["planner"],
    "You are the writer.": ["Leaves fall", "Caen las hojas"],
    "You are the critic.": ["Fine. APPROVE", "Bien. APPROVE"],
    "You are the planner.": ["Search for it."],
    "You are the searcher.": ["The Heat."],
    "You are the boss.": [[("analyse", {"task": "Who won the cup?"}, "c1")], "The Heat won."],
}
RECORD = """
session
  turn boss
    > Who won?
    model gpt-4.1-2025-04-14 10+2
    tool analyse(task=Who won the cup?) = The Heat.
      agent analysts
        model gpt-4.1-2025-04-14 10+2
        agent planner
          model gpt-4.1-2025-04-14 10+2
        agent searcher
          model gpt-4.1-2025-04-14 10+2
    model gpt-4.1-2025-04-14 10+2
    < The Heat won.
session
  turn poets
    > Write about autumn
    agent writer
      model gpt-4.1-2025-04-14 10+2
    agent critic
      model gpt-4.1-2025-04-14 10+2
    < Fine. APPROVE
  turn poets
    > Now in Spanish
    agent writer
      model gpt-4.1-2025-04-14 10+2
    agent critic
      model gpt-4.1-2025-04-14 10+2
    < Bien. APPROVE
"""
