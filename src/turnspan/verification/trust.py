"""Trust: what may excuse that something is not as it was written.

A seal, an erasure or a removal excuses something only where it is sealed, and signed by the key if there is one: whoever
can write to a store can write excuses into it too.
"""

from __future__ import annotations

from turnspan.journal.seals import Key, Seal
from turnspan.stores.rows import Removed


class Trust:
    """Distinguishes what is signed from what is not, and whether the key is one that anything is signed with.

    Args:
        key: What seals and removals must be signed with; without one, being sealed is enough.

    """

    def __init__(self, key: Key | None) -> None:
        self._key = key
        self._removals: dict[tuple[str, int, str], bool] = {}
        self._good = self._bad = self._unsigned = 0

    def in_seal(self, seal: Seal) -> bool:
        """Return whether a seal may be believed."""
        return self._believed(seal.statement(), seal.signature)

    def in_removal(self, removed: Removed) -> bool:
        """Return whether what is left of removed rows may be believed."""
        if self._key is None:
            return True
        which = (removed.journal, removed.first, removed.signature)
        if which not in self._removals:
            self._removals[which] = self._key.verifies(removed.statement(), removed.signature)
        return self._removals[which]

    def _believed(self, statement: bytes, signature: str) -> bool:
        if self._key is None:
            return True
        good = self._key.verifies(statement, signature)
        self._good += good
        self._bad += not good and bool(signature)
        self._unsigned += not signature
        return good

    @property
    def key_is_wrong(self) -> bool:
        """Whether everything is signed, and nothing of it by the key."""
        return self._bad > 0 and not self._good and not self._unsigned
