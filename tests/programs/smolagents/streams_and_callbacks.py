"""Steps as they come, callbacks of the program's own, a run that is interrupted, and a model that fails.

https://huggingface.co/docs/smolagents/tutorials/building_good_agents and .../reference/agents
"""

from smolagents import ActionStep, AgentError, AgentGenerationError, LogLevel, OpenAIModel, ToolCallingAgent, tool

model = OpenAIModel(model_id="gpt-5", client_kwargs={"max_retries": 0})


@tool
def get_weather(location: str) -> str:
    """Get the weather.

    Args:
        location: Where.
    """
    return f"Sunny in {location}"


def after_step(step: ActionStep, agent: ToolCallingAgent) -> None:
    print("step", step.step_number, step.error and type(step.error).__name__, step.token_usage)
    if agent.task == "Stop at once" and step.step_number == 1:
        agent.interrupt()


agent = ToolCallingAgent(
    tools=[get_weather],
    model=model,
    stream_outputs=True,
    step_callbacks=[after_step],
    verbosity_level=LogLevel.OFF,
)
for item in agent.run("How is the weather in Rome and Oslo?", stream=True):
    print(type(item).__name__, getattr(item, "output", ""))
for task in ("Stop at once", "Break down"):
    try:
        agent.run(task)
    except AgentError as error:
        print(isinstance(error, AgentGenerationError), str(error)[:40])

NEEDS = ["smolagents>=1.23", "openai"]
MODEL = [
    [("get_weather", {"location": "Rome"}, "w1")],
    [("get_weather", {"location": "Oslo"}, "w2")],
    [("final_answer", {"answer": "Sunny in both."}, "w3")],
    [("get_weather", {"location": "Bonn"}, "w4")],
    {"status": 400, "message": "not today"},
]
RECORD = """
session
  turn ToolCallingAgent
    > How is the weather in Rome and Oslo?
    model gpt-5 10+2
    tool get_weather(location=Rome) = Sunny in Rome
    model gpt-5 10+2
    tool get_weather(location=Oslo) = Sunny in Oslo
    model gpt-5 10+2
    < Sunny in both.
session
  turn ToolCallingAgent CANCELLED Agent interrupted.
    > Stop at once
    model gpt-5 10+2
    tool get_weather(location=Bonn) = Sunny in Bonn
session
  turn ToolCallingAgent ERROR Error while generating output:
Error code: 400 - not today
    > Break down
    model gpt-5 ERROR Error code: 400 - not today
"""
