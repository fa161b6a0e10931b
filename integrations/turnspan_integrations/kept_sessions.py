"""Sessions of runtimes that have no id for a conversation, but an object that is one: a memory, a history, an agent."""

from __future__ import annotations

import weakref
from typing import Any

from turnspan.adapter import new_id


class KeptSessions:
    """The sessions of objects that live, by what they are and not by what they hold; it keeps none alive."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}

    def of(self, kept: Any) -> str | None:
        """Return the session of an object, a new one when it is met for the first time; None for None."""
        if kept is None:
            return None
        if id(kept) not in self._ids:
            weakref.finalize(kept, self._ids.pop, id(kept), None).atexit = False
            self._ids[id(kept)] = new_id()
        return self._ids[id(kept)]
