"""Removal: a session goes, and what is left of its audit rows says so, signed where there is a key.

Its lines leave a gap in their chains. What stands there in their place (:class:`~turnspan.stores.rows.Removed`) keeps the
hashes on both sides of the gap; the signature says that it was somebody with the key who removed them.
"""

from __future__ import annotations

import msgspec

from turnspan.journal.seals import Key
from turnspan.model.ids import now_ns
from turnspan.model.records import iso
from turnspan.stores.base import Audited, SessionStore, SignsRemovals
from turnspan.stores.rows import Removed, removal


def remove_session(session_id: str, store: SessionStore, key: Key | None) -> bool:
    """Remove a session from a store; return whether there was one.

    Args:
        session_id: The session.
        store: Any store.
        key: What the removal is signed with.

    Raises:
        SettingsError: When the key cannot sign; nothing is removed then.

    """
    left: list[Removed] = []
    if key is not None and isinstance(store, Audited) and isinstance(store, SignsRemovals):
        left = [signed(one, key) for one in removal(session_id, store.audit_events(session_id), iso(now_ns()))]
    done = store.delete_session(session_id)
    if left and isinstance(store, SignsRemovals):
        store.replace_removed(left)
    return done


def signed(removed: Removed, key: Key) -> Removed:
    """Return what is left of removed rows with a signature."""
    return msgspec.structs.replace(removed, signature=key.sign(removed.statement()))
