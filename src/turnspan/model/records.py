"""The stored records: sessions, turns, tool calls and handoffs.

Fields, defaults, ``to_dict`` and ``from_dict`` are those of Calute's and Xerxes' ``session.models``, so that code
written against them runs with only its import line changed, and either side loads what the other wrote. What these
records have no field for lives in their ``metadata["turnspan"]``. Keys that we do not know survive a round trip.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NewType, Self

from turnspan.errors import InvalidIdError
from turnspan.model.json_values import arguments_of, plain

SessionId = NewType("SessionId", str)
WorkspaceId = NewType("WorkspaceId", str)

OURS = "turnspan"
"""The key of ``metadata`` under which everything lives that a record has no field for."""
RUNNING = "running"
"""The status of what has started and not ended: of a live process's turn, never of a recovered one."""
MAX_ID_LENGTH = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Record:
    """What the four records share: dicts in and out, without losing what newer versions wrote."""

    _required: ClassVar[tuple[str, ...]] = ()
    _shown: ClassVar[tuple[str, ...]] = ()
    _unknown: dict[str, Any] = {}  # noqa: RUF012  replaced, never changed

    def __repr__(self) -> str:
        """Show ids and status, never content: it may be printed by accident."""
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{type(self).__name__}({shown}, ...)"

    def to_dict(self) -> dict[str, Any]:
        """Return a deep copy as JSON-compatible values."""
        return {**self.fields(), **copy.deepcopy(self._unknown)}

    def fields(self) -> dict[str, Any]:
        """Return the fields alone, as JSON-compatible values."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make a record of a dict that this or another version wrote; missing and null fields get their defaults.

        Raises:
            KeyError: When a required key is missing.

        """
        for key in cls._required:
            data[key]
        known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        given = {key: copy.deepcopy(data[key]) for key in known if data.get(key) is not None}
        record = cls(**{**dict.fromkeys(cls._required), **given})
        record._parse_nested()
        return record.with_unknown_keys({key: copy.deepcopy(value) for key, value in data.items() if key not in known})

    def unknown(self) -> dict[str, Any] | None:
        """Return the keys that this version has no field for."""
        return copy.deepcopy(self._unknown) or None

    def with_unknown_keys(self, unknown: dict[str, Any] | None) -> Self:
        """Keep keys that this version has no field for, and return the record."""
        if unknown:
            self._unknown = unknown
        return self

    def _parse_nested(self) -> None:
        """Turn the dicts inside into records."""


def _plain(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], _Record):
        return [item.to_dict() for item in value]
    return plain(value)


@dataclass(repr=False)
class ToolCallRecord(_Record):
    """One call of a tool within a turn. ``status``: success, error, timeout, skipped (or cancelled)."""

    call_id: str
    tool_name: str
    arguments: dict[str, Any]
    result: Any = None
    status: str = "success"
    error: str | None = None
    duration_ms: float | None = None
    sandbox_context: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    _shown: ClassVar[tuple[str, ...]] = ("call_id", "tool_name", "status")
    _required: ClassVar[tuple[str, ...]] = ("call_id", "tool_name")

    def _parse_nested(self) -> None:
        self.arguments = arguments_of(self.arguments)


@dataclass(repr=False)
class TurnRecord(_Record):
    """One prompt until its final answer. ``status``: success, error, cancelled (or running, while it does)."""

    turn_id: str
    agent_id: str | None = None
    prompt: str = ""
    response_content: str | None = None
    tool_calls: list[ToolCallRecord] = field(default_factory=list)
    started_at: str = ""
    ended_at: str | None = None
    status: str = "success"
    error: str | None = None
    audit_event_ids: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    _shown: ClassVar[tuple[str, ...]] = ("turn_id", "agent_id", "status")
    _required: ClassVar[tuple[str, ...]] = ("turn_id",)

    def _parse_nested(self) -> None:
        self.tool_calls = [ToolCallRecord.from_dict(call) for call in self.tool_calls]  # type: ignore[arg-type]


@dataclass(repr=False)
class AgentTransitionRecord(_Record):
    """A handoff: the conversation went from one agent to another."""

    from_agent: str | None
    to_agent: str
    reason: str | None = None
    turn_id: str = ""
    timestamp: str = ""

    _shown: ClassVar[tuple[str, ...]] = ("from_agent", "to_agent", "turn_id")
    _required: ClassVar[tuple[str, ...]] = ("to_agent",)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make a transition of a dict; a missing ``from_agent`` is none."""
        return super().from_dict({"from_agent": None, **data})


@dataclass(repr=False)
class SessionRecord(_Record):
    """A conversation with its turns and handoffs."""

    session_id: str
    workspace_id: str | None = None
    created_at: str = ""
    updated_at: str = ""
    agent_id: str | None = None
    turns: list[TurnRecord] = field(default_factory=list)
    agent_transitions: list[AgentTransitionRecord] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    _shown: ClassVar[tuple[str, ...]] = ("session_id", "workspace_id", "agent_id")
    _required: ClassVar[tuple[str, ...]] = ("session_id",)

    @property
    def parent_session_id(self) -> str | None:
        """The session that this one came out of: a fork's source, a sub-agent's caller; None for one of its own."""
        return self._above("parent_session_id")

    @property
    def root_session_id(self) -> str | None:
        """The session that all of them came out of; None where that is not known."""
        return self._above("root_session_id")

    def _above(self, name: str) -> str | None:
        found = turnspan_metadata(self.metadata).get(name) or (self.unknown() or {}).get(name)
        return found if isinstance(found, str) else None  # newer versions of Xerxes have it as a key of its own

    def _parse_nested(self) -> None:
        self.turns = [TurnRecord.from_dict(turn) for turn in self.turns]  # type: ignore[arg-type]
        self.agent_transitions = [AgentTransitionRecord.from_dict(t) for t in self.agent_transitions]  # type: ignore[arg-type]


def turnspan_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return what turnspan keeps in a record's metadata."""
    found = metadata.get(OURS)
    return found if isinstance(found, dict) else {}


def check_id(kind: str, value: object) -> str:
    """Return an id that every store can keep.

    Raises:
        InvalidIdError: When it is no text, empty, longer than 200 characters, or has control characters (NUL, line
            breaks) or lone surrogates in it.

    """
    if not isinstance(value, str):
        raise InvalidIdError(f"A {kind} id must be text, not {type(value).__name__}: {value!r:.80}")
    if not value:
        raise InvalidIdError(f"A {kind} id must not be empty; leave it out to get a new one")
    if len(value) > MAX_ID_LENGTH:
        raise InvalidIdError(
            f"The {kind} id {value[:40]!r}... has {len(value)} characters; at most {MAX_ID_LENGTH} are kept"
        )
    if not value.isprintable():
        raise InvalidIdError(f"The {kind} id {value!r} has characters that cannot be stored; use printable ones")
    return value


_second = (-1, "")  # the last second that was asked for, and how it is written


def iso(at_ns: int) -> str:
    """Return Unix nanoseconds as ISO 8601 in UTC, with microseconds."""
    global _second
    second, rest = divmod(at_ns, 1_000_000_000)
    known, text = _second
    if second != known:
        text = (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
        _second = (second, text)
    return f"{text}.{rest // 1000:06d}+00:00"


def from_iso(text: str | None) -> int | None:
    """Return an ISO 8601 time as Unix nanoseconds; None when there is none or it cannot be read. No zone means UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at.replace(tzinfo=at.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1) * 1000


def now_iso() -> str:
    """Return the present as the records write it."""
    from turnspan.model.ids import now_ns

    return iso(now_ns())
