"""A crew with a task after another: inputs, tools, a guardrail that sends an answer back, and a coworker that is asked.

https://docs.crewai.com/en/concepts/crews, .../concepts/tasks and .../concepts/collaboration
"""

from crewai import Agent, Crew, Process, Task
from crewai.events.utils.console_formatter import set_suppress_console_output
from crewai.tools import tool

set_suppress_console_output(True)


@tool("search_papers")
def search_papers(topic: str, limit: int) -> str:
    """Search for papers on a topic."""
    if topic == "none":
        raise LookupError("there are no papers on it")
    return f"{limit} papers on {topic}"


def is_short(output):
    return (True, output.raw) if len(output.raw) < 40 else (False, "Too long, please shorten.")


researcher = Agent(
    role="Researcher", goal="Find out about {topic}", backstory="Curious.", llm="openai/gpt-5", tools=[search_papers]
)
writer = Agent(role="Writer", goal="Write well", backstory="Precise.", llm="openai/gpt-5", allow_delegation=True)
research = Task(name="research", description="Research {topic}.", expected_output="Facts.", agent=researcher)
write = Task(name="write", description="Write on {topic}.", expected_output="A line.", agent=writer, guardrail=is_short)
crew = Crew(name="newsroom", agents=[researcher, writer], tasks=[research, write], process=Process.sequential)
result = crew.kickoff(inputs={"topic": "bees"})
print(result.raw, [output.agent for output in result.tasks_output], result.token_usage.total_tokens)

NEEDS = ["crewai>=1.15.22"]
MODEL = [
    [("search_papers", {"topic": "bees", "limit": 3}, "r1")],
    [("search_papers", {"topic": "none", "limit": 1}, "r2")],
    [("search_papers", {"topic": "bees", "limit": 3}, "r3")],
    [("search_papers", {"topic": "bees"}, "r4")],
    [("read_paper", {"number": 1}, "r5")],
    "Bees dance.",
    [("ask_question_to_coworker", {"question": "Why?", "context": "They dance.", "coworker": "Researcher"}, "w1")],
    "To tell where the flowers are.",
    "Bees dance in the hive, and that is how they tell each other where flowers are.",
    "Bees dance to tell where flowers are.",
]
RECORD = r"""
session
  turn newsroom
    > Research bees.↵Write on bees.
    agent Researcher
      model gpt-5 10+2
      tool search_papers(topic=bees, limit=3) = 3 papers on bees
      model gpt-5 10+2
      tool search_papers(topic=none, limit=1) ERROR there are no papers on it
      model gpt-5 10+2
      tool search_papers(topic=bees, limit=3) = 3 papers on bees
      model gpt-5 10+2
      tool search_papers(topic=bees) ERROR Tool 'search_papers' arguments validation failed: 1 validation error for Search_Papers
limit
  Field required [type=missing, input_value={'topic': 'bees'}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.12/v/missing
Expected arguments: {"topic": {"title": "Topic", "type": "string"}, "limit": {"title": "Limit", "type": "integer"}}
Required: ["topic", "limit"]
      model gpt-5 10+2
      tool read_paper(number=1) ERROR Tool not found
      model gpt-5 10+2
    note arguments.rejected {"tool_name": "search_papers", "call_id": "r4", "arguments": {"topic": "bees"}, "error": "Tool 'search_papers' arguments validation failed: 1 validation error for Search_Papers\nlimit\n  Field required [type=missing, input_value={'topic': 'bees'}, input_type=dict]\n    For further information visit https://errors.pydantic.dev/2.12/v/missing\nExpected arguments: {\"topic\": {\"title\": \"Topic\", \"type\": \"string\"}, \"limit\": {\"title\": \"Limit\", \"type\": \"integer\"}}\nRequired: [\"topic\", \"limit\"]"}
    handoff Researcher -> Writer write
    agent Writer
      model gpt-5 10+2
      tool ask_question_to_coworker(question=Why?, context=They dance., coworker=Researcher) = To tell where the flowers are.
        agent Researcher
          model gpt-5 10+2
      model gpt-5 10+2
    handoff Writer -> Researcher Why?
    note guardrail {"guardrail": "is_short", "stage": "output", "tripped": true, "verdict": "Too long, please shorten."}
    agent Writer
      model gpt-5 10+2
    note guardrail {"guardrail": "is_short", "stage": "output", "tripped": false}
    < Bees dance to tell where flowers are.
"""
