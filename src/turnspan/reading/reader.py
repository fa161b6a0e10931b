"""One home or store, opened for reading: what the command line, the web pages and ``turnspan.get`` stand on."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Self

from turnspan.errors import IdNotFoundError, NothingRecordedError, SessionNotFoundError
from turnspan.journal.dead import WaitingJournal, waiting_journals
from turnspan.model.display import counted
from turnspan.model.records import SessionRecord, TurnRecord
from turnspan.reading.deep_links import LOGS, TRACES, Links
from turnspan.reading.line_sources import FileLines, LineSource, line_source
from turnspan.reading.pages import Page, matches, page_of, summaries, summary_of_session
from turnspan.reading.places import Hit, Place, hits, place_of
from turnspan.reading.prices import with_costs
from turnspan.reading.running import (
    Running,
    beside,
    beside_summary,
    beside_window,
    state_of_running,
    summary_of_window,
)
from turnspan.reading.span_sources import FileSpans, SpanSource, span_source
from turnspan.reading.timeline import TimelineEntry, timeline_of
from turnspan.reading.tree import HANDED_OFF, TimelineNode, session_tree
from turnspan.reading.windows import Outlines, Window, as_ours, state_of, window_of
from turnspan.reading.windows import Place as At
from turnspan.settings import Settings, without_password
from turnspan.stores.base import Audited, AuditFilter, SessionFilter, SessionStore, SessionSummary
from turnspan.stores.opening import open_for_reading, open_store
from turnspan.stores.rows import AuditRow

NOWHERE = "none"
"""The source that is not asked."""
_MOST_CHILDREN = 1000
_COMPARED = 500
"""Sessions whose ids are compared with one that was mistyped."""


class Reader:
    """Reads sessions, and finds them in trace and log; changes nothing and sends nothing.

    Args:
        settings: Where the home is, and what links look like.
        store: The store, open.
        running: Says what runs elsewhere and is not on record yet.

    """

    def __init__(self, settings: Settings, store: SessionStore, running: Running | None = None) -> None:
        self.settings, self.store, self.running = settings, store, running

    @classmethod
    def open(cls, settings: Settings, *, writes: bool = False) -> Self:
        """Open the store that is set; one that is not there is not made.

        Args:
            settings: What was set.
            writes: Whether the store is to be changed, by who reads in order to change it.

        Raises:
            NothingRecordedError: When it is not there.
            SettingsError: When the URL names no store.
            StoreUnavailableError: When it cannot be read now.

        """
        path = _local_path(settings.store_url)
        try:
            if path is not None and not path.exists():
                raise NothingRecordedError(
                    f"Nothing is recorded in {path}: run a program with `turnspan run`, or name another place with --home or --store"
                )
            return cls(settings, (open_store if writes else open_for_reading)(settings.store_url))
        except NothingRecordedError as error:
            if waiting := waiting_journals(settings.journal_path):
                raise NothingRecordedError(f"{error}; {waiting_says(waiting)}") from None
            raise

    # Sessions ---------------------------------------------------------------------------------------------------

    def sessions(self, where: SessionFilter | None = None, *, costs: bool = False) -> Page:
        """Return a page of sessions, the last used first; with what they cost, where that is asked and known."""
        where = where or SessionFilter()
        page = page_of(self.store, where)
        if self.running is not None and where.after is None:
            page = replace(page, sessions=self._with_running(page.sessions, where))
        return replace(page, sessions=with_costs(self.store, page.sessions)) if costs else page

    def _with_running(self, stored: list[SessionSummary], where: SessionFilter) -> list[SessionSummary]:
        """Return the first sessions of a list, with those in which something runs at its beginning."""
        known = {one.session_id: one for one in stored}
        first: list[SessionSummary] = []
        for running in self._runs():
            if not matches(running, where):
                continue
            line = known.pop(running.session_id, None)
            if line is None and (window := window_of(self.store, running.session_id, 0, 1)) is not None:
                line = summary_of_window(window)
            first.append(summary_of_session(running) if line is None else beside_summary(line, running))
        return [*first, *known.values()]

    def _runs(self) -> list[SessionRecord]:
        return [] if self.running is None else self.running.sessions()

    def _running(self, session_id: str) -> SessionRecord | None:
        return next((one for one in self._runs() if one.session_id == session_id), None)

    def window(self, session_id: str, place: At, limit: int, outlines: Outlines | None = None) -> Window | None:
        """Return a window of a session (see :func:`~turnspan.reading.windows.window_of`), with what runs in it."""
        return beside_window(window_of(self.store, session_id, place, limit, outlines), self._running(session_id))

    def session(self, wanted: str) -> SessionRecord:
        """Return the session that is meant: by its id, its beginning, an id of something in it, or ``last``.

        Raises:
            SessionNotFoundError: When there is none, or when it may be several.

        """
        wanted = self._newest() if wanted == "last" else wanted
        session = self._load(wanted) or self._load(self._session_with(wanted))
        if session is None:
            raise SessionNotFoundError(wanted, f"There is no session {wanted!r}: {self._hint(wanted)}")
        return session

    def session_id(self, wanted: str) -> str:
        """Return the id of the session that is meant, as :meth:`session` does, without reading it.

        Raises:
            SessionNotFoundError: When there is none, or when it may be several.

        """
        wanted = self._newest() if wanted == "last" else wanted
        return wanted if self.state(wanted) is not None else self._session_with(wanted)

    def _newest(self) -> str:
        if running := self._runs():
            return running[0].session_id
        newest = summaries(self.store, SessionFilter(limit=1))
        if not newest:
            raise NothingRecordedError("No session is recorded yet: run a program with `turnspan run`")
        return newest[0].session_id

    def _session_with(self, wanted: str) -> str:
        """Return the one session in which something has an id that begins like this."""
        ids = sorted({hit.session_id for hit in hits(self.store, wanted)}) if wanted else []
        if len(ids) > 1:
            some = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
            raise SessionNotFoundError(
                wanted, f"{wanted!r} is ambiguous: {len(ids)} sessions match: {some}; use more of it"
            )
        if not ids:
            raise SessionNotFoundError(wanted, f"There is no session {wanted!r}: {self._hint(wanted)}")
        return ids[0]

    def turn(self, session: SessionRecord, wanted: str) -> TurnRecord:
        """Return a turn of a session: by its id or the beginning of it, or by its number, 1 being the first, -1 the last.

        Raises:
            IdNotFoundError: When there is none, or when it may be several.

        """
        turns = session.turns
        exact = [turn for turn in turns if turn.turn_id == wanted]
        if not exact and wanted.lstrip("-").isdecimal() and len(wanted) < 10:
            number = int(wanted)
            exact = turns[number - 1 : number] if number > 0 else turns[number:][:1] if number >= -len(turns) else []
        found = exact or [turn for turn in turns if turn.turn_id.startswith(wanted)]
        if len(found) != 1:
            says = f"{len(found)} turns match" if found else f"its turns are numbered 1 to {len(turns)}"
            raise IdNotFoundError(f"No unique turn {wanted!r} in session {session.session_id}: {says}")
        return found[0]

    def state(self, session_id: str) -> str | None:
        """Return a text that is another one as soon as a session may be; None where there is no session of this id."""
        stored, running = state_of(self.store, session_id), self._running(session_id)
        return stored if running is None else f"{stored or ''} {state_of_running(running)}"

    def children(self, session_id: str) -> list[SessionSummary]:
        """Return the sessions whose parent this one is."""
        return summaries(self.store, SessionFilter(parent_id=session_id, limit=_MOST_CHILDREN))

    def tree(self, session: SessionRecord) -> list[TimelineNode]:
        """Return the turns of a session, each with all that happened in it."""
        return session_tree(session, self._handoff_rows(session))

    def timeline(self, session: SessionRecord) -> list[TimelineEntry]:
        """Return all that happened in a session, in order of time."""
        return timeline_of(session, self._handoff_rows(session))

    def audit_rows(self, session_id: str) -> list[AuditRow]:
        """Return the audit rows of a session; none where the store keeps none."""
        return self.store.audit_events(session_id) if isinstance(self.store, Audited) else []

    def _handoff_rows(self, session: SessionRecord) -> list[AuditRow]:
        """Return the only audit rows that a tree needs: a long session has many."""
        if not session.agent_transitions or not isinstance(self.store, Audited):
            return []
        where = AuditFilter(sessions=frozenset({session.session_id}), kind=HANDED_OFF)
        return list(self.store.audit_rows(where))

    def _load(self, session_id: str) -> SessionRecord | None:
        found = self.store.load_session(session_id)
        return beside(None if found is None else as_ours(found), self._running(session_id))

    def _hint(self, wanted: str) -> str:
        known = ["last", *(one.session_id for one in summaries(self.store, SessionFilter(limit=_COMPARED)))]
        if close := get_close_matches(wanted, known, n=3):
            return f"did you mean {' or '.join(close)}?"
        return "no id begins with this; `turnspan sessions` lists sessions"

    # Ids --------------------------------------------------------------------------------------------------------

    def hits(self, wanted: str) -> list[Hit]:
        """Return what has an id, or one that begins like it; where it is in several turns, one hit each.

        Raises:
            IdNotFoundError: When nothing has it, or too many things begin like it.

        """
        found = hits(self.store, wanted) if wanted else []
        if not found:
            url = without_password(self.settings.store_url)
            raise IdNotFoundError(f"Nothing in {url} has an id that equals or begins with {wanted!r}")
        ids = sorted({hit.id for hit in found})
        if len(ids) > 1:
            some = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
            raise IdNotFoundError(f"{wanted!r} is ambiguous: {len(ids)} ids match: {some}; use more of it")
        turns = {(hit.session_id, hit.turn_id): hit for hit in found if hit.turn_id is not None}
        return list(turns.values()) or found[:1]

    def find(self, wanted: str, spans: SpanSource | None = None, lines: LineSource | None = None) -> list[Place]:
        """Return where an id is in record, trace and log; trace and log are searched where a source is given.

        Raises:
            IdNotFoundError: When nothing has it, or too many things begin like it.
            EvidenceError: When a source cannot be read.

        """
        return [place_of(self.store, hit, spans, lines) for hit in self.hits(wanted.strip())]

    def span_source(self, where: str | None = None) -> SpanSource | None:
        """Return where spans are looked for: what is named (``none``: nowhere), or the file in home if there is one."""
        if where is not None:
            return None if where == NOWHERE else span_source(where)
        return FileSpans(self.settings.spans_path, own=True) if self.settings.spans_path.is_file() else None

    def line_source(self, where: str | None = None) -> LineSource | None:
        """Return where log lines are looked for: what is named (``none``: nowhere), or the log file if there is one."""
        if where is not None:
            return None if where == NOWHERE else line_source(where)
        path = self.settings.log_path
        return FileLines(path) if path is not None and path.is_file() else None

    # Beside the store -------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> list[WaitingJournal]:
        """The journals of dead processes whose events are not in the store yet."""
        return waiting_journals(self.settings.journal_path)

    @property
    def traces(self) -> Links:
        """Links to traces."""
        return Links("TURNSPAN_TRACE_URL", self.settings.trace_url, TRACES)

    @property
    def logs(self) -> Links:
        """Links to log lines."""
        return Links("TURNSPAN_LOG_URL", self.settings.log_url, LOGS)


def waiting_says(waiting: list[WaitingJournal]) -> str:
    """Return the message about journals that wait."""
    left = (
        "a dead process left a journal"
        if len(waiting) == 1
        else f"dead processes left {counted(len(waiting), 'journal')}"
    )
    count = sum(journal.events for journal in waiting)
    return (
        f"{left} of {counted(count, 'event')}, the last of which may not be shown yet: `turnspan recover` stores them"
    )


def _local_path(url: str) -> Path | None:
    """Return the file or folder that a store's URL names; None where it is a server or memory."""
    scheme, _, rest = url.partition(":")
    if scheme.partition("+")[0] == "sqlite":
        path = rest.removeprefix("///").partition("?")[0]
        return None if path in ("", "//", ":memory:") or path.startswith("file:") else Path(path)
    return Path(rest.removeprefix("//")) if scheme == "file" else None
