"""The OpenAI Agents SDK."""

from agents import Agent, Runner, SQLiteSession, function_tool, set_trace_processors
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from agents.usage import Usage

from turnspan.testing.play import TOKENS, TOOLS, Stage

USED = Usage(requests=1, input_tokens=TOKENS[0], output_tokens=TOKENS[1], total_tokens=sum(TOKENS))
set_trace_processors([])  # its own would send traces to OpenAI


def steps(script):
    for step in script:
        if isinstance(step, Exception):
            yield ModelStep(error=step)
        elif isinstance(step, str):
            yield [assistant_message(step)]
        else:
            yield [function_call(c.name, c.arguments, call_id=c.call_id) for c in step]


def agent(script, name="triage", tools=None):
    model = ScriptedModel(list(steps(script)), default_usage=USED, emit_traces=True)
    tools = [function_tool(tool) for tool in TOOLS] if tools is None else tools
    return Agent(name=name, instructions="Help.", model=model, tools=tools)


class OpenAIAgents(Stage):
    adapter = "openai-agents"

    def _session(self, conversation):
        return conversation.state.setdefault("session", SQLiteSession(conversation.id))

    async def turn(self, conversation, prompt, script):
        return (await Runner.run(agent(script), prompt, session=self._session(conversation))).final_output

    async def stream(self, conversation, prompt, script):
        result = Runner.run_streamed(agent(script), prompt, session=self._session(conversation))
        try:
            async for event in result.stream_events():
                yield event
        finally:
            result.cancel()

    async def sub_agent(self, conversation, prompt):
        from turnspan.testing.play import Wanted

        tool = agent(["helped"], "helper", []).as_tool("ask_helper", "Ask.")
        boss = agent([[Wanted("ask_helper", {"input": "q"}, "c")], "done"], tools=[tool])
        return (await Runner.run(boss, prompt)).final_output


stages = [OpenAIAgents]
