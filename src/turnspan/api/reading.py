"""Reading back, in a program or a notebook: ``turnspan.sessions(...)``, ``get("last")``, ``why(id)`` and ``diff(a, b)``.

Nothing is made, changed or sent. What this process has recorded until now is there, and so is what others have stored;
what a dead process left in its journal is stored by the next program that records, or by ``turnspan recover``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from turnspan.analysis.comparison import Comparison, compare
from turnspan.analysis.provenance import Explanation, explain
from turnspan.model.display import counted, duration, table_html
from turnspan.model.json_values import folded
from turnspan.model.records import SessionRecord
from turnspan.reading.prices import Cost
from turnspan.reading.reader import Reader
from turnspan.recording import runtime
from turnspan.recording.redaction import redact_secrets
from turnspan.settings import Settings
from turnspan.stores.base import Closes, SessionFilter, SessionStore, SessionSummary

_PROMPT = 120


class SessionList(list[SessionSummary]):
    """Sessions, which a notebook shows as a table: escaped, without scripts or links."""

    def _repr_html_(self) -> str:
        head = ("session", "first prompt", "agent", "turns", "failed", "tokens", "took", "cost", "last used")
        return table_html(counted(len(self), "session"), head, [_cells(one) for one in self])


def _cells(session: SessionSummary) -> list[str]:
    failed = [(session.failed_turns, "turn"), (session.failed_calls, "call")]
    prompt = session.prompt[: 4 * _PROMPT].encode("utf-8", "backslashreplace").decode()
    return [
        session.session_id,
        folded(redact_secrets(prompt), _PROMPT),
        session.agent_id or "",
        str(session.turns),
        ", ".join(counted(number, noun) for number, noun in failed if number),
        f"{session.tokens:,}" if session.tokens else "",
        duration(session.duration_ms) if session.duration_ms else "",
        str(Cost(session.cost_usd or 0.0, session.unpriced_calls)),
        session.updated_at[:19].replace("T", " "),
    ]


Time = str | datetime | timedelta
"""A moment: ISO 8601 text, a datetime, or how long ago."""


def sessions(
    *,
    text: str | None = None,
    workspace_id: str | None = None,
    agent_id: str | None = None,
    status: str | None = None,
    tool: str | None = None,
    model: str | None = None,
    since: Time | None = None,
    until: Time | None = None,
    min_tokens: int | None = None,
    min_duration_ms: float | None = None,
    parent_id: str | None = None,
    limit: int = 20,
    after: str | None = None,
    store: str | SessionStore | None = None,
    home: str | Path | None = None,
) -> list[SessionSummary]:
    """Return sessions, the last used first; a notebook shows them as a table.

    Args:
        text: Words, ``"phrases in quotes"`` and ``beginnings*`` in prompts, answers, errors and tool calls. This and what
            else is given may hold for different turns; None does not matter.
        workspace_id: The workspace of the session.
        agent_id: An agent that has answered in it.
        status: ``success``, ``error``, ``cancelled`` or ``running``: of one of its turns.
        tool: The name of a tool that was called.
        model: A model that was asked.
        since: Used at this time or later: ISO 8601, a datetime, or a timedelta for so long ago.
        until: Begun before.
        min_tokens: One of its turns used so many tokens or more.
        min_duration_ms: One of its turns took so long or longer.
        parent_id: Its parent session.
        limit: How many at most.
        after: The last session id of the page before this one.
        store: A store, or the URL of one; by default that of this process.
        home: Where the store is, when it is not the one of this process.

    Raises:
        NothingRecordedError: When there is no such store.
        StoreUnavailableError: When it cannot be read now.

    """
    where = SessionFilter(
        workspace_id=workspace_id,
        parent_id=parent_id,
        agent_id=agent_id,
        status=status,
        since=_iso(since),
        until=_iso(until),
        text=text,
        tool=tool,
        model=model,
        min_tokens=min_tokens,
        min_duration_ms=min_duration_ms,
        limit=limit,
        after=after,
    )
    with _reader(store, home) as reader:
        return SessionList(reader.sessions(where, costs=True).sessions)


def get(
    wanted: str = "last", *, store: str | SessionStore | None = None, home: str | Path | None = None
) -> SessionRecord:
    """Return a session with everything in it. Print it, or let a notebook show it.

    Args:
        wanted: ``last``, the session's id, the beginning of it, or the id of anything in it: a turn, call, event, trace
            or span.
        store: A store, or the URL of one; by default that of this process.
        home: Where the store is, when it is not the one of this process.

    Raises:
        SessionNotFoundError: When there is none, or when it may be several.
        NothingRecordedError: When there is no such store, or no session in it.
        StoreUnavailableError: When it cannot be read now.

    """
    with _reader(store, home) as reader:
        return reader.session(wanted)


def why(
    wanted: str,
    *,
    text: str | None = None,
    store: str | SessionStore | None = None,
    home: str | Path | None = None,
) -> Explanation:
    """Return which model call asked for a step, and where the values that it was given were said before, by text alone.

    Args:
        wanted: An id of the step: its audit event, span or call, or the beginning of one.
        text: Follow this text instead, through all that was said until the step had ended.
        store: A store, or the URL of one; by default that of this process.
        home: Where the store is, when it is not the one of this process.

    Raises:
        IdNotFoundError: When nothing has the id, or several steps have it.
        NothingRecordedError: When there is no such store.
        StoreUnavailableError: When it cannot be read now.

    """
    with _reader(store, home) as reader:
        return explain(reader, wanted, text)


def diff(
    a: str,
    b: str,
    *,
    times: bool = False,
    store: str | SessionStore | None = None,
    home: str | Path | None = None,
) -> Comparison:
    """Return in what two sessions, or two turns, differ, step by step.

    Args:
        a: A session, as for :func:`get`, or a turn by its id.
        b: Another.
        times: Whether times, durations and token counts are compared, too.
        store: A store, or the URL of one; by default that of this process.
        home: Where the store is, when it is not the one of this process.

    Raises:
        SessionNotFoundError: When one of them is not there, or may be several.
        NothingRecordedError: When there is no such store.
        StoreUnavailableError: When it cannot be read now.

    """
    with _reader(store, home) as reader:
        return compare(reader, a, b, times=times)


@contextmanager
def _reader(store: str | SessionStore | None, home: str | Path | None) -> Iterator[Reader]:
    """Open what is meant, and close what was opened for it."""
    kept: SessionStore | None = None
    if store is None and home is None:
        settings, kept = runtime.settings(), runtime.store()
    elif isinstance(store, str) or store is None:
        settings = Settings.read(home=home, store=store)
    else:
        settings, kept = Settings.read(home=home), store
    if kept is not None:
        yield Reader(settings, kept)
        return
    reader = Reader.open(settings)
    try:
        yield reader
    finally:
        if isinstance(reader.store, Closes):
            reader.store.close()


def _iso(at: Time | None) -> str | None:
    if isinstance(at, timedelta):
        at = datetime.now(UTC) - at
    return at.astimezone(UTC).isoformat() if isinstance(at, datetime) else at
