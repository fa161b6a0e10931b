"""Structured output: a choice of models, a validator that sends an answer back, the provider's own schema, a function.

https://ai.pydantic.dev/output/
"""

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, NativeOutput, RunContext, ToolOutput


class Box(BaseModel):
    width: int
    height: int
    units: str


class InvalidRequest(BaseModel):
    error_message: str


class Order(BaseModel):
    fruit: str
    kilos: float


boxes = Agent(
    "openai-chat:gpt-5-mini",
    name="boxes",
    output_type=[Box, str],
    instructions="Extract the dimensions of a box; if you cannot, ask.",
)
for asked in ["The box is 10x20", "The box is 10x20 cm"]:
    print(boxes.run_sync(asked).output)

sql = Agent(
    "openai-responses:gpt-5",
    name="sql",
    output_type=[ToolOutput(str, name="query"), ToolOutput(InvalidRequest, name="sorry")],
    deps_type=set,
    retries=2,
)


@sql.output_validator
def must_exist(context: RunContext[set], output: str | InvalidRequest) -> str | InvalidRequest:
    if isinstance(output, str) and output.rsplit(maxsplit=1)[-1] not in context.deps:
        raise ModelRetry(f"There is no such table in {output!r}.")
    return output


print(sql.run_sync("Who was active yesterday?", deps={"users"}).output)
print(sql.run_sync("Make it rain", deps={"users"}).output)


def place(order: Order) -> str:
    """Place an order."""
    return f"placed: {order.kilos} kg of {order.fruit}"


native = Agent("openai-chat:gpt-5", name="native", output_type=NativeOutput(Order))
print(native.run_sync("Two kilos of apples").output)
print(Agent("openai-chat:gpt-5", name="shop", output_type=place).run_sync("Two kilos of pears").output)

NEEDS = ["pydantic-ai-slim>=2", "openai>=2"]
MODEL = [
    "In which units?",
    [("final_result", {"width": 10, "height": 20, "units": "cm"}, "b1")],
    [("query", {"response": "select * from people"}, "s1")],
    [("query", {"response": "select * from users"}, "s2")],
    [("sorry", {"error_message": "no such thing"}, "s3")],
    '{"fruit": "apples", "kilos": 2}',
    [("final_result", {"fruit": "pears", "kilos": "two"}, "p1")],
    [("final_result", {"fruit": "pears", "kilos": 2}, "p2")],
]
RECORD = """
session
  turn boxes
    > The box is 10x20
    model gpt-5-mini 10+2
    < In which units?
session
  turn boxes
    > The box is 10x20 cm
    model gpt-5-mini 10+2
    < {"width":10,"height":20,"units":"cm"}
session
  turn native
    > Two kilos of apples
    model gpt-5 10+2
    < {"fruit":"apples","kilos":2.0}
session
  turn shop
    > Two kilos of pears
    model gpt-5 10+2
    model gpt-5 10+2
    tool final_result(fruit=pears, kilos=2.0) = placed: 2.0 kg of pears
    < placed: 2.0 kg of pears
session
  turn sql
    > Make it rain
    model gpt-5 10+2
    < {"error_message":"no such thing"}
session
  turn sql
    > Who was active yesterday?
    model gpt-5 10+2
    model gpt-5 10+2
    < select * from users
"""
