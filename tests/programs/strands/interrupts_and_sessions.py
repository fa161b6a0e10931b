"""A tool that waits for a person, a session that is kept in files, a stream, and a model that fails.

https://strandsagents.com/latest/documentation/docs/user-guide/concepts/interrupts/ and .../agents/session-management/
"""

import asyncio

from strands import Agent, tool
from strands.hooks import BeforeToolCallEvent, HookProvider, HookRegistry
from strands.models.openai import OpenAIModel
from strands.session.file_session_manager import FileSessionManager


@tool
def delete_files(paths: list[str]) -> str:
    """Delete files.

    Args:
        paths: Which.
    """
    return f"deleted {', '.join(paths)}"


class Approval(HookProvider):
    """Asks before anything is deleted."""

    def register_hooks(self, registry: HookRegistry) -> None:
        registry.add_callback(BeforeToolCallEvent, self.approve)

    def approve(self, event: BeforeToolCallEvent) -> None:
        answer = event.interrupt("files-approval", reason={"paths": event.tool_use["input"]["paths"]})
        if answer != "y":
            event.cancel_tool = "the user said no"


def agent() -> Agent:
    return Agent(
        OpenAIModel(client_args={"max_retries": 0}, model_id="gpt-5"),
        name="cleaner",
        tools=[delete_files],
        hooks=[Approval()],
        session_manager=FileSessionManager("files-7", storage_dir="sessions"),
        callback_handler=None,
    )


cleaner = agent()
result = cleaner("Delete a.txt")
while result.stop_reason == "interrupt":
    answers = [{"interruptResponse": {"interruptId": interrupt.id, "response": "y"}} for interrupt in result.interrupts]
    print("asked:", [(interrupt.name, interrupt.reason) for interrupt in result.interrupts])
    result = cleaner(answers)
print(str(result).strip())


async def main() -> None:
    async for event in agent().stream_async("Tell me what you did"):
        if "data" in event:
            print("heard:", event["data"])


asyncio.run(main())
try:
    agent()("And now?")
except Exception as error:
    print(type(error).__name__, error)

NEEDS = ["strands-agents>=1.62", "openai>=3"]
MODEL = [
    [("delete_files", {"paths": ["a.txt"]}, "t1")],
    "It is deleted.",
    "I deleted a file",
    {"status": 400, "message": "too many words"},
]
RECORD = """
session files-7
  turn cleaner
    > Delete a.txt
    model gpt-5 10+2
    note interrupt {"value": {"name": "files-approval", "reason": {"paths": ["a.txt"]}}, "interrupt_id": "v1:before_tool_call:t1:(id)"}
  turn cleaner
    > y
    tool delete_files(paths=["a.txt"]) = deleted a.txt
    model gpt-5 10+2
    < It is deleted.
  turn cleaner
    > Tell me what you did
    model gpt-5 10+2
    < I deleted a file
  turn cleaner ERROR Error code: 400 - too many words
    > And now?
    model gpt-5 ERROR Error code: 400 - too many words
"""
