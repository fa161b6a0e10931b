"""A flow: a model by itself, an agent by itself, a crew where the router sends it, and feedback that it waits for.

https://docs.crewai.com/en/concepts/flows and .../learn/human-feedback-in-flows
"""

from crewai import LLM, Agent, Crew, Flow, Task
from crewai.events.utils.console_formatter import set_suppress_console_output
from crewai.flow import HumanFeedbackPending, human_feedback, listen, router, start
from crewai.flow.persistence import SQLiteFlowPersistence
from pydantic import BaseModel

set_suppress_console_output(True)

llm = LLM(model="openai/gpt-5")


class Trip(BaseModel):
    id: str = "trip-7"
    city: str = ""
    plan: str = ""


class Later:
    """Somebody is asked elsewhere, and answers later."""

    def request_feedback(self, context, flow):
        raise HumanFeedbackPending(context=context)


class Planner(Flow[Trip]):
    @start()
    def pick(self):
        self.state.city = llm.call("Name a city.")

    @router(pick)
    async def judge(self):
        agent = Agent(role="Judge", goal="Judge", backstory="Fair.", llm=LLM(model="openai/gpt-5", is_litellm=True))
        return (await agent.kickoff_async(f"Is {self.state.city} warm? Say warm or cold.")).raw

    @listen("warm")
    def plan(self):
        guide = Agent(role="Guide", goal="Plan", backstory="Local.", llm=llm)
        task = Task(description=f"Plan a day in {self.state.city}.", expected_output="A plan.", agent=guide)
        self.state.plan = Crew(name="guides", agents=[guide], tasks=[task]).kickoff().raw

    @listen(plan)
    @human_feedback(message="Is it good?", provider=Later())
    def review(self):
        return self.state.plan

    @listen(review)
    def book(self, result):
        return f"{self.state.plan} ({result.feedback})"


flow = Planner(persistence=SQLiteFlowPersistence("flows.db"))
print(type(flow.kickoff(inputs={"id": "trip-7"})).__name__)
paused = Planner.from_pending("trip-7", SQLiteFlowPersistence("flows.db"))
print(paused.resume("Very good"))

NEEDS = ["crewai>=1.15.22", "litellm"]
MODEL = ["Rome", "warm", "See the Forum."]
RECORD = """
session trip-7
  turn Planner
    > {"id":"trip-7"}
    model gpt-5 10+2
    agent Judge
      model openai/gpt-5 10+2
    agent guides
      agent Guide
        model gpt-5 10+2
    note interrupt {"value": "Is it good?"}
  turn Planner
    > Very good
    < See the Forum. (Very good)
"""
