"""Opening stores: each is named by a URL."""

from __future__ import annotations

from pathlib import Path

from turnspan.errors import SettingsError, TurnspanError
from turnspan.settings import own_scheme, scheme_of, without_password
from turnspan.stores.base import SessionStore
from turnspan.stores.file import FileSessionStore
from turnspan.stores.memory import InMemorySessionStore

_DATABASES = ("sqlite", "postgresql", "postgres", "cockroachdb", "mysql")


def open_store(url: str) -> SessionStore:
    """Open the store that a URL names.

    ``sqlite:///relative.db`` and ``sqlite:////absolute.db`` as SQLAlchemy has it, ``postgresql://user@host/database``,
    ``redis://host:port/number``, ``file:///absolute/folder`` as RFC 8089 has it (``file:relative`` is taken too),
    ``memory:``, and whatever schemes installed packages add by entry points of the group ``turnspan.stores``.

    Raises:
        SettingsError: When the URL names no store that we know, or the package that adds its scheme fails to open one.
        MissingExtraError: When the driver is not installed.
        StoreUnavailableError: When the store cannot be opened.

    """
    rest = url.partition(":")[2]
    match scheme := scheme_of(url):
        case _ if scheme in _DATABASES:
            from turnspan.stores.sql import SqlSessionStore

            return SqlSessionStore(url)
        case "redis" | "rediss":
            from turnspan.stores.redis import RedisSessionStore

            return RedisSessionStore(url)
        case "file":
            return FileSessionStore(Path(rest.removeprefix("//")))
        case "memory":
            return InMemorySessionStore()
    return _opened_by_package(scheme, url)


def open_for_reading(url: str) -> SessionStore:
    """Open a store that is there, to be read.

    Reading what is kept as evidence does not change it. An SQLite file stays byte for byte as it is, also one that an
    older version wrote; the tables of a server are neither made nor brought up to date.

    Raises:
        SettingsError: When the URL names no store that we know.
        NothingRecordedError: When it is a database without tables of ours.
        StoreUnavailableError: When the store cannot be opened, or is a server's database of an older version.

    """
    if scheme_of(url) in _DATABASES:
        from turnspan.stores.sql import SqlSessionStore

        return SqlSessionStore(url, read_only=True)
    return open_store(url)


def _opened_by_package(scheme: str, url: str) -> SessionStore:
    entry = own_scheme(scheme)
    assert entry is not None, "scheme_of knows it"
    try:
        store = entry.load()(url)
    except TurnspanError:
        raise
    except Exception as error:
        says = f"{type(error).__name__}: {error}"
        raise SettingsError(f"{entry.value}, which opens {scheme}: stores, failed: {says}") from error
    if not isinstance(store, SessionStore):
        raise SettingsError(
            f"{entry.value} opened {without_password(url)!r} as {store!r:.80}, which is not a session store"
        )
    return store
