"""Sessions in a SQL database: SQLite by default, PostgreSQL, MySQL and MariaDB for many hosts, CockroachDB by the same code.

Private: what users import is in ``turnspan`` and its public modules.
"""

from turnspan.stores.sql.store import SqlSessionStore

__all__ = ["SqlSessionStore"]
