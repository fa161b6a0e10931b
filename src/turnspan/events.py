"""The vocabulary: one frozen event for each thing that an agent does.

Adapters translate what a runtime says into these and into nothing else. Every event names its session and turn
explicitly, because context variables get lost in threads and task groups. The id of an event is made once, here,
and is then found unchanged in the stored record, on the span and in the log line.

Fields may arrive late: what is not known when something starts is given with the event that ends it.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal, get_args

import msgspec

from turnspan.model.ids import new_id, now_ns

__all__ = [
    "CONTENT",
    "KINDS",
    "KIND_OF",
    "TEXTS",
    "AgentEnded",
    "AgentStarted",
    "AnyEvent",
    "CallStatus",
    "Ended",
    "Event",
    "HandedOff",
    "ModelCallEnded",
    "ModelCallStarted",
    "Noted",
    "Part",
    "SessionEnded",
    "SessionSource",
    "SessionStarted",
    "Started",
    "ToolCallEnded",
    "ToolCallStarted",
    "TurnEnded",
    "TurnStarted",
    "TurnStatus",
    "Usage",
    "call_id_of",
    "end_of",
    "usage_in",
    "without_content",
]

TurnStatus = Literal["success", "error", "cancelled"]
CallStatus = Literal["success", "error", "timeout", "skipped", "cancelled"]
SessionSource = Literal["explicit", "runtime", "baggage", "environment", "new"]
"""Where a session id came from: ``turnspan.session(...)``, the runtime's own, a caller's baggage, or nowhere."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of a model call as its provider bills them; None is not known, never zero.

    ``input_tokens`` are all that the model was given, and ``output_tokens`` all that it made; every other count is a part
    of one of the two, and none is to be added to them. Providers count otherwise, and adapters translate: ``docs/usage.md``
    says how, by provider.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    """Of the input: what a cache had."""
    cache_write_tokens: int | None = None
    """Of the input: what was put into a cache, for however long."""
    reasoning_tokens: int | None = None
    """Of the output: what the model thought."""
    cache_write_1h_tokens: int | None = None
    """Of what was put into a cache: what is kept there for an hour, which costs more."""
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    cost_usd: float | None = None
    """What the provider says that it charged; few do."""
    service_tier: str | None = None
    """In what tier the provider served it, where that is not its standard one: ``batch``, ``flex``, ``priority``."""


_USAGE_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(Usage.__struct_fields__, (int,)),
    "cost_usd": (float, int),
    "service_tier": (str,),
}


