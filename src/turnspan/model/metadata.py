"""``metadata["turnspan"]``: the public stored format of everything that a record has no field for.

Sessions, turns and tool calls each have such an object. Every key may be missing, and keys that are not here may be there:
a newer version's, or another program's. What a key means never changes under the same :data:`SCHEMA_VERSION`; new keys
may come. Times are ISO 8601 in UTC, ids those of the audit events, traces and spans.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict, cast

from turnspan.model.records import OURS, SessionRecord, ToolCallRecord, TurnRecord, turnspan_metadata

SCHEMA_VERSION = 1
"""Stands as ``schema_version`` in a session that began under it; one without is of version 1."""


class SessionMetadata(TypedDict, total=False):
    """Of a session."""

    schema_version: int
    """The version of this format that the session began under."""
    session_id_from: Literal["explicit", "runtime", "baggage", "environment", "new"]
    """Where the session's id came from."""
    session_id_given: str
    """The id that was given, as JSON, where it could not be kept as it was."""
    parent_session_id: str
    """The session that this one goes on from: a fork's source, a sub-agent's caller."""
    root_session_id: str | None
    """The session that all of them go back to."""
    seals: dict[str, dict[str, Any]]
    """By journal: how much it has of the session, and the hash of the last of it (``turnspan verify`` reads them)."""
    imported: str
    """The format that the session was imported from."""


class CallMetadata(TypedDict, total=False):
    """What every call and agent has: where it stands in turn, trace and log."""

    started_at: str
    """When it started."""
    trace_id: str | None
    """The trace that its span is in, 32 hex digits."""
    span_id: str | None
    """Its span, 16 hex digits."""
    parent_id: str
    """The call id of what it happened in; missing where that is the turn itself."""
    audit_event_ids: list[str]
    """The events that started and ended it."""
    agent_id: str | None
    """The agent that made it."""
    error_type: str
    """The class of the exception that ended it, as OpenTelemetry's ``error.type``."""


class ToolCallMetadata(CallMetadata, total=False):
    """Of a tool call."""

    source_ids: list[str]
    """What else its sources call it."""
    type: str
    """The kind of tool, where it is not a function: ``extension``, ``datastore``, a provider's own; or what else an agent
    used: ``retrieval``, ``reranker``, ``memory``, ``plan``, ``guardrail``, ``evaluator``."""


class ModelCallMetadata(CallMetadata, total=False):
    """Of a model call: an item of a turn's ``model_calls``."""

    request_id: str
    """The provider's id of the request, where it has one of its own."""
    source_ids: list[str]
    """What else its sources call it."""

    call_id: str
    """The id of the call."""
    provider: str | None
    """A value of ``gen_ai.provider.name``."""
    model: str | None
    """The model that was asked."""
    operation: str
    """What it was asked for where that is no answer: ``embeddings``, ``fetch_response``."""
    response_model: str
    """The model that answered."""
    response_id: str
    """The provider's id of the answer."""
    status: str
    """``success``, ``error``, ``timeout``, ``cancelled``, or ``running``."""
    error: str
    """Why it failed."""
    duration_ms: float
    """How long it took."""
    first_chunk_ms: float
    """How long a stream's first chunk took."""
    messages: Any
    """The messages that are new in this call."""
    history: int
    """How many messages it was given before those."""
    output: Any
    """What the model answered."""
    finish_reasons: list[str]
    """Why it stopped."""
    usage: dict[str, int | float | str]
    """Tokens: ``input_tokens output_tokens``, and of these ``cache_read_tokens cache_write_tokens cache_write_1h_tokens
    reasoning_tokens audio_input_tokens audio_output_tokens image_input_tokens image_output_tokens``; ``cost_usd`` and
    ``service_tier`` as far as the provider says them."""


class AgentMetadata(CallMetadata, total=False):
    """Of an agent that ran inside a turn: an item of its ``agents``."""

    call_id: str
    """The id of its run."""
    description: str
    """What it is for."""
    status: str
    """``success``, ``error``, ``cancelled``, or ``running``."""
    error: str
    """Why it failed."""
    duration_ms: float
    """How long it took."""
    response_content: str
    """What it answered."""


class NoteMetadata(TypedDict, total=False):
    """Of a note: an item of a turn's ``notes``."""

    name: str
    """What kind of note it is: ``approval.asked``, ``guardrail``, ``feedback``, a program's own."""
    data: Any
    """What it says."""
    at: str
    """When it was made."""
    audit_event_id: str
    """Its event."""


class TurnMetadata(TypedDict, total=False):
    """Of a turn."""

    trace_id: str | None
    """The trace that the turn is, or is in."""
    span_id: str | None
    """The turn's span."""
    error_type: str
    """The class of the exception that ended it."""
    interrupted: str
    """Why nobody ended it: its process ended or died, or it was started again."""
    model_calls: list[ModelCallMetadata]
    """The calls of models, in order of their starts."""
    agents: list[AgentMetadata]
    """The agents that ran inside of it."""
    notes: list[NoteMetadata]
    """The notes that were made in it."""
    imported: str
    """The format that the turn was imported from."""
    source_ids: list[str]
    """What else its sources call it: a prompt's id, a message's."""


Kind = Literal["session", "turn", "tool call", "model call", "agent", "note"]
SCHEMA: dict[Kind, Any] = {
    "session": SessionMetadata,
    "turn": TurnMetadata,
    "tool call": ToolCallMetadata,
    "model call": ModelCallMetadata,
    "agent": AgentMetadata,
    "note": NoteMetadata,
}
"""The objects of the format, by what they are of."""


def with_schema_version(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a session that begins under the present version."""
    return {**metadata, OURS: {"schema_version": SCHEMA_VERSION, **turnspan_metadata(metadata)}}


def metadata_of_session(session: SessionRecord) -> SessionMetadata:
    """Return what turnspan keeps with a session."""
    return cast("SessionMetadata", turnspan_metadata(session.metadata))


def metadata_of_turn(turn: TurnRecord) -> TurnMetadata:
    """Return what turnspan keeps with a turn."""
    return cast("TurnMetadata", turnspan_metadata(turn.metadata))


def metadata_of_tool_call(call: ToolCallRecord) -> ToolCallMetadata:
    """Return what turnspan keeps with a tool call."""
    return cast("ToolCallMetadata", turnspan_metadata(call.metadata))
