"""oats, with a scripted model in place of LiteLLM."""

import asyncio
import json
import os
import tempfile
from contextvars import ContextVar
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp())
_MODELS = {"base_url": "http://127.0.0.1:1/v1", "api_key": "k", "models": [{"name": "scripted"}]}
_CONFIG = {
    "provider": {"vllm-small": _MODELS},
    "data_dir": str(FOLDER / "data"),
    "model": {"provider_id": "vllm-small", "model_id": "scripted"},
}
(FOLDER / "coder.json").write_text(json.dumps(_CONFIG))
os.environ |= {
    "CODER_CONFIG_FILE": str(FOLDER / "coder.json"),
    "OATS_ENABLED": "1",
    "CODER_MAX_ITERATIONS": "5",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}

import litellm
import oats.session.processor as processor
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices
from oats.session.session import create_session, get_session_storage
from oats.tool.registry import Tool, ToolResult, register_tool

from support.drivers import pieces, use
from turnspan.testing.drivers import TOOLS, RuntimeDriver

_script: ContextVar[list] = ContextVar("script")


async def acompletion(**request):
    step = _script.get()[0]
    if isinstance(step, Exception):  # asked twice: with a stream, then without
        raise step
    _script.get().pop(0)

    async def chunks():
        if isinstance(step, str):
            for piece in pieces(step):
                yield chunk(content=piece)
            yield chunk(finish="stop")
            return
        for n, call in enumerate(step):
            asked = {"name": call.name, "arguments": json.dumps(call.arguments)}
            yield chunk(tool_calls=[{"index": n, "id": call.call_id, "type": "function", "function": asked}])
        yield chunk(finish="tool_calls")

    return chunks()


def chunk(finish=None, **delta):
    choice = StreamingChoices(delta=Delta(role="assistant", **delta), finish_reason=finish, index=0)
    return ModelResponseStream(choices=[choice])


litellm.acompletion = acompletion


def tool_of(function):
    class Made(Tool):
        name = property(lambda self: function.__name__)
        description = property(lambda self: function.__doc__)
        parameters = property(
            lambda self: {"type": "object", "properties": {n: {} for n in function.__annotations__ if n != "return"}}
        )
        always_load = True

        async def execute(self, args, ctx):
            return ToolResult(title=function.__name__, output=str(await use(function.__name__, args)))

    return Made()


for function in TOOLS:
    register_tool(tool_of(function))


class Oats(RuntimeDriver):
    adapter = "oats-coder"
    agent = "oats"
    a_failing_tool_fails_the_turn = True
    a_failing_model_says = "Please review"
    in_threads = False  # a lock of the runtime belongs to the first loop

    async def _events(self, conversation, prompt, script):
        _script.set(script)
        session = conversation.state.get("session")
        if session is None:
            session = conversation.state["session"] = await create_session(
                project_dir=FOLDER, model_id="scripted", provider_id="vllm-small"
            )
        loop = processor.SessionProcessor(session)
        async for event in loop.process_message(prompt, auto_approve_tools=True, needs_local_tools=False):
            yield event

    async def turn(self, conversation, prompt, script):
        _lock_of_this_loop()
        answer = None
        async for event in self._events(conversation, prompt, script):
            if event["type"] == "assistant_text":
                answer = event["content"]
            if event["type"] == "error":
                raise RuntimeError(event["error"])
        return answer

    async def stream(self, conversation, prompt, script):
        _lock_of_this_loop()
        async for event in self._events(conversation, prompt, script):
            if event["type"] == "assistant_text_delta":
                yield event


def _lock_of_this_loop():
    """Give the runtime's storage a lock of the running loop: it has one for the whole process, of whichever came first."""
    storage, loop = get_session_storage()._storage, asyncio.get_running_loop()
    if getattr(storage._lock, "_loop", None) not in (None, loop):
        storage._lock = asyncio.Lock()


drivers = [Oats]
