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
from turnspan.model.fields import MissingFieldError, as_json, from_json, id_of, list_of, object_of
from turnspan.model.json_values import plain

SessionId = NewType("SessionId", str)
WorkspaceId = NewType("WorkspaceId", str)

Arguments = dict[str, Any]
"""A tool's arguments: one kind of field of its own, because runtimes give them as JSON text, or bare, as well."""

OURS = "turnspan"
"""The key of ``metadata`` under which everything lives that a record has no field for."""
RUNNING = "running"
"""The status of what has started and not ended: of a live process's turn, never of a recovered one."""
FAILED = ("error", "timeout", "cancelled")
"""What a status says when something did not do what it should."""
MAX_ID_LENGTH = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Record:
    """What the four records share: dicts in and out, without losing what newer versions wrote."""

    _required: ClassVar[tuple[str, ...]] = ()
    _nested: ClassVar[dict[str, type[_Record]]] = {}
    _shown: ClassVar[tuple[str, ...]] = ()
    _unknown: dict[str, Any] = {}  # noqa: RUF012  replaced, never changed

    def __repr__(self) -> str:
        """Show ids and status, never content: it may be printed by accident."""
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{type(self).__name__}({shown}, ...)"

    def to_dict(self) -> dict[str, Any]:
        """Return a deep copy as JSON-compatible values."""
        return {**self.fields(), **(plain(self._unknown) if self._unknown else {})}

    def fields(self) -> dict[str, Any]:
        """Return the fields alone, as JSON-compatible values that :meth:`from_dict` takes."""
        found: dict[str, Any] = {}
        for f in _fields_of(type(self)):
            value = getattr(self, f.name)
            if f.name in self._nested:
                found[f.name] = [item.to_dict() for item in value or ()]
            else:
                found[f.name] = as_json(f.type, _default(f) if value is None else value)
        return found

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make a record of a dict that this or another version wrote; missing and null fields get their defaults.

        Raises:
            KeyError: When a required key is missing.
            UnreadableSessionError: When the data cannot be such a record; it says where.

        """
        return cls._read(data, "")

    @classmethod
    def _read(cls, data: Any, where: str) -> Self:
        """Make a record of what stands at a place in a larger one."""
        data = object_of(data, where or f"This {cls.__name__}")
        for key in cls._required:
            if key not in data:
                raise MissingFieldError(f"{where or f'This {cls.__name__}'} has no {key!r}")
        found: dict[str, Any] = {}
        for f in _fields_of(cls):
            value, place = data.get(f.name), f"{where}.{f.name}" if where else f.name
            if f.name in cls._required:
                found[f.name] = id_of(value, place)
            elif (nested := cls._nested.get(f.name)) is not None:
                found[f.name] = [
                    nested._read(item, f"{place}[{n}]")  # noqa: SLF001  one of our own kind
                    for n, item in enumerate(list_of(value, place))
                ]
            else:
                found[f.name] = _default(f) if value is None else from_json(f.type, value, place)
        unknown = {key: value for key, value in data.items() if key not in found}
        return cls(**found).with_unknown_keys(plain(unknown) if unknown else None)

    def unknown(self) -> dict[str, Any] | None:
        """Return the keys that this version has no field for."""
        return copy.deepcopy(self._unknown) or None

    def with_unknown_keys(self, unknown: dict[str, Any] | None) -> Self:
        """Keep keys that this version has no field for, and return the record."""
        if unknown:
            self._unknown = unknown
        return self


def _fields_of(cls: type[_Record]) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)  # type: ignore[arg-type]  # all subclasses are dataclasses


def _default(field_: dataclasses.Field[Any]) -> Any:
    """Return what a field is when it is missing or null."""
    if field_.default_factory is not dataclasses.MISSING:
        return field_.default_factory()
    if field_.default is not dataclasses.MISSING:
        return field_.default
    return {} if field_.type == "Arguments" else None if field_.type == "str | None" else ""


@dataclass(repr=False)
class ToolCallRecord(_Record):
    """One call of a tool within a turn. ``status``: success, error, timeout, skipped (or cancelled)."""

    call_id: str
    tool_name: str
    arguments: Arguments
    result: Any = None
    status: str = "success"
    error: str | None = None
    duration_ms: float | None = None
    sandbox_context: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    _shown: ClassVar[tuple[str, ...]] = ("call_id", "tool_name", "status")
    _required: ClassVar[tuple[str, ...]] = ("call_id", "tool_name")


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
    _nested: ClassVar[dict[str, type[_Record]]] = {"tool_calls": ToolCallRecord}

    @property
    def tokens(self) -> int:
        """The tokens that went into models and came out of them, as far as these said so."""
        calls = turnspan_metadata(self.metadata).get("model_calls")
        used = [call.get("usage") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
        counts = [one.get(name) for one in used if isinstance(one, dict) for name in ("input_tokens", "output_tokens")]
        return sum(count for count in counts if isinstance(count, int))

    def __str__(self) -> str:
        """Return what happened in the turn as a tree of lines: names, times and outcomes, never content."""
        from turnspan.model.display import turn_as_text

        return turn_as_text(self)

    def _repr_html_(self) -> str:
        """Show the turn in a notebook, as a table with content."""
        from turnspan.model.display import turn_as_html

        return turn_as_html(self)


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
    _nested: ClassVar[dict[str, type[_Record]]] = {"turns": TurnRecord, "agent_transitions": AgentTransitionRecord}

    def __str__(self) -> str:
        """Return what happened in the session as a tree of lines: names, times and outcomes, never content."""
        from turnspan.model.display import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        """Show the session in a notebook, as a table with content."""
        from turnspan.model.display import as_html

        return as_html(self)

    @property
    def parent_session_id(self) -> str | None:
        """The parent session: a fork's source, a sub-agent's caller; None for one of its own."""
        return self._above("parent_session_id")

    @property
    def root_session_id(self) -> str | None:
        """The first of its ancestors; None where that is not known."""
        return self._above("root_session_id")

    def _above(self, name: str) -> str | None:
        found = turnspan_metadata(self.metadata).get(name) or (self.unknown() or {}).get(name)
        return found if isinstance(found, str) else None  # newer versions of Xerxes have it as a key of its own


def turnspan_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return what turnspan keeps in a record's metadata."""
    found = metadata.get(OURS)
    return found if isinstance(found, dict) else {}


def check_id(kind: str, value: object) -> str:
    """Return an id that every store can keep.

    Raises:
        InvalidIdError: When it is not text, empty, longer than 200 characters, or has control characters (NUL, line
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
