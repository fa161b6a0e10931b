"""A query that goes on from another one, too many turns, and an overloaded model.

https://docs.claude.com/en/api/agent-sdk/sessions
"""

import asyncio
from pathlib import Path

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, query

CLAUDE = Path(__file__).parents[2] / "support" / "claude_code.py"
Path("notes.txt").write_text("buy milk")


async def ask(prompt, **more):
    session = None
    try:
        async for message in query(prompt=prompt, options=ClaudeAgentOptions(cli_path=CLAUDE, **more)):
            if isinstance(message, ResultMessage):
                session = message.session_id
                print(message.subtype, message.result)
    except Exception as error:
        print("failed", isinstance(error, Exception))
    return session


async def main() -> None:
    session = await ask("Hello")
    await ask("What do my notes say?", resume=session)
    await ask("And what now?", resume=session, max_turns=1)
    await ask("Still there?", resume=session)


asyncio.run(main())

NEEDS = ["claude-agent-sdk>=0.2.186"]
MODEL = [
    "Hello!",
    [("Read", {"file_path": "notes.txt"}, "r1")],
    {"text": "Milk.", "usage": {"input_tokens": 20, "output_tokens": 3}},
    [("Read", {"file_path": "notes.txt"}, "r2")],
    {"status": 529, "message": "Overloaded"},
]
RECORD = """
session
  turn claude
    > Hello
    model scripted 10+2
    < Hello!
  turn claude
    > What do my notes say?
    model scripted 10+2
    tool Read(file_path=notes.txt) = buy milk
    model scripted 20+3
    < Milk.
  turn claude ERROR Reached maximum number of turns
    > And what now?
    model scripted 10+2
    tool Read(file_path=notes.txt) = buy milk
  turn claude ERROR API Error: Overloaded
    > Still there?
    model model ERROR API Error: Overloaded
    < API Error: Overloaded
"""
