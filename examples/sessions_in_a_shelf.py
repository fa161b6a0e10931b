"""A store of one's own: sessions in a shelf of Python's standard library.

Four methods are a whole store. turnspan records into it (here through an observed manager), loads, merges and saves
under one lock, and `turnspan.testing.SessionStoreConformance` says whether it keeps what every store promises.
"""

import shelve
import sys
import tempfile
import threading
from pathlib import Path

import turnspan
from turnspan import SessionManager, SessionRecord, SessionStore
from turnspan.model.records import check_id


class ShelfStore(SessionStore):
    """Keeps sessions in a file that one process at a time has open."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = str(path), threading.Lock()

    def save_session(self, session: SessionRecord) -> None:
        check_id("session", session.session_id)
        with self._lock, shelve.open(self._path) as shelf:
            shelf[session.session_id] = session.to_dict()

    def load_session(self, session_id: str) -> SessionRecord | None:
        with self._lock, shelve.open(self._path) as shelf:
            found = shelf.get(session_id)
        return None if found is None else SessionRecord.from_dict(found)

    def list_sessions(self, workspace_id: str | None = None) -> list[str]:
        with self._lock, shelve.open(self._path) as shelf:
            return [key for key, kept in shelf.items() if workspace_id in (None, kept["workspace_id"])]

    def delete_session(self, session_id: str) -> bool:
        with self._lock, shelve.open(self._path) as shelf:
            return shelf.pop(session_id, None) is not None


def main() -> None:
    store = ShelfStore(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()) / "sessions")
    manager = turnspan.observe(SessionManager(store))
    manager.start_session(session_id="shelved", agent_id="triage")
    with turnspan.session("shelved"), turnspan.turn(agent="triage", prompt="Where is it?") as turn:
        with turnspan.tool("look", place="shelf") as call:
            call.result = "on the shelf"
        turn.response = "On the shelf."
    session = manager.get_session("shelved")
    print(f"{session.turns[0].prompt} {session.turns[0].response_content}")


if __name__ == "__main__":
    main()