def usage_in(given: Any) -> dict[str, Any]:
    """Return what a mapping, which another program may have written, says of :class:`Usage`; other counts as well."""
    if not isinstance(given, dict):
        return {}
    known = {str(name): (value, _USAGE_TYPES.get(str(name), (int,))) for name, value in given.items()}
    return {name: value for name, (value, types) in known.items() if isinstance(value, types)}


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", gc=False):
    """One thing that happened.

    ``parent_id`` is the ``call_id`` of the tool call or agent invocation that this happened in; None means the turn
    itself. ``agent_id`` is the agent that did it. The recorder sets ``borrowed`` where the span is one that somebody else
    started: ``stamped`` with the ids of this event and of its end, or only ``read``, because it had ended; ``received``
    where another program sent it: its end stands in the same write of the journal.
    """

    session_id: str
    turn_id: str | None = None
    call_id: str | None = None
    parent_id: str | None = None
    agent_id: str | None = None
    borrowed: Literal["stamped", "read", "received"] | None = None
    event_id: str = msgspec.field(default_factory=new_id)
    at_ns: int = msgspec.field(default_factory=now_ns)

    def __repr__(self) -> str:
        """Show ids, never content: it may be printed by accident."""
        return _shown(self)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same to rich."""
        return [(name, value) for name in _IDS if (value := getattr(self, name)) is not None]


_IDS = ("event_id", "session_id", "turn_id", "call_id", "agent_id")


def _shown(event: Event) -> str:
    ids = ", ".join(f"{name}={value!r}" for name in _IDS if (value := getattr(event, name)) is not None)
    return f"{type(event).__name__}({ids}, ...)"


class SessionStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="session.started"):
    """A conversation began, or this process met one that began elsewhere."""

    workspace_id: str | None = None
    source: SessionSource = "explicit"
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class SessionEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="session.ended"):
    """A conversation was closed by the application."""


class TurnStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="turn.started"):
    """A prompt came in. ``agent_id`` names the agent that takes it.

    The recorder adds what its span cannot be made again without: ``follows``, the turn before that it links to
    (``trace id-span id``), and the process's OpenTelemetry ``resource``, with its first turn of each session.
    """

    prompt: Any = ""
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    follows: str | None = None
    resource: dict[str, Any] | None = None


class TurnEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="turn.ended"):
    """The final answer was given, or will never be.

    ``record`` is the whole turn as an application recorded it by itself; it then wins over what was observed.
    """

    prompt: Any = None
    response_content: Any = None
    status: TurnStatus = "success"
    error: str | None = None
    error_type: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    record: dict[str, Any] | None = None


class AgentStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="agent.started"):
    """An agent was invoked inside a turn: a sub-agent, an agent used as a tool, the target of a handoff."""

    description: str | None = None


class AgentEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="agent.ended"):
    """An agent inside a turn has finished."""

    response_content: Any = None
    status: TurnStatus = "success"
    error: str | None = None
    error_type: str | None = None


class ModelCallStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="model_call.started"):
    """A model was asked. ``provider`` is a value of ``gen_ai.provider.name``.

    ``messages`` are those that are new in this call; ``history`` says how many it was given before them. A conversation
    is kept once, not again with every call. ``operation`` says what it was asked for where that is no answer:
    ``embeddings``; ``fetch_response``, an answer that was given before, and whose tokens are those of then.
    """

    provider: str | None = None
    model: str | None = None
    messages: Any = None
    history: int = 0
    streamed: bool = False
    operation: str | None = None


class ModelCallEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="model_call.ended"):
    """A model has answered. ``first_chunk_ns``: nanoseconds until a stream's first chunk."""

    provider: str | None = None
    model: str | None = None
    messages: Any = None
    response_model: str | None = None
    response_id: str | None = None
    output: Any = None
    usage: Usage | None = None
    finish_reasons: list[str] = msgspec.field(default_factory=list)
    first_chunk_ns: int | None = None
    status: CallStatus = "success"
    error: str | None = None
    error_type: str | None = None


class ToolCallStarted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="tool_call.started"):
    """A tool was called, or whatever else an agent uses: ``tool_type`` says what.

    ``function``, ``extension`` (it runs at the provider or a server), ``datastore``; ``retrieval``, ``reranker``,
    ``memory``, ``plan``, ``guardrail``, ``evaluator``.
    """

    tool_name: str
    tool_type: str = "function"
    arguments: Any = None


class ToolCallEnded(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="tool_call.ended"):
    """A tool has returned, failed, timed out, or was skipped."""

    arguments: Any = None
    result: Any = None
    status: CallStatus = "success"
    error: str | None = None
    error_type: str | None = None
    sandbox_context: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class HandedOff(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="handed_off"):
    """One agent gave the conversation to another."""

    from_agent: str | None = None
    to_agent: str
    reason: str | None = None


class Noted(Event, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag="noted"):
    """Anything else that deserves an audit event: feedback, an evaluation, a guardrail, an approval."""

    name: str
    data: Any = None


# Which ends which ----------------------------------------------------------------------------------------------------

Started = TurnStarted | AgentStarted | ModelCallStarted | ToolCallStarted
Ended = TurnEnded | AgentEnded | ModelCallEnded | ToolCallEnded
CallStarted = AgentStarted | ModelCallStarted | ToolCallStarted
CallEnded = AgentEnded | ModelCallEnded | ToolCallEnded

