"""What passes between an adapter and turnspan: where code runs, how a call ended, which session it belongs to."""

from __future__ import annotations

from typing import Any, NamedTuple

from turnspan.events import CallStatus, SessionSource


class ResolvedSession(NamedTuple):
    """The session that something belongs to, and where its id came from."""

    id: str
    source: SessionSource


class CurrentContext(NamedTuple):
    """Where code is running: the innermost turn and call that contain it."""

    session_id: str
    turn_id: str | None
    call_id: str | None
    agent_id: str | None


class TurnLink(NamedTuple):
    """What ties a stored turn to its telemetry."""

    audit_event_ids: list[str]
    trace_id: str | None
    span_id: str | None


class Outcome(NamedTuple):
    """How a call ended: its result, the exception that left it, or what the runtime says went wrong.

    ``error`` is a text where the runtime has no exception to show. ``cancelled`` is true for ``CancelledError`` and
    ``GeneratorExit``: a stream that was left early, a task that was cancelled. ``items`` counts what a stream gave.
    ``at_ns`` is set when it is reported later than it happened. ``known_status`` is a status that follows from neither:
    ``timeout``, ``skipped``.
    """

    result: Any = None
    error: BaseException | str | None = None
    cancelled: bool = False
    items: int = 0
    at_ns: int | None = None
    known_status: CallStatus | None = None
    known_error_type: str | None = None

    @classmethod
    def failed(cls, error: BaseException | str, error_type: str | None = None) -> Outcome:
        """Return the outcome of a call that failed, with the exception or the runtime's words."""
        return cls(error=error, known_error_type=error_type)

    @classmethod
    def timed_out(cls, error: BaseException | str) -> Outcome:
        """Return the outcome of a tool call that took too long."""
        kind = error_type(error) if isinstance(error, BaseException) else "TimeoutError"
        return cls(error=error, known_status="timeout", known_error_type=kind)

    @classmethod
    def skipped(cls, reason: str | None) -> Outcome:
        """Return the outcome of a tool call that was asked for and never made: refused, denied, not permitted."""
        return cls(error=reason, known_status="skipped")

    @property
    def status(self) -> CallStatus:
        """The outcome as the status of a call."""
        if self.known_status is not None:
            return self.known_status
        return "cancelled" if self.cancelled else "error" if self.error is not None else "success"

    def ended(self) -> dict[str, Any]:
        """Return the fields of an ended event that every kind has: status, error and its type."""
        fields: dict[str, Any] = {"status": self.status}
        if self.at_ns is not None:
            fields["at_ns"] = self.at_ns
        if isinstance(self.error, BaseException):
            fields |= {"error": error_text(self.error), "error_type": self.known_error_type or error_type(self.error)}
        elif self.error is not None:
            fields["error"] = self.error
            kind = self.known_error_type or ("_OTHER" if self.status == "error" else None)
            fields |= {"error_type": kind} if kind else {}
        return fields


SUCCESS = Outcome()
NOT_OBSERVED = Outcome(error="not observed", known_error_type="not_observed")
"""How a call ends whose real end our own failure kept us from seeing; it says nothing about the program."""


def error_type(error: BaseException) -> str:
    """Return the class of an exception as OpenTelemetry's ``error.type`` wants it: qualified, builtins bare."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def error_text(error: BaseException) -> str:
    """Return the message of an exception; its class when it has none or cannot be printed."""
    try:
        return str(error) or type(error).__name__
    except Exception:
        return type(error).__name__
