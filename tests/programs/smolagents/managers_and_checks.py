"""An agent that manages another, plans, is checked before it answers, and is asked on; a tool that refuses its arguments.

https://huggingface.co/docs/smolagents/examples/multiagents
"""

from smolagents import LogLevel, OpenAIModel, ToolCallingAgent, tool

model = OpenAIModel(model_id="gpt-5", client_kwargs={"max_retries": 0})


@tool
def visit_webpage(url: str) -> str:
    """Visits a webpage and returns its text.

    Args:
        url: The address of the page.
    """
    if "missing" in url:
        raise FileNotFoundError(f"there is no page at {url}")
    return f"All about {url}"


def is_no_guess(final_answer, memory, agent=None) -> bool:
    return "maybe" not in final_answer


web_agent = ToolCallingAgent(
    tools=[visit_webpage],
    model=model,
    max_steps=4,
    max_tool_threads=1,
    name="web_search_agent",
    description="Searches the web.",
    verbosity_level=LogLevel.OFF,
)
manager = ToolCallingAgent(
    tools=[visit_webpage],
    model=model,
    name="manager",
    managed_agents=[web_agent],
    planning_interval=4,
    max_tool_threads=1,
    final_answer_checks=[is_no_guess],
    verbosity_level=LogLevel.OFF,
)
print(manager.run("How big is the web?"))
print(manager.run("And how old?", reset=False))
print(len(manager.memory.steps), manager.run("What is a page?", max_steps=1))

NEEDS = ["smolagents>=1.23", "openai"]
MODEL = [
    "First I ask my team.<end_plan>",
    [("web_search_agent", {"task": "Find how big the web is"}, "m1"), ("visit_webpage", {"address": "web"}, "m2")],
    [("visit_webpage", {"url": "web.example"}, "w1"), ("visit_webpage", {"url": "missing.example"}, "w2")],
    [("final_answer", {"answer": "Very big."}, "w3")],
    [("final_answer", {"answer": "Big, maybe."}, "m3")],
    [("final_answer", {"answer": "It is very big."}, "m4")],
    "I know.<end_plan>",
    [("final_answer", {"answer": "Some decades."}, "m5")],
    "I look it up.<end_plan>",
    [("visit_webpage", {"url": "page.example"}, "m6")],
    "A page is a document.",
]
RECORD = """
session
  turn manager
    > How big is the web?
    model gpt-5 10+2
    model gpt-5 10+2
    tool web_search_agent(task=Find how big the web is) = Here is the final answer from your managed agent 'web_search_agent':↵Very big.
      agent web_search_agent
        model gpt-5 10+2
        tool visit_webpage(url=web.example) = All about web.example
        tool visit_webpage(url=missing.example) ERROR there is no page at missing.example
        model gpt-5 10+2
    tool visit_webpage(address=web) ERROR Argument address is not in the tool's input schema
    note arguments.rejected {"tool_name": "visit_webpage", "call_id": "m2", "arguments": {"address": "web"}, "error": "Argument address is not in the tool's input schema"}
    model gpt-5 10+2
    note guardrail {"guardrail": "is_no_guess", "stage": "output", "tripped": true, "verdict": "Check is_no_guess failed with error: "}
    model gpt-5 10+2
    note guardrail {"guardrail": "is_no_guess", "stage": "output", "tripped": false}
    < It is very big.
  turn manager
    > And how old?
    model gpt-5 10+2
    model gpt-5 10+2
    note guardrail {"guardrail": "is_no_guess", "stage": "output", "tripped": false}
    < Some decades.
session
  turn manager
    > What is a page?
    model gpt-5 10+2
    model gpt-5 10+2
    tool visit_webpage(url=page.example) = All about page.example
    model gpt-5 10+2
    < A page is a document.
"""
