"""A Semantic Kernel program that knows nothing of turnspan: two turns of a thread, two functions, one failing.

turnspan run examples/semantic_kernel_agent.py
"""

import asyncio
import logging

from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.connectors.ai.prompt_execution_settings import PromptExecutionSettings
from semantic_kernel.contents import AuthorRole, ChatMessageContent, FunctionCallContent, TextContent
from semantic_kernel.functions import kernel_function

ASKED = '{"number": "7"}'
SCRIPT = [
    [TextContent(text="Hello! How can I help?")],
    [
        FunctionCallContent(id="c1", name="Bank-find_invoice", arguments=ASKED),
        FunctionCallContent(id="c2", name="Bank-refund", arguments=ASKED),
    ],
    [TextContent(text="You paid twice. The bank is down, I will refund you tomorrow.")],
]


class Scripted(ChatCompletionClientBase):
    """Answers from the script; what a provider would do over the network."""

    SUPPORTS_FUNCTION_CALLING = True

    def get_prompt_execution_settings_class(self):
        return PromptExecutionSettings

    def _update_function_choice_settings_callback(self):
        return lambda *_: None

    def _reset_function_choice_settings(self, settings):
        pass

    async def _inner_get_chat_message_contents(self, chat_history, settings):
        return [ChatMessageContent(role=AuthorRole.ASSISTANT, ai_model_id="scripted", items=SCRIPT.pop(0))]


class Bank:
    """What a bank can do."""

    @kernel_function(description="Look an invoice up.")
    def find_invoice(self, number: str) -> str:
        return f"invoice {number}: 42.00 EUR, paid twice"

    @kernel_function(description="Pay an invoice back.")
    def refund(self, number: str) -> str:
        raise ConnectionError(f"the bank did not answer for {number}")


async def main() -> None:
    service = Scripted(ai_model_id="scripted")
    agent = ChatCompletionAgent(service=service, name="support", instructions="Help with invoices.", plugins=[Bank()])
    thread = None
    for prompt in ("Hi", "I paid invoice 7 twice"):
        response = await agent.get_response(prompt, thread=thread)
        thread = response.thread
        print(response)


logging.disable()
asyncio.run(main())
