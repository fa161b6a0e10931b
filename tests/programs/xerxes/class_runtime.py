"""The class runtime: a session store, an audit trail, a policy that denies a tool, one that fails, two turns.

https://github.com/erfanzar/Xerxes-Agents
"""

import asyncio
import os

from xerxes import Agent, LLMConfig, OpenAILLM, RuntimeFeaturesConfig, Xerxes
from xerxes.audit import InMemoryCollector
from xerxes.security.policy import ToolPolicy
from xerxes.session import InMemorySessionStore


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"{city}: 21 degrees"


async def book_table(city: str) -> str:
    """Book a table."""
    raise OSError(f"no restaurant in {city} answers")


def delete_everything() -> str:
    """Delete everything."""
    return "gone"


store, audit = InMemorySessionStore(), InMemoryCollector()
features = RuntimeFeaturesConfig(
    enabled=True, session_store=store, audit_collector=audit, policy=ToolPolicy(deny={"delete_everything"})
)
llm = OpenAILLM(LLMConfig(model="gpt-5", api_key=os.environ["OPENAI_API_KEY"]))
xerxes = Xerxes(llm=llm, runtime_features=features)
agent = Agent(
    id="concierge",
    name="concierge",
    model="gpt-5",
    instructions="Help guests.",
    functions=[get_weather, book_table, delete_everything],
    max_function_retries=0,
)
xerxes.register_agent(agent)


async def main() -> None:
    for prompt in ["Dinner outside in Berlin?", "Delete everything!", "Thanks!"]:
        answer = await xerxes.create_response(prompt=prompt, agent_id="concierge", stream=False)
        print(answer.content)
    await llm.close()


asyncio.run(main())
(session_id,) = store.list_sessions()
session = store.load_session(session_id)
print([(turn.status, [(call.tool_name, call.status) for call in turn.tool_calls]) for turn in session.turns])
print(sorted({event.event_type for event in audit.get_events()}))

NEEDS = ["xerxes-agent>=0.2.5"]
MODEL = [
    [("get_weather", {"city": "Berlin"}, "x1"), ("book_table", {"city": "Berlin"}, "x2")],
    "21 degrees, but no table.",
    [("delete_everything", {}, "x3")],
    "I may not.",
    "Any time.",
]
RECORD = """
session
  turn concierge
    > Dinner outside in Berlin?
    model gpt-5
    tool get_weather(city=Berlin) = Berlin: 21 degrees
    note xerxes.tool_policy_decision {"timestamp": "(time)", "severity": "info", "metadata": {}, "tool_name": "get_weather", "action": "allow", "policy_source": ""}
    tool book_table(city=Berlin) ERROR no restaurant in Berlin answers
    note xerxes.tool_policy_decision {"timestamp": "(time)", "severity": "info", "metadata": {}, "tool_name": "book_table", "action": "allow", "policy_source": ""}
    model gpt-5
    < 21 degrees, but no table.
  turn concierge
    > Delete everything!
    model gpt-5
    tool delete_everything() SKIPPED Tool 'delete_everything' is denied by policy for agent 'concierge'
    note xerxes.tool_policy_decision {"timestamp": "(time)", "severity": "info", "metadata": {}, "tool_name": "delete_everything", "action": "deny", "policy_source": ""}
    model gpt-5
    < I may not.
  turn concierge
    > Thanks!
    model gpt-5
    < Any time.
"""
