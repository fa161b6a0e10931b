"""Heads: where the chains of a store end, as a new chain says it in its first seal.

Nothing shows that a chain that ended is gone as a whole. So each new one names the ends of those that were written
last, by the seals that they have there: with that, and with what those named, nothing but the newest chains can go
without a trace. What no key of ours signed is not named, or a forged chain would be vouched for by a true one.
"""

from __future__ import annotations

from turnspan.journal.hash_chain import read
from turnspan.journal.seals import Heads, Key, seal_of
from turnspan.stores.base import AuditTail

_LOOKED_AT = 1000
"""The newest rows that are searched for seals: what processes wrote lately, however many they were."""
_NAMED = 16


def heads_of(store: object, key: Key | None, *, but: str = "") -> Heads:
    """Return where the chains end that a store took last: their newest seals, by journal.

    Args:
        store: Any store; one that cannot say what is newest in it has no heads.
        key: What their seals must be signed with, if there is a key.
        but: A journal that is not meant.

    """
    found: Heads = {}
    if not isinstance(store, AuditTail):
        return found
    for row in store.audit_newest(_LOOKED_AT):
        if row.kind != "noted" or row.turn_id is not None or row.journal == but:
            continue
        if row.sequence <= found.get(row.journal, (0, ""))[0]:
            continue
        seal = seal_of(read((row.payload or "").encode()))
        if (
            seal is not None
            and (key is None or seal.is_signed_by(key))
            and (row.journal in found or len(found) < _NAMED)
        ):
            found[row.journal] = (row.sequence, row.hash)
    return found


def written(heads: Heads) -> dict[str, str]:
    """Return heads as a seal has them."""
    return {journal: f"{sequence} {own}" for journal, (sequence, own) in heads.items()}
