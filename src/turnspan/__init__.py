"""See what AI agents did, and prove it: sessions, spans and logs, tied together by audit event ids."""

from typing import Any

__version__ = "0.1.0"

from turnspan.api import (
    agent,
    current_session,
    current_turn,
    environment,
    handoff,
    model_call,
    note,
    session,
    tool,
    turn,
)
from turnspan.errors import (
    InvalidIdError,
    MissingExtraError,
    SessionNotFoundError,
    SettingsError,
    StoreError,
    StoreUnavailableError,
    TurnspanError,
    UnreadableSessionError,
)
from turnspan.events import Usage
from turnspan.logs import TurnFilter, add_turn
from turnspan.manager import SessionManager
from turnspan.observed import observe
from turnspan.process import configure, flush, shutdown
from turnspan.records import (
    AgentTransitionRecord,
    SessionId,
    SessionRecord,
    ToolCallRecord,
    TurnRecord,
    WorkspaceId,
)
from turnspan.settings import Settings
from turnspan.stores import FileSessionStore, InMemorySessionStore, SessionStore, open_store

__all__ = [
    "AgentTransitionRecord",
    "FileSessionStore",
    "InMemorySessionStore",
    "InvalidIdError",
    "MissingExtraError",
    "SessionId",
    "SessionManager",
    "SessionNotFoundError",
    "SessionRecord",
    "SessionStore",
    "Settings",
    "SettingsError",
    "SqlSessionStore",
    "StoreError",
    "StoreUnavailableError",
    "ToolCallRecord",
    "TurnFilter",
    "TurnRecord",
    "TurnspanError",
    "UnreadableSessionError",
    "Usage",
    "WorkspaceId",
    "add_turn",
    "agent",
    "configure",
    "current_session",
    "current_turn",
    "environment",
    "flush",
    "handoff",
    "instrument",
    "model_call",
    "note",
    "observe",
    "open_store",
    "session",
    "shutdown",
    "tool",
    "turn",
    "uninstrument",
]


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is used: SQLAlchemy, and the machinery of zero-code instrumentation."""
    if name == "SqlSessionStore":
        from turnspan.stores.sql import SqlSessionStore

        return SqlSessionStore
    if name in ("instrument", "uninstrument"):
        from turnspan import autoinstrument

        return getattr(autoinstrument, name)
    raise AttributeError(f"module 'turnspan' has no attribute {name!r}")
