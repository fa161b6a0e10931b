"""What Agno's messages, outputs and events say, in turnspan's words."""

from __future__ import annotations

from typing import Any

from turnspan.adapter import Outcome
from turnspan.events import Usage

_PROVIDERS = {
    "awsbedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azureaifoundry": "azure.ai.inference",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Providers, as Agno names them in small letters, where OpenTelemetry calls them otherwise."""


class Heard:
    """What a run has said so far: pieces of a stream, or its whole output.

    Args:
        events: What the names of its events and outputs begin with; a team passes on those of its members, too.

    """

    def __init__(self, events: str) -> None:
        self._events = events
        self._pieces: list[str] = []
        self._output: Any = None
        self._status = ""
        self._error: str | None = None
        self._tools: list[Any] = []
        self.metadata: dict[str, Any] = {}

    def take(self, item: Any) -> None:
        """Take an event of a stream, or an output; those of others begin with other words."""
        said = str(getattr(item, "event", None) or type(item).__name__)
        if not said.startswith(self._events):
            return
        if (status := getattr(item, "status", None)) is not None and hasattr(item, "content"):
            self._output, self._status = item.content, str(getattr(status, "value", status)).upper()
            self._tools = [r.tool_execution for r in getattr(item, "requirements", None) or ()] or item_tools(item)
            self._error = str(item.content)
            self.metadata = {"run_id": item.run_id}
            return
        event = said.removeprefix(self._events)
        if event in ("RunContent", "Content") and isinstance(item.content, str):
            self._pieces.append(item.content)
        elif event in ("RunCompleted", "Completed"):
            self._output, self.metadata = getattr(item, "content", None), {"run_id": item.run_id}
        elif event in ("RunError", "Error"):
            self._status, self._error = "ERROR", str(getattr(item, "content", None) or getattr(item, "error", ""))
        elif event in ("RunCancelled", "Cancelled"):
            self._status, self._error = "CANCELLED", getattr(item, "reason", None)
        elif event == "RunPaused":
            self._status, self._tools = "PAUSED", item_tools(item)

    @property
    def answer(self) -> Any:
        """The answer; None of a run that failed or waits."""
        if self._status in ("ERROR", "PAUSED"):
            return None
        return self._output if self._output is not None else "".join(self._pieces) or None

    def waiting(self) -> list[Any]:
        """Return the calls of tools that a paused run waits with."""
        waits = ("requires_confirmation", "requires_user_input", "external_execution_required")
        tools = self._tools if self._status == "PAUSED" else []
        return [
            tool
            for tool in tools
            if any(getattr(tool, name, None) for name in waits)
            and tool.confirmed is None
            and not tool.answered
            and tool.result is None
        ]

    def outcome(self, outcome: Outcome, error: BaseException | None) -> Outcome:
        """Return how a run ended; its error is one of its model's, where that says the same."""
        if outcome.status != "success":
            return outcome
        if self._status == "ERROR":
            same = error is not None and str(error) == self._error
            return Outcome.failed(error if same and error is not None else self._error or "the run failed")
        return Outcome(error=self._error, cancelled=True) if self._status == "CANCELLED" else outcome


def item_tools(item: Any) -> list[Any]:
    """Return the calls of tools that an output or event has."""
    return list(getattr(item, "tools", None) or ())


def provider_of(model: Any) -> str | None:
    """Return the value of ``gen_ai.provider.name`` for a model."""
    name = (model.provider or "").partition(" ")[0].lower()
    return _PROVIDERS.get(name, name) or None


def usage_of(pieces: list[Any]) -> Usage | None:
    """Return the tokens of an answer; in a stream, the last piece that says any has them all."""
    used = next((piece.response_usage for piece in reversed(pieces) if piece.response_usage is not None), None)
    if used is None:
        return None
    return Usage(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cache_read_tokens=used.cache_read_tokens or None,
        cache_write_tokens=used.cache_write_tokens or None,
        reasoning_tokens=used.reasoning_tokens or None,
    )


def prompt_of(given: Any) -> Any:
    """Return what a run is asked: a text, an object, or the last of several messages."""
    if isinstance(given, list) and given and hasattr(given[-1], "role"):
        given = given[-1]
    return getattr(given, "content", given) if hasattr(given, "role") else given


def message_of(message: Any) -> dict[str, Any]:
    """Return a message as chat models have it."""
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        said["tool_calls"] = message.tool_calls
    if message.tool_call_id:
        said["tool_call_id"] = message.tool_call_id
    return said
