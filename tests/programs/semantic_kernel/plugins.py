"""An agent with a plugin: functions that are called wrongly and fail, a filter that has the last word, a thread, a stream.

https://learn.microsoft.com/semantic-kernel/frameworks/agent/agent-functions and .../concepts/enterprise-readiness/filters
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Annotated

from semantic_kernel import Kernel
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.filters import AutoFunctionInvocationContext, FilterTypes
from semantic_kernel.functions import kernel_function


class MenuPlugin:
    """The menu of the host."""

    @kernel_function(description="Get today's specials.")
    def get_specials(self) -> str:
        return "Clam chowder, cobb salad"

    @kernel_function(description="Get the price of a dish.")
    def get_price(self, dish: Annotated[str, "Which"], portions: Annotated[int, "How many"]) -> str:
        if dish == "unicorn":
            raise LookupError("no unicorns are served")
        return f"${10 * portions}"

    @kernel_function(description="Order a dish.")
    def order(self, dish: Annotated[str, "Which"]) -> str:
        return f"{dish} is ordered"


async def no_orders(context: AutoFunctionInvocationContext, next: Callable) -> None:  # noqa: A002  the runtime's name
    """End the run where something is ordered."""
    if context.function.name == "order":
        context.terminate = True
        return
    await next(context)


async def main() -> None:
    kernel = Kernel()
    kernel.add_filter(FilterTypes.AUTO_FUNCTION_INVOCATION, no_orders)
    host = ChatCompletionAgent(
        service=OpenAIChatCompletion(ai_model_id="gpt-5"),
        kernel=kernel,
        name="Host",
        instructions="Answer about the menu.",
        plugins=[MenuPlugin()],
    )
    thread = None
    for asked in ("What is special?", "What are two portions of it, and of unicorn?"):
        response = await host.get_response(asked, thread=thread)
        print(response)
        thread = response.thread
    async for response in host.invoke_stream("Thanks!", thread=thread):
        print("heard:", response)
    async for response in host.invoke("Order the chowder", thread=thread):
        print("last:", response.message.role.value, response)


logging.disable()
asyncio.run(main())

NEEDS = ["semantic-kernel>=1.45"]
MODEL = [
    [("MenuPlugin-get_specials", {}, "c1")],
    "Clam chowder and cobb salad.",
    [
        ("MenuPlugin-get_price", {"dish": "chowder"}, "c2"),
        ("MenuPlugin-get_price", {"dish": "chowder", "portions": "two"}, "c3"),
        ("MenuPlugin-get_price", {"dish": "unicorn", "portions": 2}, "c4"),
        ("MenuPlugin-get_prize", {"dish": "chowder"}, "c5"),
    ],
    [("MenuPlugin-get_price", {"dish": "chowder", "portions": 2}, "c6")],
    "Twenty dollars, and there is no unicorn.",
    "You are welcome",
    [("MenuPlugin-order", {"dish": "chowder"}, "c7")],
]
RECORD = """
session
  turn Host
    > What is special?
    model gpt-5 10+2
    tool MenuPlugin-get_specials() = Clam chowder, cobb salad
    model gpt-5 10+2
    < Clam chowder and cobb salad.
  turn Host
    > What are two portions of it, and of unicorn?
    model gpt-5 10+2
    note arguments.rejected {"tool_name": "MenuPlugin-get_price", "call_id": "c2", "arguments": {"dish": "chowder"}, "error": "Missing required argument(s): ['portions']. Please revise the arguments to match the function signature."}
    tool MenuPlugin-get_price(dish=chowder) = Missing required argument(s): ['portions']. Please revise the arguments to match the function signature. ERROR Missing required argument(s): ['portions']. Please revise the arguments to match the function signature.
    tool MenuPlugin-get_price(dish=chowder, portions=two) ERROR Parameter portions is expected to be parsed to <class 'int'> but is not.
    note arguments.rejected {"tool_name": "MenuPlugin-get_price", "call_id": "c3", "arguments": {"dish": "chowder", "portions": "two"}, "error": "Parameter portions is expected to be parsed to <class 'int'> but is not."}
    tool MenuPlugin-get_price(dish=unicorn, portions=2) ERROR no unicorns are served
    tool MenuPlugin-get_prize(dish=chowder) = The tool call with name `MenuPlugin-get_prize` is not part of the provided tools, please try again with a supplied tool call name and make sure to validate the name. ERROR The tool call with name `MenuPlugin-get_prize` is not part of the provided tools, please try again with a supplied tool call name and make sure to validate the name.
    model gpt-5 10+2
    tool MenuPlugin-get_price(dish=chowder, portions=2) = $20
    model gpt-5 10+2
    < Twenty dollars, and there is no unicorn.
  turn Host
    > Thanks!
    model gpt-5 10+2
    < You are welcome
  turn Host
    > Order the chowder
    model gpt-5 10+2
    tool MenuPlugin-order(dish=chowder) SKIPPED a filter ended the run
"""
