"""After the end: what threads go on recording while the process ends is kept, in a journal of its own.

The chain is sealed and closed by then, the store and the SDK's providers are too, and an interpreter that shuts down
starts no threads. So nothing is made anew: the events are appended to another journal, which nobody writes to the store
any more. It is what a process leaves that was killed, and the next start stores it like that.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable
from typing import Any

from opentelemetry.trace import INVALID_SPAN, Span

from turnspan.journal.live import Journal
from turnspan.recording.appender import Appender
from turnspan.recording.live_turns import LiveTurns
from turnspan.recording.problems import Problems
from turnspan.recording.sessions import Sessions
from turnspan.telemetry.live_spans import Spans
from turnspan.telemetry.own_log import logger


class AfterEnd:
    """Has the appender for what comes when a recorder has closed. It costs nothing until something does.

    Args:
        open_journal: Opens the journal.
        problems: Counts what failed.

    """

    def __init__(self, open_journal: Callable[[], Journal], problems: Problems) -> None:
        self._open_journal, self._problems = open_journal, problems
        self._opening = threading.Lock()
        self._journal: Journal | None = None
        self._appender: Appender | None = None

    @property
    def appender(self) -> Appender:
        """The appender; its journal is opened for the first event."""
        with self._opening:
            if self._appender is None:
                self._journal = self._open_journal()
                self._appender = Appender(self._journal, None, self._problems)
                _used.add(self)
            return self._appender

    def turns(self, sessions: Sessions) -> LiveTurns:
        """Return what follows the turns that begin now; they have no spans, which nobody would send any more.

        What was open before has ended: its ends are passed over.
        """
        return LiveTurns(Spans(tracer_of=lambda _tracer: _NoTracer()), sessions, self)

    def after_fork(self) -> None:
        """Leave the journal to the parent process."""
        self._opening = threading.Lock()
        if self._journal is not None:
            self._journal.forget()
        self._journal = self._appender = None
        _used.discard(self)

    def report(self) -> None:
        """Say how much has come until now, and where it is."""
        journal = self._journal
        if journal is None or not journal.sequence:
            return
        says = f"turnspan: threads went on recording while the process ended: {journal.sequence} events so far"
        if journal.directory is None:
            logger.warning("%s, and there was no journal to keep them: they are lost", says)
        else:
            logger.warning("%s; they wait in %s and are stored at the next start", says, journal.directory)


class _NoTracer:
    """Starts no spans, not even in the name of one that is active."""

    def start_span(self, *_args: Any, **_more: Any) -> Span:
        return INVALID_SPAN


_used: weakref.WeakSet[AfterEnd] = weakref.WeakSet()


@atexit.register  # with this module, so that it runs behind the ends of all recorders
def _report() -> None:
    for each in list(_used):
        each.report()
