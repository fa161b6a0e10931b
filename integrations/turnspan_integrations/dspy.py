"""DSPy: modules, which are programs, the tools and the language models that they call.

The outermost module that is called is a turn; inside of it, a module of the program's own and DSPy's own agents are
agents, while ``Predict`` and what is made of it is only how a model is asked. The session is the ``dspy.History`` that a
module is given. The runtime's callbacks would be set in its settings, where the program's own replace them: the methods
that they are called from are wrapped.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, ModelCall, Outcome, after_last_answer
from turnspan_integrations.kept_sessions import KeptSessions
from turnspan_integrations.raw_answers import of, raw_answer
from turnspan_integrations.usage import openai_usage

REQUIRES = "dspy>=3.4.1,<4"
CANNOT = {
    "model calls outside of a module": "nothing says which session they belong to",
    "tokens where `disable_history` is set": "the runtime says them in its history",
    "code that `CodeAct`, `ProgramOfThought` and `RLM` have run": "it runs in another process; tools that it calls are seen",
    "retries inside of a language model": "it does them by itself",
}
_AGENTS = ("ReAct", "CodeAct", "ProgramOfThought", "RLM", "Avatar")
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "moonshot": "moonshot_ai",
    "ollama_chat": "ollama",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "watsonx": "ibm.watsonx.ai",
}
_NOT_ANSWERS = ("reasoning", "rationale", "trajectory")
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap modules, tools, language models, and what reads their answers."""
    watched = _Modules(emit)
    for method in ("__call__", "acall"):
        emit.patch.wrap(f"dspy.primitives.module:Module.{method}", watched.module)
        emit.patch.wrap(f"dspy.adapters.types.tool:Tool.{method}", watched.tool)
        emit.patch.wrap(f"dspy.clients.base_lm:BaseLM.{method}", watched.model)
        emit.patch.wrap(f"dspy.adapters.json_adapter:JSONAdapter.{method}", watched.asks_again)
    emit.patch.wrap("dspy.clients.base_lm:BaseLM.update_history", watched.answered)
    emit.patch.wrap("dspy.adapters.types.tool:Tool._validate_and_parse_args", watched.validates)


class _Modules:
    """The modules that run, and the calls in them."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._sessions = KeptSessions()
        self._asked: dict[str, ModelCall] = {}
        self._answers: dict[str, dict[str, Any]] = {}

    def module(self, call: Invocation) -> _Watching:
        """A module is called."""
        module, given = call.instance, call.kwargs
        if self._emit.current_run() is not None and not _is_agent(module):
            yield None
            return
        history = next((value for value in given.values() if type(value).__name__ == "History"), None)
        prompt = {name: value for name, value in given.items() if value is not history and name != "max_iters"}
        prompt = prompt or {str(n): value for n, value in enumerate(call.args)}
        run = self._emit.begin(agent=_name_of(module), prompt=_only(prompt), session=self._sessions.of(history))
        outcome = yield run
        run.end(outcome, _answer_of(outcome.result))

    def tool(self, call: Invocation) -> _Watching:
        """A tool is called; the one by which an agent of DSPy's says that it is done is none."""
        run, tool = self._emit.current_run(), call.instance
        if run is None or (tool.name == "finish" and str(getattr(tool.func, "__module__", "")).startswith("dspy.")):
            yield None
            return
        started = run.tool_started(tool.name, call.kwargs)
        started.ended((yield started))

    def validates(self, call: Invocation) -> _Watching:
        """The arguments of a tool are checked."""
        outcome, run, here = (yield None), self._emit.current_run(), self._emit.current()
        if outcome.error is not None and run is not None and here is not None:
            run.arguments_rejected(call.instance.name, here.call_id, arguments=call.kwargs, error=outcome.error)

    def asks_again(self, _call: Invocation) -> _Watching:
        """A model is asked for JSON, because what it said in the usual way could not be read."""
        error, run = sys.exception(), self._emit.current_run()
        if run is not None and type(error).__name__ == "AdapterParseError":
            run.retried("model", 2, error=error)
        yield None

    # Models --------------------------------------------------------------------------------------------------------

    def model(self, call: Invocation) -> _Watching:
        """A language model is asked."""
        run, lm = self._emit.current_run(), call.instance
        if run is None:
            yield None
            return
        provider, _, name = str(lm.model).rpartition("/")
        provider = provider.partition("/")[0]
        asked = run.model_started(
            provider=_PROVIDERS.get(provider, provider) or None,
            model=name,
            messages=_messages_of(call.argument(0, "prompt"), call.kwargs.get("messages")),
        )
        self._asked[asked.call_id] = asked
        try:
            outcome = yield asked
        finally:
            del self._asked[asked.call_id]
            entry = self._answers.pop(asked.call_id, {})
        _end(asked, outcome, entry)

    def answered(self, call: Invocation) -> _Watching:
        """What a model answered is put into the runtime's history, with what it used."""
        here = self._emit.current()
        if here is not None and here.call_id in self._asked:
            self._answers[here.call_id] = call.argument(0, "entry")
        yield None


def _is_agent(module: Any) -> bool:
    """Return whether a module inside of another is an agent: one of the program's own, or of those that call tools."""
    return not type(module).__module__.startswith("dspy.") or type(module).__name__ in _AGENTS


def _name_of(module: Any) -> str:
    """Return the name of a module: that of its class, and for one of DSPy's own that of its signature, if it has one."""
    own = type(module)
    if own.__module__.startswith("dspy."):
        named = getattr(getattr(module, "signature", None), "__name__", "StringSignature")
        return own.__name__ if named in ("StringSignature", "Signature") else str(named)
    return own.__name__


def _only(fields: dict[Any, Any]) -> Any:
    return next(iter(fields.values())) if len(fields) == 1 else fields


def _answer_of(result: Any) -> Any:
    if not hasattr(result, "toDict"):
        return result
    fields = {name: value for name, value in result.toDict().items() if name not in _NOT_ANSWERS}
    return _only(fields) if fields else None


def _messages_of(prompt: Any, messages: Any) -> list[Any] | None:
    """Return what a model is given: messages, a text, or a request as DSPy makes it."""
    if messages is not None:
        return list(messages)
    if hasattr(prompt, "messages"):
        from dspy.clients.lm15_boundary import history_messages

        return list(history_messages(prompt))
    return None if prompt is None else [{"role": "user", "content": prompt}]


def _end(asked: ModelCall, outcome: Outcome, entry: dict[str, Any]) -> None:
    """End a call with what stands in the runtime's history of it."""
    outputs, response = entry.get("outputs") or (), entry.get("response")
    said = raw_answer(response[0] if isinstance(response, (list, tuple)) and response else response)
    messages = entry.get("messages") if asked.started.messages is None else None
    asked.ended(
        outcome._replace(result=None),
        [_message(one) for one in outputs] or None,
        response_model=entry.get("response_model"),
        response_id=said.response_id,
        usage=openai_usage({name: n for name, n in (entry.get("usage") or {}).items() if name != "cost"}),
        finish_reasons=[said.finish_reason] if said.finish_reason else [],
        messages=after_last_answer(messages).messages if messages else None,
    )


def _message(output: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": output if isinstance(output, str) else of(output, "text")}
    if calls := None if isinstance(output, str) else of(output, "tool_calls"):
        message["tool_calls"] = [
            {"id": of(one, "id"), "function": {"name": of(asks, "name"), "arguments": of(asks, "arguments")}}
            for one in calls
            if (asks := of(one, "function") or one) is not None
        ]
    return message
