"""What CrewAI's objects and events say."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from turnspan.adapter import Call, ModelCall, Outcome, Run
from turnspan.events import Usage
from turnspan_integrations.providers import provider_at
from turnspan_integrations.raw_answers import of
from turnspan_integrations.usage import bedrock_usage, openai_usage

_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "claude": "anthropic",
}
"""What the runtime calls providers, as ``gen_ai.provider.name`` has it, where that differs."""
_COUNTS = {
    "prompt_token_count": "prompt_tokens",
    "cached_prompt_tokens": "cached_tokens",
    "cache_creation_tokens": "cache_creation_input_tokens",
}
"""What the runtime calls counts of tokens, as OpenAI does."""
_KEPT = ("role", "content", "tool_calls", "tool_call_id", "name")
_BLOCKED, _NO_TOOL = "Tool execution blocked by hook.", "Tool not found"
_ENDS_OF_MODELS = ("llm_call_completed",)
_ENDS_OF_TOOLS = ("tool_usage_finished", "tool_usage_error")
_SKIPPED = ("usage_limit", "repeated_call")
HEARD = {
    *_ENDS_OF_MODELS,
    *_ENDS_OF_TOOLS,
    "llm_stream_chunk",
    "llm_guardrail_completed",
    "human_feedback_requested",
    "human_feedback_received",
    "flow_paused",
}
"""The events that say more than what is wrapped does."""


class Heard:
    """A call that is open, and what was emitted within it."""

    def __init__(self, call: Call, calling: Any = None) -> None:
        self.call, self.calling = call, calling
        self.event: Any = None
        self.functions: list[dict[str, Any]] = []
        self.attempts = 1

    @property
    def error(self) -> Any:
        """What a tool raised, if that came last."""
        return getattr(self.event, "error", None)

    def takes(self, event: Any) -> bool:
        """Take an event, if it is about this call."""
        if not isinstance(self.call, ModelCall):
            ends = event.type in _ENDS_OF_TOOLS
        elif event.type == "llm_stream_chunk":
            self.call.chunk()
            return True
        else:
            ends = event.type in _ENDS_OF_MODELS
        if ends:
            self.event = event
        return ends


def note(run: Run, event: Any) -> None:
    """Put on record what an event says of its run."""
    match event.type:
        case "llm_guardrail_completed":
            name = event.guardrail_name or event.guardrail_type or "guardrail"
            run.guardrail(name, stage="output", tripped=not event.success, verdict=event.error)
        case "human_feedback_requested" | "flow_paused":
            run.interrupted(event.message, interrupt_id=getattr(event, "request_id", None))
        case "human_feedback_received":
            run.note("feedback", {"value": event.feedback, "outcome": event.outcome})


# Runs ------------------------------------------------------------------------------------------------------------------


def name_of(agent: Any) -> str:
    """Return what an agent is called: its role."""
    return str(agent.role).strip()


def tasks_of(crew: Any) -> str:
    """Return what a crew is to do."""
    return "\n".join(str(task.description) for task in crew.tasks)


def prompt_of(messages: Any) -> Any:
    """Return what an agent is asked: the last that a user says."""
    if isinstance(messages, str):
        return messages
    said = [message.get("content") for message in messages if message.get("role") == "user"]
    return said[-1] if said else ""


def answer_of(result: Any) -> Any:
    """Return what a run answers; one that waits for somebody has not answered yet."""
    if type(result).__name__ == "HumanFeedbackPending":
        return None
    return getattr(result, "raw", result)


def session_of(flow: Any, given: Any) -> str | None:
    """Return the id of a flow's state, which it is kept by."""
    own = given.get("id") if isinstance(given, dict) else None
    return str(own or getattr(flow, "flow_id", None) or "") or None


def restores(checkpoint: Any) -> bool:
    """Return whether a kickoff goes on elsewhere: it makes another crew or agent, and kicks that off."""
    return getattr(checkpoint, "restore_from", None) is not None


