"""Tool calls and model calls while they last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from turnspan.adapter.values import NOT_OBSERVED, SUCCESS, Outcome
from turnspan.events import ModelCallEnded, ModelCallStarted, ToolCallEnded, ToolCallStarted, Usage
from turnspan.model.ids import now_ns

if TYPE_CHECKING:
    from turnspan.adapter.runs import Run


class Call:
    """A tool call or model call while it lasts."""

    def __init__(self, run: Run, started: ToolCallStarted | ModelCallStarted) -> None:
        self.run, self.started = run, started
        self.is_open = True

    @property
    def call_id(self) -> str:
        """The id of the call."""
        return str(self.started.call_id)

    def not_observed(self, outcome: Outcome | None = None) -> None:
        """End it because turnspan itself failed to see how it ended, beyond whether the program's call failed."""
        self.end(NOT_OBSERVED if outcome is None or outcome.status == "success" else outcome)

    def end(self, outcome: Outcome, **fields: Any) -> None:
        """End it; the fields are those of the event that says so."""
        raise NotImplementedError

    def _closes(self) -> bool:
        """Return whether this end is the first, and take it as such."""
        was_open, self.is_open = self.is_open, False
        self.run.forget(self)
        return was_open

    def _ids(self) -> dict[str, Any]:
        started = self.started
        return {
            "session_id": started.session_id,
            "turn_id": started.turn_id,
            "call_id": started.call_id,
            "agent_id": started.agent_id,
        }


class ToolCall(Call):
    """A tool call while it lasts."""

    started: ToolCallStarted

    @property
    def name(self) -> str:
        """The name of the tool."""
        return self.started.tool_name

    def ended(
        self,
        outcome: Outcome = SUCCESS,
        result: Any = None,
        *,
        arguments: Any = None,
        metadata: dict[str, Any] | None = None,
        sandbox_context: str | None = None,
    ) -> None:
        """Say how it ended.

        Args:
            outcome: What came of it; a ``TimeoutError`` is a timeout.
            result: What the tool returned; that of the outcome where it is not given.
            arguments: What it was called with, if that was not known at its start.
            metadata: Kept with the call.
            sandbox_context: Where it ran, if that was a sandbox.

        """
        self.end(
            outcome,
            result=outcome.result if result is None else result,
            arguments=arguments,
            metadata=metadata or {},
            sandbox_context=sandbox_context,
        )

    def end(self, outcome: Outcome, **fields: Any) -> None:
        if self._closes():
            if isinstance(outcome.error, TimeoutError) and outcome.known_status is None:
                outcome = outcome._replace(known_status="timeout")
            self.run.emit(ToolCallEnded(**self._ids(), **outcome.ended(), **fields))


class ModelCall(Call):
    """A model call while it lasts."""

    started: ModelCallStarted
    _first_chunk_ns: int | None = None

    def chunk(self) -> None:
        """Take note of a chunk of a stream: the time of the first is on record."""
        if self._first_chunk_ns is None:
            self._first_chunk_ns = max(0, now_ns() - self.started.at_ns)

    def ended(
        self,
        outcome: Outcome = SUCCESS,
        output: Any = None,
        *,
        response_model: str | None = None,
        response_id: str | None = None,
        usage: Usage | None = None,
        finish_reasons: Sequence[str] = (),
        provider: str | None = None,
        model: str | None = None,
        messages: Any = None,
    ) -> None:
        """Say what the model answered, or why it did not.

        Args:
            outcome: What came of the call.
            output: The messages of the answer, as far as it came.
            response_model: The model that answered.
            response_id: The provider's id of the answer.
            usage: The tokens used.
            finish_reasons: Why the model stopped, one for each choice.
            provider: Who was asked, if that was not known at the start.
            model: The model that was asked, if that was not known at the start.
            messages: What it was given, if that was not known at the start.

        """
        self.end(
            outcome,
            output=output,
            response_model=response_model,
            response_id=response_id,
            usage=usage,
            finish_reasons=list(finish_reasons),
            provider=provider,
            model=model,
            messages=messages,
        )

    def end(self, outcome: Outcome, **fields: Any) -> None:
        if self._closes():
            ended = {**self._ids(), **outcome.ended(), "first_chunk_ns": self._first_chunk_ns, **fields}
            self.run.emit(ModelCallEnded(**ended))
