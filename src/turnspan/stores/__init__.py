"""Where records are kept, and how a store is named: by a URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnspan.settings import scheme_of
from turnspan.stores.base import SessionStore
from turnspan.stores.file import FileSessionStore
from turnspan.stores.memory import InMemorySessionStore
from turnspan.stores.merging import apply
from turnspan.stores.rows import Changes

if TYPE_CHECKING:
    from turnspan.stores.sql import SqlSessionStore

__all__ = [
    "Changes",
    "FileSessionStore",
    "InMemorySessionStore",
    "SessionStore",
    "SqlSessionStore",
    "apply",
    "open_store",
]


def open_store(url: str) -> SessionStore:
    """Open the store that a URL names.

    ``sqlite:///relative.db`` and ``sqlite:////absolute.db`` as SQLAlchemy has it, ``postgresql://user@host/database``,
    ``redis://host:port/number``, ``file:///absolute/folder`` as RFC 8089 has it (``file:relative`` is taken too), and
    ``memory:``.

    Raises:
        SettingsError: When the URL names no store that we know.
        StoreUnavailableError: When the store cannot be opened.

    """
    rest = url.partition(":")[2]
    match scheme_of(url):
        case "sqlite" | "postgresql" | "postgres" | "cockroachdb" | "mysql":
            from turnspan.stores.sql import SqlSessionStore

            return SqlSessionStore(url)
        case "redis" | "rediss":
            from turnspan.stores.redis import RedisSessionStore

            return RedisSessionStore(url)
        case "file":
            return FileSessionStore(Path(rest.removeprefix("//")))
    return InMemorySessionStore()


def __getattr__(name: str) -> Any:
    if name == "SqlSessionStore":  # SQLAlchemy takes 0.4 s to import: only for those who use it
        from turnspan.stores.sql import SqlSessionStore

        return SqlSessionStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
