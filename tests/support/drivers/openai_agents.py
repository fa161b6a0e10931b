"""The OpenAI Agents SDK."""

import inspect
import json

from agents import Agent, Model, ModelResponse, RunHooks, Runner, SQLiteSession, function_tool, set_trace_processors
from agents.usage import Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
)

from support.drivers import pieces
from turnspan.testing.drivers import MODEL, TOKENS, TOOLS, RuntimeDriver, ScriptedToolCall

set_trace_processors([])  # its own would send traces to OpenAI


class Scripted(Model):
    """Answers from a script; newer releases have one of their own, older ones do not."""

    def __init__(self, script):
        self.script = script

    def _next(self):
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, str):
            text = ResponseOutputText(text=step, type="output_text", annotations=[], logprobs=[])
            return [ResponseOutputMessage(id="m", content=[text], role="assistant", status="completed", type="message")]
        return [
            ResponseFunctionToolCall(
                call_id=c.call_id, name=c.name, arguments=json.dumps(c.arguments), type="function_call"
            )
            for c in step
        ]

    async def get_response(self, *args, **kwargs):
        used = Usage(requests=1, input_tokens=TOKENS[0], output_tokens=TOKENS[1], total_tokens=sum(TOKENS))
        return ModelResponse(output=self._next(), usage=used, response_id="resp-1")

    async def stream_response(self, *args, **kwargs):
        output = self._next()
        for piece in pieces(output[0].content[0].text) if output[0].type == "message" else []:
            more = {"content_index": 0, "item_id": "m", "output_index": 0, "sequence_number": 0, "logprobs": []}
            yield ResponseTextDeltaEvent(delta=piece, type="response.output_text.delta", **more)
        used = {
            "input_tokens": TOKENS[0],
            "output_tokens": TOKENS[1],
            "total_tokens": sum(TOKENS),
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
        whole = Response.model_validate(
            {
                "id": "resp-1",
                "created_at": 1,
                "model": MODEL,
                "object": "response",
                "output": [o.model_dump() for o in output],
                "tool_choice": "auto",
                "tools": [],
                "parallel_tool_calls": True,
                "usage": used,
            }
        )
        yield ResponseCompletedEvent(response=whole, type="response.completed", sequence_number=1)


def agent(script, name="triage", tools=None):
    tools = [function_tool(tool) for tool in TOOLS] if tools is None else tools
    return Agent(name=name, instructions="Help.", model=Scripted(script), tools=tools)


class Seen(RunHooks):
    """The program's own hooks."""

    def __init__(self, callbacks):
        self._callbacks = callbacks

    async def on_agent_start(self, _context, agent):
        self._callbacks.append(f"agent_start {agent.name}")

    async def on_llm_start(self, _context, agent, _system_prompt, input_items):
        self._callbacks.append(f"llm_start {agent.name} {len(input_items)}")

    async def on_llm_end(self, _context, agent, response):
        self._callbacks.append(f"llm_end {agent.name} {len(response.output)}")

    async def on_tool_start(self, _context, _agent, tool):
        self._callbacks.append(f"tool_start {tool.name}")

    async def on_tool_end(self, _context, _agent, tool, result):
        self._callbacks.append(f"tool_end {tool.name} {result}")

    async def on_agent_end(self, _context, agent, output):
        self._callbacks.append(f"agent_end {agent.name} {output}")


class OpenAIAgents(RuntimeDriver):
    adapter = "openai-agents"

    def __init__(self):
        self._sessions = []
        self.callbacks = []

    def _session(self, conversation):
        if "session" not in conversation.state:
            conversation.state["session"] = SQLiteSession(conversation.id)
            self._sessions.append(conversation.state["session"])
        return conversation.state["session"]

    def close(self):
        while self._sessions:
            self._sessions.pop().close()

    async def turn(self, conversation, prompt, script):
        session, hooks = self._session(conversation), Seen(self.callbacks)
        return (await Runner.run(agent(script), prompt, session=session, hooks=hooks)).final_output

    limits_tools = "timeout" in inspect.signature(function_tool).parameters

    async def limited(self, conversation, prompt, script):
        tools = [function_tool(TOOLS[-1], timeout=0.05)]
        return (await Runner.run(agent(script, tools=tools), prompt)).final_output

    async def stream(self, conversation, prompt, script):
        result = Runner.run_streamed(agent(script), prompt, session=self._session(conversation))
        try:
            async for event in result.stream_events():
                yield event
        finally:
            result.cancel()

    async def sub_agent(self, conversation, prompt):
        tool = agent(["helped"], "helper", []).as_tool("ask_helper", "Ask.")
        boss = agent([[ScriptedToolCall("ask_helper", {"input": "q"}, "c")], "done"], tools=[tool])
        return (await Runner.run(boss, prompt)).final_output


drivers = [OpenAIAgents]
