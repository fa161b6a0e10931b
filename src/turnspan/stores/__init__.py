"""Where records are kept: stores, and all that the author of a store imports.

A store has the four methods of :class:`SessionStore`. What it may be able to do beyond them are the capabilities, each a
protocol that says what happens without it: :class:`Appends`, :class:`Audited`, :class:`Peeks`, :class:`Pages`,
:class:`ByUse`, :class:`Finds`, :class:`Vacuums`, :class:`Closes`, :class:`Forks`, :class:`Reopens`,
:class:`Located`.
:mod:`turnspan.testing` has the suites that prove a store. An entry point in the group ``turnspan.stores``, named like a
URL's scheme, is called with the URL and returns the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turnspan.stores.base import (
    Appends,
    Audited,
    AuditFilter,
    ByUse,
    Closes,
    Finds,
    Forks,
    Found,
    Located,
    Pages,
    Peeks,
    Reopens,
    SessionFilter,
    SessionStore,
    SessionSummary,
    Vacuums,
    has_session,
    url_of,
)
from turnspan.stores.blocking import AsyncSessionStore, BlockingStore
from turnspan.stores.file import FileSessionStore
from turnspan.stores.memory import InMemorySessionStore
from turnspan.stores.merging import apply, merge
from turnspan.stores.opening import open_store
from turnspan.stores.rows import (
    AuditRow,
    Changes,
    ModelCallRow,
    Removed,
    SessionRow,
    ToolCallRow,
    TransitionRow,
    TurnRow,
    removal,
)

if TYPE_CHECKING:
    from turnspan.stores.redis import RedisSessionStore
    from turnspan.stores.sql import SqlSessionStore

__all__ = [
    "Appends",
    "AsyncSessionStore",
    "AuditFilter",
    "AuditRow",
    "Audited",
    "BlockingStore",
    "ByUse",
    "Changes",
    "Closes",
    "FileSessionStore",
    "Finds",
    "Forks",
    "Found",
    "InMemorySessionStore",
    "Located",
    "ModelCallRow",
    "Pages",
    "Peeks",
    "RedisSessionStore",
    "Removed",
    "Reopens",
    "SessionFilter",
    "SessionRow",
    "SessionStore",
    "SessionSummary",
    "SqlSessionStore",
    "ToolCallRow",
    "TransitionRow",
    "TurnRow",
    "Vacuums",
    "apply",
    "has_session",
    "merge",
    "open_store",
    "removal",
    "url_of",
]


def __getattr__(name: str) -> Any:
    if name == "SqlSessionStore":  # SQLAlchemy takes 0.4 s to import: only for those who use it
        from turnspan.stores.sql import SqlSessionStore

        return SqlSessionStore
    if name == "RedisSessionStore":
        from turnspan.stores.redis import RedisSessionStore

        return RedisSessionStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