# Tools -----------------------------------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """A call of a tool as a provider's model asks for it."""

    call_id: str | None
    name: str
    arguments: Any


def asked_for(asked: Any, given: dict[str, Any]) -> Asked:
    """Return the call that an executor is given: whole, or in parts."""
    from crewai.utilities.agent_utils import extract_tool_call_info

    if asked is None:
        return Asked(given.get("call_id"), str(given.get("func_name")), given.get("func_args"))
    return Asked(*(extract_tool_call_info(asked) or (of(asked, "id"), "unknown", None)))


def result_of(result: Any) -> Any:
    """Return what came of a call of a tool, as the model is told."""
    said = of(result, "result")
    return result if said is None else said


def is_blocked(result: Any) -> bool:
    """Return whether a hook did not let a tool be called."""
    return str(result_of(result)).startswith(_BLOCKED)


def tool_outcome(name: str, outcome: Outcome, event: Any) -> Outcome:
    """Return how a call of a tool ended: its failures are results, of which only events say what they are."""
    said = str(result_of(outcome.result))
    if outcome.error is not None or outcome.cancelled:
        return outcome
    if (error := getattr(event, "error", None)) is not None:
        return Outcome.failed(error if isinstance(error, BaseException) else str(error))
    if (failure := getattr(event, "failure", None)) is not None:
        reason = str(getattr(failure.reason, "value", failure.reason))
        return Outcome.skipped(failure.message) if reason in _SKIPPED else Outcome.failed(failure.message, reason)
    if is_blocked(outcome.result) or said.startswith(f"Tool '{name}' has reached its usage limit"):
        return Outcome.skipped(said)
    return Outcome.failed(said) if said == _NO_TOOL else outcome


def is_rejected(error: Any) -> bool:
    """Return whether a tool was not called because its arguments do not fit."""
    return isinstance(error, ValueError) and "rguments validation failed" in str(error)


# Models ----------------------------------------------------------------------------------------------------------------


def provider_of(model: Any) -> str | None:
    """Return who is asked."""
    if getattr(model, "is_litellm", False) and "/" in model.model:
        own = model.model.partition("/")[0]
    else:
        own = str(getattr(model, "provider", None) or "")
    if own == "openai":
        address = getattr(model, "base_url", None) or getattr(model, "api_base", None)
        return provider_at(address or os.environ.get("OPENAI_BASE_URL"), own)
    return _PROVIDERS.get(own, own) or None


def messages_of(messages: Any) -> list[Any]:
    """Return what a model is given, without what the runtime keeps in it for itself."""
    if not isinstance(messages, list):
        return [{"role": "user", "content": messages}]
    return [{key: m[key] for key in _KEPT if m.get(key) is not None} if isinstance(m, dict) else m for m in messages]


def message_of(response: Any, functions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a model answered: text, calls of tools, or what it called by itself."""
    if functions:
        return {"role": "assistant", "content": None, "tool_calls": functions}
    if isinstance(response, list) and response and all(_is_call(one) for one in response):
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [call_as_kept(asked_for(one, {})) for one in response],
        }
    return {"role": "assistant", "content": response}


def call_as_kept(asked: Asked) -> dict[str, Any]:
    """Return a call of a tool as messages have it."""
    return {"id": asked.call_id, "function": {"name": asked.name, "arguments": asked.arguments}}


def _is_call(one: Any) -> bool:
    return any(of(one, name) is not None for name in ("function", "function_call", "input", "toolUseId", "arguments"))


def usage_of(used: Any) -> Usage | None:
    """Return the tokens that a model says it used, by whatever names."""
    if not isinstance(used, dict) or not any(isinstance(n, int) and n for n in used.values()):
        return None
    if "inputTokens" in used:
        return bedrock_usage(used)
    return openai_usage({_COUNTS.get(name, name): count for name, count in used.items()})
