"""Pydantic AI."""

from pydantic_ai import Agent, Tool
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.usage import RequestUsage

from support.drivers import pieces
from turnspan.testing.drivers import MODEL, TOKENS, TOOLS, RuntimeDriver, ScriptedToolCall


def model(script):
    def answer(messages, info):
        step = script.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, str):
            parts = [TextPart(step)]
        else:
            parts = [ToolCallPart(c.name, c.arguments, c.call_id) for c in step]
        return ModelResponse(parts=parts, usage=RequestUsage(input_tokens=TOKENS[0], output_tokens=TOKENS[1]))

    async def stream(messages, info):
        for piece in pieces(script.pop(0)):
            yield piece

    return FunctionModel(answer, stream_function=stream, model_name=MODEL)


class PydanticAI(RuntimeDriver):
    adapter = "pydantic-ai"
    own_spans = ("pydantic-ai",)
    a_failing_tool_fails_the_turn = True

    def _agent(self, script, name="triage", tools=TOOLS):
        return Agent(model(script), name=name, tools=tools, instructions="Help.")

    async def turn(self, conversation, prompt, script):
        history = conversation.state.get("history")
        more = {"message_history": history} if history else {"conversation_id": conversation.id}
        done = await self._agent(script).run(prompt, **more)
        conversation.state["history"] = done.all_messages()
        return done.output

    limits_tools = True

    async def limited(self, conversation, prompt, script):
        tools = [Tool(TOOLS[-1], timeout=0.05)]
        return (await self._agent(script, tools=tools).run(prompt, conversation_id=conversation.id)).output

    async def stream(self, conversation, prompt, script):
        async with self._agent(script).run_stream(prompt, conversation_id=conversation.id) as result:
            async for text in result.stream_text(delta=True, debounce_by=None):
                yield text

    async def sub_agent(self, conversation, prompt):
        helper = self._agent(["helped"], "helper", [])

        async def ask_helper(question: str) -> str:
            """Ask the helper."""
            return (await helper.run(question)).output

        boss = self._agent([[ScriptedToolCall("ask_helper", {"question": "q"}, "c")], "done"], tools=[ask_helper])
        return (await boss.run(prompt)).output


drivers = [PydanticAI]
