"""The appender: puts events on record, first in the application's own log if it wants them, then in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from turnspan.events import ENDS, Event
from turnspan.journal.hash_chain import SpanIds
from turnspan.journal.live import Journal
from turnspan.recording.problems import Problem, Problems

if TYPE_CHECKING:
    from turnspan.recording.after_end import AfterEnd
    from turnspan.telemetry.log_lines import AppLog


class Appender:
    """The one way into a journal: for the recorder, in the agent's thread, and for the writer's seals.

    Args:
        journal: Where lines go.
        app_log: The application's structlog pipeline, if events go there.
        problems: Counts what failed.
        after_end: Keeps what comes when the journal takes nothing more.

    """

    def __init__(
        self, journal: Journal, app_log: AppLog | None, problems: Problems, after_end: AfterEnd | None = None
    ) -> None:
        self._journal, self._app_log, self._problems = journal, app_log, problems
        self._after_end = after_end
        self.wake_writer: Callable[[], None] = lambda: None

    def append(
        self, event: Event, ids: SpanIds | None = None, started: Event | None = None, payload: bytes | None = None
    ) -> None:
        """Append an event; on return it is on disk, or in memory while the disk takes nothing.

        Args:
            event: The event.
            ids: Its span.
            started: The start of what it ends.
            payload: The event encoded, where that was done already.

        """
        if self._app_log is not None:
            self._write_app_log(self._app_log, event, ids, started)
        journal = self._journal
        if not journal.append(event, ids, payload):
            # the thread was in the middle of it when the chain was closed; what was open then has its end in the chain
            if self._after_end is not None and not isinstance(event, ENDS):
                self._after_end.appender.append(event, ids, None, payload)
            return
        if journal.problem is not None:
            self._report_problem()
        self.wake_writer()

    def append_whole(self, events: Sequence[tuple[Event, SpanIds | None, bytes]]) -> bool:
        """Append events that belong together, all or none of them; return whether they are on disk."""
        taken = self._journal.append_whole(events)
        if taken and self._app_log is not None:
            for event, ids, _ in events:
                self._write_app_log(self._app_log, event, ids, None)
        if self._journal.problem is not None:
            self._report_problem()
        self.wake_writer()
        return taken

    def append_last(self, event: Event) -> None:
        """Append an event of the writer's own: the journal takes it also when it is at its end."""
        self.append_behind(lambda _sequence, _previous: event)

    def append_behind(self, make: Callable[[int, str], Event]) -> None:
        """Append an event that is made with its line's number and the hash of the line before it."""
        event = self._journal.append_behind(make)
        if self._app_log is not None:
            self._write_app_log(self._app_log, event, None, None)
        if self._journal.problem is not None:
            self._report_problem()

    def _write_app_log(self, log: AppLog, event: Event, ids: SpanIds | None, started: Event | None) -> None:
        try:
            log.write(event, ids, started)
        except Exception as error:
            self._problems.report(Problem.STRUCTLOG, error)

    def _report_problem(self) -> None:
        problem, self._journal.problem = self._journal.problem, None
        if problem is not None:
            self._problems.report(Problem.JOURNAL, problem)
