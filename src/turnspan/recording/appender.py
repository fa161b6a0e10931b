"""The appender: puts events on record, first in the application's own log if it wants them, then in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turnspan.events import Event
from turnspan.journal.hash_chain import SpanIds
from turnspan.journal.live import Journal
from turnspan.recording.problems import Problem, Problems

if TYPE_CHECKING:
    from turnspan.telemetry.log_lines import AppLog


class Appender:
    """The one way into a journal: for the recorder, in the agent's thread, and for the writer's seals.

    Args:
        journal: Where lines go.
        app_log: The application's structlog pipeline, if events go there.
        problems: Counts what failed.

    """

    def __init__(self, journal: Journal, app_log: AppLog | None, problems: Problems) -> None:
        self._journal, self._app_log, self._problems = journal, app_log, problems

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
            try:
                self._app_log.write(event, ids, started)
            except Exception as error:
                self._problems.report(Problem.STRUCTLOG, error)
        journal = self._journal
        journal.append(event, ids, payload)
        if journal.problem is not None:
            problem, journal.problem = journal.problem, None
            self._problems.report(Problem.JOURNAL, problem)
