"""Sessions as JSON files, in the layout that Calute and Xerxes read and write::

    {base}/{session}.json                 sessions without a workspace
    {base}/{workspace}/{session}.json     the others
    {base}/.audit/{session}.jsonl         audit rows, which those do not know

A file is replaced as a whole, so a reader sees the old one or the new one, and a change holds a lock that other
processes respect. A name never leads outside of the base: what is not a plain name is percent-encoded. Appending a turn
rewrites its file, so its cost grows with the session; for long sessions take SQLite.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

import msgspec

from turnspan.errors import StoreUnavailableError, UnreadableSessionError
from turnspan.model.append_files import append
from turnspan.model.file_ids import FileId, file_id
from turnspan.model.ids import now_ns
from turnspan.model.json_values import encode
from turnspan.model.records import SessionRecord, check_id, iso
from turnspan.stores.base import AuditFilter, SessionStore, audit_order
from turnspan.stores.merging import merge
from turnspan.stores.rows import AuditRow, Changes, Removed, removal

_PLAIN = " !#$&'()+,-.;=@[]^_`{}"
"""Punctuation that stands in a file name as it is; ``~`` marks a shortened name, ``%`` an encoded character."""
_REMOVED = ".removed"
S = TypeVar("S", AuditRow, Removed)
_LONGEST_NAME = 200  # bytes; file systems take 255, and temporary names need some


class FileSessionStore(SessionStore):
    """Keeps each session in a JSON file.

    Args:
        base_dir: Where the files are; it is made when it is not there.

    Raises:
        StoreUnavailableError: When the directory cannot be made.

    """

    def __init__(self, base_dir: str | Path) -> None:
        self._base_dir = Path(base_dir)
        self._lock = threading.RLock()
        self._opened: FileId | None = None
        self.reopen()

    @property
    def url(self) -> str:
        """The URL that opens this store again."""
        return f"file://{self._base_dir.absolute()}"

    def is_in_place(self) -> bool:
        """Return whether the directory that was opened is the one that stands there now."""
        return self._opened is not None and file_id(self._base_dir) == self._opened

    def reopen(self) -> None:
        """Use the directory that stands there now, made anew where none does.

        Raises:
            StoreUnavailableError: When it cannot be made.

        """
        with _unavailable(f"The session directory {self._base_dir} cannot be made"):
            self._base_dir.mkdir(parents=True, exist_ok=True)
        self._opened = file_id(self._base_dir)

    def after_fork(self) -> None:
        """Take a lock of our own: another thread of the parent process may hold the old one."""
        self._lock = threading.RLock()

    def save_session(self, session: SessionRecord) -> None:
        """Write the session's file, and remove the one it had in another workspace."""
        check_id("session", session.session_id)
        with self._changing():
            self._write(session)

    def load_session(self, session_id: str) -> SessionRecord | None:
        """Read a session's file.

        Raises:
            UnreadableSessionError: When the file is damaged, or is not a session record.

        """
        path = self._find(session_id)
        return None if path is None else self._read(path, session_id)

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        """Return the ids in alphabetical order."""
        if workspace_id is not None:
            folders = [self._base_dir / _file_name(workspace_id)]
        else:
            folders = [self._base_dir, *self._workspaces()]
        return sorted({i for folder in folders for path in _json_files(folder) if (i := self._id_in(path)) is not None})

    def delete_session(self, session_id: str) -> bool:
        """Remove a session's file."""
        with self._changing():
            paths = list(self._all_paths(session_id))
            for path in paths:
                path.unlink()
            if left := removal(session_id, self.audit_events(session_id), iso(now_ns())):
                self._append(self._base_dir / ".audit" / _REMOVED, left)
                self._audit_path(session_id).unlink()
        return bool(paths)

    def apply(self, changes: Changes) -> None:
        """Merge a batch into the files that it touches."""
        with self._changing():
            for session_id in changes.session_ids():
                path = self._find(session_id)
                try:
                    kept = None if path is None else self._read(path, session_id)
                except UnreadableSessionError:
                    assert path is not None
                    path.replace(path.with_name(path.name + ".damaged"))  # kept for a person to look at
                    kept = None
                mine = changes.of(session_id)
                self._write(merge(kept, mine))
                if mine.audit:
                    self._append(self._audit_path(session_id), mine.audit)

    def has_session(self, session_id: str) -> bool:
        """Return whether there is such a session, without reading it."""
        return self._find(session_id) is not None

    # Audit rows ------------------------------------------------------------------------------------------------

    def audit_events(self, session_id: str) -> list[AuditRow]:
        """Return the audit rows of a session."""
        rows = {
            row.event_id: row for row in _lines(self._audit_path(session_id), AuditRow)
        }  # a batch may be there twice
        return sorted(rows.values(), key=lambda row: audit_order(row, by_session=False))

    def audit_rows(self, where: AuditFilter, *, by_session: bool = False) -> Iterator[AuditRow]:
        """Yield audit rows in order."""
        if where.sessions is not None:
            paths = [self._audit_path(session_id) for session_id in where.sessions]
        else:
            paths = list((self._base_dir / ".audit").glob("*.jsonl"))
        rows = {row.event_id: row for path in paths for row in _lines(path, AuditRow) if where.takes(row)}
        yield from sorted(rows.values(), key=lambda row: audit_order(row, by_session=by_session))

    def audit_removed(self) -> list[Removed]:
        """Return what is left of removed rows."""
        rows = _lines(self._base_dir / ".audit" / _REMOVED, Removed)
        return list({(one.journal, one.first): one for one in rows}.values())

    def audit_newest(self, limit: int) -> list[AuditRow]:
        """Return rows of the sessions that were written last: reading all would cost as much as all there is."""
        paths = sorted((self._base_dir / ".audit").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
        return [row for path in paths[-16:] for row in _lines(path, AuditRow)][-limit:]

    def replace_removed(self, rows: list[Removed]) -> None:
        """Replace what is left of removed rows; the last one that is read counts."""
        with self._changing():
            self._append(self._base_dir / ".audit" / _REMOVED, rows)

    def rewrite_payloads(self, session_id: str, payloads: dict[str, str]) -> None:
        """Replace payloads; the file is written anew."""
        with self._changing():
            path = self._audit_path(session_id)
            rows = [
                msgspec.structs.replace(row, payload=payloads.get(row.event_id, row.payload))
                for row in self.audit_events(session_id)
            ]
            temporary = path.with_suffix(".tmp")
            temporary.unlink(missing_ok=True)
            self._append(temporary, rows)
            temporary.replace(path)

    def _audit_path(self, session_id: str) -> Path:
        return self._base_dir / ".audit" / f"{_file_name(session_id)}.jsonl"

    @staticmethod
    def _append(path: Path, rows: Sequence[AuditRow] | Sequence[Removed]) -> None:
        lines = b"".join(encode(row) + b"\n" for row in rows)
        if append(path, lines) != len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    # Files -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock that excludes other threads and other processes."""
        with self._lock, _unavailable(f"The session files in {self._base_dir} cannot be written"):
            fd = os.open(self._base_dir / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                yield
            finally:
                os.close(fd)

    def _write(self, session: SessionRecord) -> None:
        folder = self._base_dir / _file_name(session.workspace_id) if session.workspace_id else self._base_dir
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_file_name(session.session_id)}.json"
        data = json.dumps(session.to_dict(), indent=2, ensure_ascii=False, allow_nan=False).encode()
        fd, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
            os.replace(temporary, path)  # noqa: PTH105  mkstemp gives text
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        for other in self._all_paths(session.session_id):
            if other != path:
                other.unlink(missing_ok=True)  # it moved here from another workspace

    def _read(self, path: Path, session_id: str) -> SessionRecord | None:
        try:
            data: Any = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise UnreadableSessionError(f"{path} is damaged ({error}); move it away or repair it") from error
        if not isinstance(data, dict) or "session_id" not in data:
            raise UnreadableSessionError(f"{path} is not a session record: it has no session_id")
        if "messages" in data and "turns" not in data:
            raise UnreadableSessionError(f"{path} is a transcript of another program, not a session record")
        if data["session_id"] != session_id:
            raise UnreadableSessionError(f"{path} holds session {data['session_id']!r}, not {session_id!r}; rename it")
        try:
            return SessionRecord.from_dict(data)
        except UnreadableSessionError as error:
            raise UnreadableSessionError(f"{path} is not a session record: {error}") from error

    def _workspaces(self) -> list[Path]:
        return [child for child in sorted(self._base_dir.iterdir()) if child.is_dir() and child.name[:1] != "."]

    def _all_paths(self, session_id: str) -> Iterator[Path]:
        name = f"{_file_name(session_id)}.json"
        for folder in (self._base_dir, *self._workspaces()):
            if (folder / name).is_file():
                yield folder / name

    def _find(self, session_id: str) -> Path | None:
        return next(self._all_paths(session_id), None)

    def _id_in(self, path: Path) -> str | None:
        if "~" not in path.stem:
            return unquote(path.stem)
        try:  # the name was too long and had to be shortened
            return str(json.loads(path.read_bytes())["session_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _lines(path: Path, kind: type[S]) -> list[S]:
    try:
        with path.open("rb") as file:
            return [msgspec.json.decode(line, type=kind) for line in file if line.endswith(b"}\n")]  # not a torn one
    except FileNotFoundError:
        return []
    except msgspec.MsgspecError as error:
        raise UnreadableSessionError(f"{path} is damaged ({error})") from error


def _json_files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.json") if path.name[:1] != "."] if folder.is_dir() else []


def _file_name(name: str) -> str:
    """Return a name that is one plain part of a path, the same for the same id."""
    text = name.encode("utf-8", "backslashreplace").decode()
    encoded = "".join(c if c.isalnum() or c in _PLAIN else quote(c, safe="") for c in text)
    if encoded[:1] == ".":
        encoded = "%2E" + encoded[1:]
    if len(encoded.encode()) > _LONGEST_NAME:
        encoded = f"{encoded.encode()[:100].decode(errors='ignore')}~{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    return encoded


@contextlib.contextmanager
def _unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, StoreUnavailableError):
            raise
        hint = {
            errno.ENOSPC: "free some space",
            errno.EACCES: "check its permissions",
            errno.EROFS: "the file system is read-only",
        }.get(error.errno or 0, "see the cause above")
        raise StoreUnavailableError(f"{what}: {error.strerror or error}; {hint}") from error