END_OF: dict[type[Started], type[Ended]] = {
    TurnStarted: TurnEnded,
    AgentStarted: AgentEnded,
    ModelCallStarted: ModelCallEnded,
    ToolCallStarted: ToolCallEnded,
}
"""Which event ends which: the one table that spans, log lines, ledger, rehydration and verification go by."""
STARTS = tuple(END_OF)
ENDS = tuple(END_OF.values())
CALL_STARTS = STARTS[1:]
CALL_ENDS = ENDS[1:]


def call_id_of(started: Event) -> str:
    """Return what a call is called by the event that ends it, and by those that happen inside of it."""
    return started.call_id or started.event_id


def end_of(started: Started, at_ns: int, error: str, *, status: TurnStatus = "cancelled", **fields: Any) -> Ended:
    """Return the end of something that nothing else will end: its process died, its turn is over.

    Args:
        started: What is to be ended.
        at_ns: When.
        error: Why.
        status: How it ended.
        fields: Other fields of the event.

    """
    call_id = None if isinstance(started, TurnStarted) else call_id_of(started)
    return END_OF[type(started)](
        session_id=started.session_id,
        turn_id=started.turn_id,
        call_id=call_id,
        agent_id=started.agent_id,
        at_ns=at_ns,
        status=status,
        error=error,
        **fields,
    )


AnyEvent = SessionStarted | SessionEnded | Started | Ended | HandedOff | Noted
KINDS: dict[str, type[Event]] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyEvent)}
"""Every kind of event by the name it has in journal, log and store."""
KIND_OF: dict[type[Event], str] = {cls: kind for kind, cls in KINDS.items()}


class Part(Enum):
    """What a field is, and what that means for it."""

    IDENTITY = "identity"
    """Ids, times and where a span is: what record, span and log line are tied together by. Never changed."""
    FACT = "fact"
    """Status, counts, kinds: chosen from a few words, or numbers. Always kept."""
    NAME = "name"
    """Names of agents, tools, models and notes, as the program gave them. Always kept, without secrets."""
    CONTENT = "content"
    """What a user, model, agent or tool said: any value."""
    TEXT = "text"
    """Text that may quote it."""
    METADATA = "metadata"
    """What the application attached; what turnspan itself put there is fact and is kept."""
    RECORD = "record"
    """A turn that the application recorded by itself, through its own manager: its own, and as it wanted it."""


FIELDS: dict[str, Part] = {
    **dict.fromkeys(("session_id", "turn_id", "call_id", "parent_id", "event_id", "at_ns"), Part.IDENTITY),
    **dict.fromkeys(("workspace_id", "follows", "resource"), Part.IDENTITY),
    **dict.fromkeys(("borrowed", "source", "status", "error_type", "streamed", "history", "usage"), Part.FACT),
    **dict.fromkeys(("finish_reasons", "first_chunk_ns", "response_id", "tool_type", "operation"), Part.FACT),
    **dict.fromkeys(("agent_id", "from_agent", "to_agent", "tool_name", "name"), Part.NAME),
    **dict.fromkeys(("provider", "model", "response_model"), Part.NAME),
    **dict.fromkeys(("prompt", "response_content", "messages", "output", "arguments", "result", "data"), Part.CONTENT),
    **dict.fromkeys(("error", "reason", "description", "sandbox_context"), Part.TEXT),
    "metadata": Part.METADATA,
    "record": Part.RECORD,
}
"""Every field that events have. A field of the same name is the same thing on every event."""


def _fields_of(part: Part) -> tuple[str, ...]:
    return tuple(name for name, what in FIELDS.items() if what is part)


CONTENT = _fields_of(Part.CONTENT)
"""Fields with what agents, tools and models said."""
TEXTS = _fields_of(Part.TEXT)
"""Fields that may quote it."""


def without_content(event: Event) -> Event:
    """Return the event without what agents, tools and models said; ids, names, status and times stay.

    A turn that the application recorded by itself (``TurnEnded.record``) is its own and stays.
    """
    said = {name: "" if name == "prompt" else None for name in CONTENT if getattr(event, name, None)}
    return msgspec.structs.replace(event, **said) if said else event
