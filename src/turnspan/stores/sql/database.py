"""One database: how it is opened, its transactions, and statements for many rows at once.

All that differs between SQLite, PostgreSQL, CockroachDB and MySQL is here and in the tables; what is stored, and how it
is asked for, is the same everywhere.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from turnspan.errors import MissingExtraError, NothingRecordedError, SettingsError, StoreUnavailableError
from turnspan.model.file_ids import FileId, file_id
from turnspan.stores.sql.partitions import convert, is_partitioned
from turnspan.stores.sql.schema import AS_GIVEN, STEPS, VERSION_TABLE, migrate, turns, version_of

_DRIVERS = {"postgresql": "postgresql+psycopg", "cockroachdb": "cockroachdb+psycopg", "mysql": "mysql+pymysql"}
_EXTRAS = {"postgresql": "turnspan[postgresql]", "cockroachdb": "turnspan[postgresql]", "mysql": "turnspan[mysql]"}
_LOCK = 0x7475726E7370616E  # "turnspan": the advisory lock that migrations run under
# A host that is gone without a word is noticed within half a minute, not after the system's two hours.
_POSTGRESQL = {
    "application_name": "turnspan",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_LATER = ("08", "25006", "40", "53", "55P03", "57", "58")
"""SQLSTATE classes of what may go better later: connections, failover to a read-only host, deadlocks, full disks."""


class Database:
    """A database that SQLAlchemy knows.

    Args:
        url: A store URL, see :class:`~turnspan.stores.sql.SqlSessionStore`.
        busy_timeout_ms: How long a write waits for another process's write (SQLite).
        read_only: Change nothing. An SQLite file stays as it is: not even what a killed process left beside it is tidied
            into it, and where an older version wrote it, a copy is brought up to date and read. On a server, tables
            that are not there or of an older version are an error.

    Raises:
        SettingsError: When the URL cannot be understood.
        MissingExtraError: When the database's driver is not installed.
        NothingRecordedError: When it is to be read, and has no tables of ours.
        StoreUnavailableError: When the database cannot be opened or written, or is to be read and of an older version.

    """

    def __init__(self, url: str, *, busy_timeout_ms: int, read_only: bool = False) -> None:
        self._read_only = read_only
        self._path: Path | None = None
        self._file: FileId | None = None
        self._lost = self._inherited = False
        self._compiled: dict[tuple[Any, ...], tuple[str, Callable[[Any], Any]]] = {}
        self._as_given: dict[tuple[Any, ...], list[tuple[int, float]]] = {}
        try:
            parsed = sa.make_url(url.replace("postgres://", "postgresql://", 1))
            self.kind = parsed.get_backend_name()
            self.name = parsed.render_as_string(hide_password=True)
            self.monthly = self.kind == "postgresql" and parsed.query.get("partitions") == "monthly"
            parsed = parsed.difference_update_query(["partitions"])
            self.engine = self._engine(parsed, busy_timeout_ms)
        except OSError as error:
            raise StoreUnavailableError(f"The folder of {url} cannot be made: {error.strerror}") from error
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
            raise SettingsError(f"{url!r} is not a store URL that can be opened: {error}") from error
        except ImportError as error:
            fix = f"; pip install '{extra}'" if (extra := _EXTRAS.get(self.kind)) else ""
            raise MissingExtraError(f"The driver for {self.name!r} is not installed: {error}{fix}") from error
        weakref.finalize(self, self.engine.dispose)
        if read_only and self.kind != "sqlite":
            self._refuse_outdated()
        elif not self._is_current():
            if read_only:
                self.engine = self._copy()
            with self.writing() as connection:
                self._migrate(connection)
        if self._path is not None:
            self._file = file_id(self._path)
        if self.monthly and not read_only:
            with self.writing() as connection:
                self.lock(connection)
                convert(connection)
        elif self.kind == "postgresql":  # somebody else may have asked for it
            with self.reading() as connection:
                self.monthly = is_partitioned(connection, turns)

    def _engine(self, url: sa.URL, busy_timeout_ms: int) -> sa.Engine:
        if self.kind == "sqlite":
            if url.database not in (None, "", ":memory:") and "uri" not in url.query:
                path = Path(url.database)
                if self._read_only:
                    query = {**url.query, "mode": "ro", "uri": "true"}
                    url = url.set(database=path.absolute().as_uri(), query=query)
                else:
                    self._path = path
                    self._make_file(path)
            engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": busy_timeout_ms / 1000})
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
            return engine
        if url.drivername in _DRIVERS:  # no driver is named: ours
            url = url.set(drivername=_DRIVERS[url.drivername])
        more = (
            {} if self.kind == "mysql" else {key: value for key, value in _POSTGRESQL.items() if key not in url.query}
        )
        # Parameters by position, as for SQLite; a connection that broke while it was idle is not handed out.
        engine = sa.create_engine(url, hide_parameters=True, paramstyle="format", pool_pre_ping=True, connect_args=more)
        if self.kind == "mysql":
            sa.event.listen(engine, "checkin", _release_lock)
        return engine

    @staticmethod
    def _make_file(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)  # what agents say is for their owner only

    def is_in_place(self) -> bool:
        """Return whether the file that was opened is the one that stands there now."""
        return self._path is None or file_id(self._path) == self._file is not None

    def reopen(self) -> None:
        """Open the file that stands there now, made anew where none does.

        Raises:
            StoreUnavailableError: When it cannot be opened.

        """
        if self._path is None or self.is_in_place():
            return
        self.engine.dispose()
        self._file = None
        try:
            self._make_file(self._path)
        except OSError as error:
            raise StoreUnavailableError(f"The store {self.name} cannot be made anew: {error.strerror}") from error
        with self.writing() as connection:
            self._migrate(connection)
        self._file = file_id(self._path)

    def _copy(self) -> sa.Engine:
        """Return a copy of what is here, to be brought up to date: in a folder for its owner only, until this is closed.

        It is a file, because readers need several connections and a store may be larger than the memory.
        """
        folder = tempfile.mkdtemp(prefix="turnspan-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        path = Path(folder, "sessions.db")
        with contextlib.closing(sqlite3.connect(path)) as copy, self.reading() as connection:
            source: Any = connection.connection.driver_connection
            try:
                source.backup(copy)
            except sqlite3.Error as error:
                raise StoreUnavailableError(f"{self.name} cannot be read: {error}") from error
        self.engine.dispose()
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), hide_parameters=True)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        weakref.finalize(self, engine.dispose)
        return engine

    def _is_current(self) -> bool:
        try:
            with self.reading() as connection:
                return version_of(connection) == len(STEPS)
        except (StoreUnavailableError, DBAPIError):
            return False

    def _refuse_outdated(self) -> None:
        """Raise where tables would have to be made or changed before they can be read: that is for who records."""
        with self.reading() as connection:
            version = version_of(connection) if sa.inspect(connection).has_table(VERSION_TABLE) else 0
        if version < len(STEPS):
            self.close()
        if version == 0:
            raise NothingRecordedError(
                f"Nothing is recorded in {self.name}: run a program with `turnspan run`, or name another place with --store"
            )
        if version < len(STEPS):
            raise StoreUnavailableError(
                f"{self.name} has tables of an older version of turnspan ({version} of {len(STEPS)}), and reading does not "
                "change them: `turnspan recover`, or any program that records there, brings them up to date"
            )

    def _migrate(self, connection: sa.Connection) -> None:
        """Bring the tables up to date; whoever comes at the same time waits, and finds it done."""
        self.lock(connection)
        migrate(connection)

    def lock(self, connection: sa.Connection) -> None:
        """Keep others from changing tables until this transaction ends."""
        if self.kind == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        elif self.kind == "mysql":
            name = sa.func.concat("turnspan in ", sa.func.database())  # of the server, not of a database
            connection.execute(sa.select(sa.func.get_lock(name, 60)))
            connection.info["locked"] = True

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def after_fork(self) -> None:
        """Forget connections that belong to the parent process."""
        if self.kind == "sqlite":
            self._inherited = self._leave_connections() or self._inherited
        self.engine.dispose(close=False)

    def lose_files(self) -> None:
        """Let go of connections whose descriptors the program has closed: what is closed with them would be its own.

        SQLite keeps account of its files for the whole process, and would go on using the old descriptors.
        """
        if self._leave_connections() or self._inherited:
            self._lost = self.kind == "sqlite"
            self.engine.dispose(close=False)

    def _leave_connections(self) -> bool:
        """See that no connection there is now is ever closed, not by the garbage collector either; return whether one is."""
        pool: Any = self.engine.pool
        if not isinstance(pool, sa.QueuePool) or not pool.checkedin() + pool.checkedout():
            return False
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(pool))
        return True

    # Transactions ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Return a connection in a transaction that is committed at the end.

        Raises:
            StoreUnavailableError: When that cannot be done now but may be later.

        """
        with self._translated("written"), self.engine.begin() as connection:
            self._prepare(connection, often=5)
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Return a connection that sees one state of the database.

        Raises:
            StoreUnavailableError: When it cannot be read now but may be later.

        """
        one_state = {} if self.kind == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        engine = self.engine.execution_options(turnspan_reads=True, **one_state)
        with self._translated("read"), engine.begin() as connection:
            self._prepare(connection, often=None)
            yield connection

    def _prepare(self, connection: sa.Connection, *, often: int | None) -> None:
        """Say how often a statement is sent before the server keeps its plan (None: never).

        The writer's few statements win by it. A question must be planned for what is asked: a plan for any words at all
        reads everything that has a common one.
        """
        if self.kind == "postgresql":
            driver: Any = connection.connection.driver_connection
            driver.prepare_threshold = often

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        if self._lost:
            raise StoreUnavailableError(
                f"The store {self.name} cannot be {what}: the program has closed its files (os.closerange). What is recorded "
                "waits in the journal, and the next process stores it; call turnspan.shutdown() before they are closed"
            )
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            raise StoreUnavailableError(f"The store {self.name} cannot be {what}: {_cause(error)}") from error
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(error.orig, sqlite3.IntegrityError):
                raise StoreUnavailableError(f"{self.name} is not a database, or is damaged: {_cause(error)}") from error
            if str(getattr(error.orig, "sqlstate", None) or "").startswith(_LATER):
                raise StoreUnavailableError(f"The store {self.name} cannot be {what}: {_cause(error)}") from error
            raise

    def kept(self, name: str, value: Any) -> Any:
        """Return what the database keeps of a value of a column: all of it in SQLite, see :func:`_taken` for others."""
        if self.kind == "sqlite" or name not in AS_GIVEN or not isinstance(value, str):
            return value
        return _taken((value,), [(0, AS_GIVEN[name])])[0]

    def vacuum(self, tables: Sequence[sa.Table]) -> None:
        """Give back the room of what was removed; SQLite overwrites it as well."""
        with self._translated("vacuumed"):
            if self.kind == "sqlite":
                with self.engine.connect() as connection:
                    raw: Any = connection.connection
                    for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                        raw.execute(statement).close()
            elif self.kind == "postgresql":
                with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    for table in tables:
                        connection.execute(sa.text(f"VACUUM {table.name}"))

    # Many rows ---------------------------------------------------------------------------------------------------

    def insert_new(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Any]) -> None:
        """Insert rows; those that are there already stay as they are."""
        if rows:
            self.execute_many(connection, ("new", table.name), lambda: self.insert_of(table), rows)

    def upsert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        rows: Sequence[dict[str, Any]],
        keys: Sequence[str],
        *,
        keep: Sequence[str] = (),
        computed: dict[str, Any] | None = None,
    ) -> None:
        """Insert rows, or change those that are there.

        Args:
            connection: Where.
            table: The table.
            rows: The rows, all with the same columns, and with what expressions for more columns name.
            keys: The columns that make two rows the same.
            keep: Columns that keep the value of the row that is there.
            computed: Expressions for more columns.

        """
        if rows:
            columns = [name for name in rows[0] if name in table.c]
            self.execute_many(
                connection,
                ("upsert", table.name),
                lambda: self.upsert_of(table, columns, keys, keep, computed or {}),
                rows,
                columns,
            )

    def insert_of(self, table: sa.Table) -> Any:
        """Return the statement that inserts a row unless it is there."""
        if self.kind == "mysql":
            key = next(iter(table.primary_key))
            return mysql.insert(table).on_duplicate_key_update({key.name: key})
        return (sqlite if self.kind == "sqlite" else postgresql).insert(table).on_conflict_do_nothing()

    def upsert_of(
        self,
        table: sa.Table,
        columns: Sequence[str],
        keys: Sequence[str],
        keep: Sequence[str],
        computed: dict[str, Any],
    ) -> Any:
        """Return the statement that inserts a row, or changes the one that is there."""
        changed = [name for name in (*columns, *computed) if name not in keys and name not in keep]
        if self.kind == "mysql":
            into = mysql.insert(table).values(computed)
            return into.on_duplicate_key_update({name: into.inserted[name] for name in changed})
        statement = (sqlite if self.kind == "sqlite" else postgresql).insert(table).values(computed)
        return statement.on_conflict_do_update(
            index_elements=list(keys), set_={name: statement.excluded[name] for name in changed}
        )

    def execute_many(
        self,
        connection: sa.Connection,
        key: tuple[Any, ...],
        statement: Callable[[], Any],
        rows: Sequence[Any],
        columns: list[str] | None = None,
    ) -> None:
        """Run one statement for many rows, in one round trip where the driver can.

        Compiled once; SQLAlchemy's work for each parameter would cost more than SQLite's.
        """
        known = self._compiled.get(key)
        if known is None:
            is_dict = isinstance(rows[0], dict)
            columns = columns or (list(rows[0]) if is_dict else list(rows[0].__struct_fields__))
            compiled = statement().compile(dialect=self.engine.dialect, column_keys=columns)
            # every driver that we use takes parameters by position; ``same_x`` is the value of x once more
            names = [name.removeprefix("same_") for name in compiled.positiontup or ()]
            known = self._compiled[key] = str(compiled), (itemgetter if is_dict else attrgetter)(*names)
            self._as_given[key] = [(n, AS_GIVEN[name]) for n, name in enumerate(names) if name in AS_GIVEN]
        sql, values = known
        parameters: list[Any] = list(map(values, rows))
        if self.kind != "sqlite":
            as_given = self._as_given[key]
            parameters = [_taken(one, as_given) for one in parameters]
        connection.exec_driver_sql(sql, parameters)


def _taken(values: tuple[Any, ...], as_given: list[tuple[int, float]]) -> tuple[Any, ...]:
    """Return values that a server takes: PostgreSQL's text has no NUL, and an index no long names.

    What they were is in the audit event.
    """
    for n, limit in as_given:
        text = values[n]
        if text is not None and ("\x00" in text or len(text) > limit):
            text = (text if limit == math.inf else text[: int(limit)]).replace("\x00", "\ufffd")
            values = (*values[:n], text, *values[n + 1 :])
    return values


def _release_lock(connection: Any, record: Any) -> None:
    """Release the lock that MySQL would keep for as long as the connection lives."""
    if connection is not None and record.info.pop("locked", False):
        with connection.cursor() as cursor:
            cursor.execute("DO RELEASE_ALL_LOCKS()")


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    # Large pages: rows come in batches and stay; a commit writes each touched page with two system calls.
    for pragma in ("page_size=16384", "journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=1000"):
        with contextlib.suppress(sqlite3.OperationalError):  # a read-only database can still be read
            connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at the start of a write, so that waiting works and reads before it are not stale."""
    reads = connection.get_execution_options().get("turnspan_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _cause(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split()) or type(error.orig).__name__
