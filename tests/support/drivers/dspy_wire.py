"""DSPy over the wire: a program that has its model choose tools, as its documentation shows it for tools by hand."""

import asyncio
import json
from typing import Any

import dspy

from support.drivers._wire import OverTheWire
from turnspan.testing.drivers import TOOLS, RuntimeDriver, ScriptedToolCall


class Act(dspy.Signature):
    """Call tools, or answer."""

    prompt: str = dspy.InputField()
    observations: list[str] = dspy.InputField()
    history: dspy.History = dspy.InputField()
    calls: list[dict[str, Any]] = dspy.OutputField()
    answer: str = dspy.OutputField()


class Program(dspy.Module):
    def __init__(self, tools):
        super().__init__()
        self.act = dspy.Predict(Act)
        self.tools = {tool.name: tool for tool in map(dspy.Tool, tools)}

    async def aforward(self, prompt, history):
        observations = []
        while True:
            chosen = await self.act.acall(prompt=prompt, observations=observations, history=history)
            if not chosen.calls:
                return dspy.Prediction(answer=chosen.answer)
            made = (self._call(one["name"], one["arguments"]) for one in chosen.calls)
            observations += await asyncio.gather(*made)

    async def _call(self, name, arguments):
        try:
            return str(await self.tools[name].acall(**arguments))
        except Exception as error:
            return f"{type(error).__name__}: {error}"


class triage(Program):
    pass


class helper(Program):
    pass


class DspyOverTheWire(OverTheWire, RuntimeDriver):
    """Over chat completions."""

    adapter = "dspy"

    def _model(self, conversation, script):
        key = self.serve(conversation, [step if isinstance(step, Exception) else _written(step) for step in script])
        address = {"api_base": self.server.url + "/v1", "api_key": key}
        return dspy.LM("openai/gpt-4o-mini", **address, cache=False, num_retries=0)

    def _context(self, conversation, script):
        return dspy.context(
            lm=self._model(conversation, script), adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)
        )

    def _history(self, conversation):
        return conversation.state.setdefault("history", dspy.History(messages=[]))

    async def turn(self, conversation, prompt, script):
        history = self._history(conversation)
        with self._context(conversation, script):
            done = await triage(TOOLS).acall(prompt=prompt, history=history)
        history.messages.append({"prompt": prompt, "answer": done.answer})
        return done.answer

    async def stream(self, conversation, prompt, script):
        program = triage(TOOLS)
        program.set_lm(self._model(conversation, script))
        stream = dspy.streamify(program, is_async_program=True)(prompt=prompt, history=self._history(conversation))
        try:
            async for item in stream:
                yield item
        finally:
            await stream.aclose()

    async def sub_agent(self, conversation, prompt):
        script = [[ScriptedToolCall("ask_helper", {"question": "q"}, "c")], "helped", "done"]
        history = dspy.History(messages=[])

        async def ask_helper(question: str) -> str:
            """Ask the helper."""
            return (await helper([]).acall(prompt=question, history=history)).answer

        with self._context(conversation, script):
            return (await triage([ask_helper]).acall(prompt=prompt, history=history)).answer


def _written(step):
    """Return a step as DSPy has models write it."""
    calls = [] if isinstance(step, str) else [{"name": one.name, "arguments": one.arguments} for one in step]
    answer = step if isinstance(step, str) else ""
    return f"[[ ## calls ## ]]\n{json.dumps(calls)}\n\n[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]\n"


drivers = [DspyOverTheWire]
