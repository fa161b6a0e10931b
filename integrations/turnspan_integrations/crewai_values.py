"""What CrewAI's runs, tools and events say."""

from __future__ import annotations

from typing import Any

from turnspan.adapter import Call, ModelCall, Outcome, Run
from turnspan_integrations.raw_answers import of

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
