"""What the pages read: one store, opened when it is first asked for, and again while it is not there yet."""

from __future__ import annotations

import threading
from contextlib import suppress
from urllib.parse import unquote

from turnspan.analysis.sessions import SteppedSessions
from turnspan.errors import SessionNotFoundError, TurnspanError
from turnspan.journal.dead import WaitingJournal, waiting_journals
from turnspan.reading.prices import warm
from turnspan.reading.reader import Reader
from turnspan.reading.running import Running
from turnspan.reading.windows import KeptOutlines, Place, Window
from turnspan.settings import Settings
from turnspan.stores.base import SessionFilter


class Source:
    """Gives the reader of a store.

    Args:
        settings: Where the store is, and what links look like.
        reader: The reader, where it is open already.
        running: Says what runs elsewhere and is not on record yet.

    """

    def __init__(self, settings: Settings, reader: Reader | None = None, running: Running | None = None) -> None:
        self.settings, self._running = settings, running
        self._reader, self._lock = reader, threading.Lock()
        self._stepped: SteppedSessions | None = None
        self._outlines = KeptOutlines()
        self.closing = threading.Event()
        """Set when the server ends: what waits for news ends with it."""

    @property
    def reader(self) -> Reader:
        """The reader.

        Raises:
            NothingRecordedError: While there is no store.
            StoreUnavailableError: While it cannot be opened.

        """
        with self._lock:
            if self._reader is None:
                self._reader = Reader.open(self.settings)
                self._reader.running = self._running
            return self._reader

    def warm(self) -> None:
        """Load what the first page would load: the store's driver, and prices."""
        with suppress(TurnspanError):
            self.reader.sessions(SessionFilter(limit=1))
        warm()

    @property
    def waiting(self) -> list[WaitingJournal]:
        """The journals of dead processes whose events are not in the store yet."""
        return waiting_journals(self.settings.journal_path)

    @property
    def stepped(self) -> SteppedSessions:
        """The sessions that were asked about last, taken apart: both sides of a comparison."""
        if self._stepped is None:
            self._stepped = SteppedSessions(self.reader, most=2)
        return self._stepped

    def state(self, session_id: str) -> str | None:
        """Return a text that is another one as soon as a session may be; None where there is none."""
        wanted = unquote(session_id, errors="replace")
        states = (self.reader.state(known) for known in dict.fromkeys((wanted, unquote(wanted))))
        return next((state for state in states if state is not None), None)

    def window(self, session_id: str, place: Place, limit: int) -> Window:
        """Return a window of a session, whose id came quoted in an address.

        Raises:
            SessionNotFoundError: When there is none.

        """
        wanted = unquote(session_id, errors="replace")
        for known in dict.fromkeys((wanted, unquote(wanted))):  # "." and ".." are quoted twice
            if (window := self.reader.window(known, place, limit, self._outlines)) is not None:
                return window
        raise SessionNotFoundError(wanted, f"There is no session {wanted!r} in this store")


class Pages:
    """Pages over a source.

    Args:
        source: What they read.

    """

    def __init__(self, source: Source) -> None:
        self._source = source
