"""Opening a store to read it leaves it as it is."""

import pytest

from turnspan import SessionRecord, SqlSessionStore, StoreUnavailableError
from turnspan.stores.opening import open_for_reading


def test_a_database_is_read_without_being_changed(tmp_path):
    """Its bytes and its time stay, and a write is refused."""
    path = tmp_path / "evidence of May.db"
    store = SqlSessionStore(f"sqlite:///{path}")
    store.save_session(SessionRecord("s"))
    store.close()
    before = path.read_bytes(), path.stat().st_mtime_ns
    reading = open_for_reading(f"sqlite:///{path}")
    assert reading.list_sessions() == ["s"]
    with pytest.raises(StoreUnavailableError, match="readonly"):
        reading.save_session(SessionRecord("t"))
    reading.close()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_database_of_an_older_version_is_brought_up_to_date(tmp_path):
    """What cannot be read as it is, is migrated as ever: an empty file is the oldest version."""
    (tmp_path / "old.db").touch()
    store = open_for_reading(f"sqlite:///{tmp_path / 'old.db'}")
    assert store.list_sessions() == []
    store.close()
