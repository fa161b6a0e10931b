"""A LlamaIndex program that knows nothing of turnspan: two turns of an agent, two tools, one failing.

turnspan run examples/llama_index_agent.py
"""

import asyncio
from typing import Any

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LLMMetadata
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.memory import Memory

SCRIPT = [
    ("Hello! How can I help?", []),
    ("", [("find_invoice", "c1"), ("refund", "c2")]),
    ("You paid twice. The bank is down, I will refund you tomorrow.", []),
]


class Scripted(FunctionCallingLLM):
    """Answers from the script; what a provider would do over the network."""

    @property
    def metadata(self):
        return LLMMetadata(model_name="scripted", is_function_calling_model=True)

    def _prepare_chat_with_tools(self, tools, user_msg=None, chat_history=None, **more: Any):
        return {"messages": chat_history}

    @llm_chat_callback()
    async def achat(self, messages, **more: Any):
        text, calls = SCRIPT.pop(0)
        said = ChatMessage(role="assistant", content=text, additional_kwargs={"calls": calls})
        return ChatResponse(message=said, additional_kwargs={"prompt_tokens": 10, "completion_tokens": 2})

    def get_tool_calls_from_response(self, response, error_on_no_tool_call=True, **more: Any):
        calls = response.message.additional_kwargs["calls"]
        return [ToolSelection(tool_id=i, tool_name=name, tool_kwargs={"number": "7"}) for name, i in calls]

    async def astream_chat(self, messages, **more: Any):
        raise NotImplementedError

    chat = stream_chat = complete = stream_complete = acomplete = astream_complete = astream_chat


def find_invoice(number: str) -> str:
    """Look an invoice up."""
    return f"invoice {number}: 42.00 EUR, paid twice"


def refund(number: str) -> str:
    """Pay an invoice back."""
    raise ConnectionError(f"the bank did not answer for {number}")


async def main() -> None:
    agent = FunctionAgent(
        name="support", llm=Scripted(), system_prompt="Help.", tools=[find_invoice, refund], streaming=False
    )
    memory = Memory.from_defaults(session_id="invoice-7", tokenizer_fn=str.split)
    for prompt in ("Hi", "I paid invoice 7 twice"):
        print(await agent.run(prompt, memory=memory))


asyncio.run(main())
