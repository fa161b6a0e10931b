"""The Claude Agent SDK over its wire: a subprocess that speaks Claude Code's protocol, and asks the model server."""

from pathlib import Path
from typing import get_type_hints

from claude_agent_sdk import AgentDefinition, ClaudeAgentOptions, ResultMessage, create_sdk_mcp_server, query, tool

from support.drivers import use
from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import TOOLS, RuntimeDriver, ScriptedToolCall

CLAUDE_CODE = Path(__file__).parents[1] / "claude_code.py"


def sdk_tool(function):
    name = function.__name__

    async def handler(arguments):
        return {"content": [{"type": "text", "text": str(await use(name, arguments))}]}

    kinds = {n: t for n, t in get_type_hints(function).items() if n != "return"}
    return tool(name, function.__doc__, kinds)(handler)


class ClaudeAgentSDK(OverTheWire, RuntimeDriver):
    """One query for each turn, which resumes the session of the one before."""

    adapter = "claude-agent-sdk"

    def _options(self, conversation, script, **more):
        mine = [
            [ScriptedToolCall(f"mcp__tools__{c.name}", *c[1:]) for c in s] if isinstance(s, list) else s for s in script
        ]
        key = self.serve(conversation, mine)
        return ClaudeAgentOptions(
            cli_path=CLAUDE_CODE,
            env={"ANTHROPIC_BASE_URL": self.server.url, "ANTHROPIC_API_KEY": key, "NO_PROXY": "127.0.0.1"},
            mcp_servers={"tools": create_sdk_mcp_server("tools", tools=[sdk_tool(t) for t in TOOLS])},
            extra_args={"agent": "triage"},
            resume=conversation.state.get("session"),
            **more,
        )

    async def turn(self, conversation, prompt, script):
        return await self._run(conversation, prompt, self._options(conversation, script))

    async def _run(self, conversation, prompt, options):
        answer = None
        async for message in query(prompt=prompt, options=options):
            if isinstance(message, ResultMessage):
                conversation.state["session"], answer = message.session_id, message.result
        return answer

    async def stream(self, conversation, prompt, script):
        options = self._options(conversation, script, include_partial_messages=True)
        async for message in query(prompt=prompt, options=options):
            yield message

    async def sub_agent(self, conversation, prompt):
        asked = {"subagent_type": "helper", "description": "help", "prompt": "q"}
        options = self._options(conversation, [(ScriptedToolCall("Task", asked, "c"),), "helped", "done"])
        options.agents = {"helper": AgentDefinition(description="Helps.", prompt="Help.")}
        return await self._run(conversation, prompt, options)


drivers = [ClaudeAgentSDK]
