"""Agents that write code: it calls tools and another agent, fails, and is written anew; results are asked for in full.

https://huggingface.co/docs/smolagents/guided_tour#codeagents-code-actions
"""

from smolagents import CodeAgent, LogLevel, OpenAIModel, ToolCallingAgent, tool

model = OpenAIModel(model_id="gpt-5", client_kwargs={"max_retries": 0})


@tool
def catering_service_tool(query: str) -> str:
    """Returns the best catering service.

    Args:
        query: What is searched for.
    """
    return max({"Gotham Catering Co.": 4.9, "Wayne Manor Catering": 4.8}.items(), key=lambda one: one[1])[0]


@tool
def price_of(service: str, guests: int) -> float:
    """Returns what a catering costs.

    Args:
        service: Who does it.
        guests: For how many.
    """
    if guests > 100:
        raise ValueError("too many guests")
    return 12.5 * guests


critic = ToolCallingAgent(
    tools=[], model=model, name="critic", description="Says what is wrong.", verbosity_level=LogLevel.OFF
)
alfred = CodeAgent(
    tools=[catering_service_tool, price_of],
    model=model,
    name="alfred",
    managed_agents=[critic],
    verbosity_level=LogLevel.OFF,
)
result = alfred.run("Cater for 200 guests.", return_full_result=True)
print(result.output, result.state, len(result.steps), result.token_usage.input_tokens)
print(alfred.run("Cater for {n} guests.", additional_args={"n": 2}))

NEEDS = ["smolagents>=1.23", "openai"]
MODEL = [
    "Thought: I look.\n<code>\nbest = catering_service_tool('best')\nprint(best)\nprice = price_of(best, guests=200)\n</code>",
    "I forgot to write code.",
    "<code>\nprice = price_of(best, guests=100) * 2\nword = critic(task='Is it too much?')\nfinal_answer(f'{best}: {price}')\n</code>",
    [("final_answer", {"answer": "No."}, "c1")],
    "<code>\nfinal_answer(price_of('Wayne Manor Catering', n))\n</code>",
]
RECORD = r"""
session
  turn alfred
    > Cater for 200 guests.
    model gpt-5 10+2
    tool python_interpreter(code=best = catering_service_tool('best')↵print(best)↵price = price_of(best, guests=200)) ERROR Code execution failed at line 'price = price_of(best, guests=200)' due to: ValueError: too many guests
      tool catering_service_tool(query=best) = Gotham Catering Co.
      tool price_of(guests=200, service=Gotham Catering Co.) ERROR too many guests
    model gpt-5 10+2
    note retry {"of": "model", "attempt": 2, "error": "Error in code parsing:\nYour code snippet is invalid, because the regex pattern <code>(.*?)</code> was not found in it.\nHere is your code snippet:\nI forgot to write code.</code>\nMake sure to include code with the correct pattern, for instance:\nThoughts: Your thoughts\n<code>\n# Your python code here\n</code>\nMake sure to provide correct code blobs."}
    model gpt-5 10+2
    tool python_interpreter(code=price = price_of(best, guests=100) * 2↵word = critic(task='Is it too much?')↵final_answer(f'{best}: {price}')) = Gotham Catering Co.: 2500.0
      tool price_of(guests=100, service=Gotham Catering Co.) = 1250.0
      agent critic
        model gpt-5 10+2
    < Gotham Catering Co.: 2500.0
session
  turn alfred
    > Cater for {n} guests.↵You have been provided with these additional arguments, that you can access directly using the keys as variables:↵{'n': 2}.
    model gpt-5 10+2
    tool python_interpreter(code=final_answer(price_of('Wayne Manor Catering', n))) = 25.0
      tool price_of(service=Wayne Manor Catering, guests=2) = 25.0
    < 25.0
"""
