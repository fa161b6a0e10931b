"""A reviewer as a sub-agent with a tool of its own, and a hook that looks at each tool before it is used.

https://docs.claude.com/en/api/agent-sdk/subagents, https://docs.claude.com/en/api/agent-sdk/hooks
"""

import asyncio
from pathlib import Path

from claude_agent_sdk import AgentDefinition, ClaudeAgentOptions, HookMatcher, ResultMessage, query

Path("main.py").write_text("print('hi')\n")


async def no_secrets(input_data, tool_use_id, context):
    if ".env" not in input_data["tool_input"]["file_path"]:
        return {}
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": "secrets stay here",
        }
    }


async def main() -> None:
    options = ClaudeAgentOptions(
        cli_path=Path(__file__).parents[2] / "support" / "claude_code.py",
        agents={"reviewer": AgentDefinition(description="Reviews code", prompt="You review code.", tools=["Read"])},
        hooks={"PreToolUse": [HookMatcher(matcher="Read", hooks=[no_secrets])]},
    )
    async for message in query(prompt="Have main.py reviewed", options=options):
        if isinstance(message, ResultMessage):
            print(message.result, message.num_turns)


asyncio.run(main())

NEEDS = ["claude-agent-sdk>=0.2.186"]
MODEL = [
    [("Task", {"subagent_type": "reviewer", "description": "review", "prompt": "Review main.py"}, "t1")],
    [("Read", {"file_path": "main.py"}, "r1")],
    [("Read", {"file_path": ".env"}, "r2")],
    "It says hi.",
    "The reviewer likes it.",
]
RECORD = """
session
  turn claude
    > Have main.py reviewed
    model scripted 10+2
    tool Task(subagent_type=reviewer, description=review, prompt=Review main.py) = It says hi.
      agent reviewer
        model scripted 10+2
        tool Read(file_path=main.py) = print('hi')↵
        model scripted 10+2
        tool Read(file_path=.env) = secrets stay here SKIPPED secrets stay here
        model scripted 10+2
    note claude.hook {"hook": "PreToolUse", "tool_use_id": "r1", "output": {}}
    note claude.hook {"hook": "PreToolUse", "tool_use_id": "r2", "output": {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": "secrets stay here"}}}
    note approval.denied {"tool_name": "Read", "call_id": "r2", "by": "hook", "reason": "secrets stay here"}
    model scripted 10+2
    < The reviewer likes it.
"""
