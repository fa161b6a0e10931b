"""The page of a session: its conversation beside the waterfalls of its turns, a window of turns at a time."""

from __future__ import annotations

import time
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from turnspan.interchange.exporters import as_markdown
from turnspan.model.addresses import quoted, session_path
from turnspan.model.records import FAILED, from_iso, turnspan_metadata
from turnspan.reading.agent_graph import agent_graph
from turnspan.reading.reader import Reader
from turnspan.reading.tree import TimelineNode
from turnspan.reading.windows import Window, window_trees
from turnspan.stores.base import SessionSummary, TurnSummary
from turnspan.verification import verify
from turnspan.verification.report import Report
from turnspan.viewer.conversation import TurnView, turn_view
from turnspan.viewer.graph_picture import graph_picture, steps_picture
from turnspan.viewer.pictures import strip_of
from turnspan.viewer.rendering import render
from turnspan.viewer.session_facts import erased_at, facts_of, title_of
from turnspan.viewer.source import Pages, Source

WINDOW = 12
"""Turns of a page: a jump is there at once, and the next ones are a click away."""
MOST = 500
"""Turns that may be asked for at once."""


class Verdict(NamedTuple):
    """What a verification says of one session, and when it looked."""

    session_id: str
    report: Report
    at: float
    of: str
    """The session's state that was looked at."""


class Failures(NamedTuple):
    """What failed in a session, and where the next failures are behind and before a window."""

    turns: int
    calls: int
    first: str | None
    behind: str | None
    before: str | None

    @classmethod
    def of(cls, window: Window) -> Failures:
        """Return what failed in a session, by its outline."""
        outline, base = window.outline, session_path(window.session.session_id)
        places = [place for place, turn in enumerate(outline) if turn.failed_calls or turn.status in FAILED]

        def address(place: int | None) -> str | None:
            if place is None:
                return None
            turn_id = quoted(outline[place].turn_id)
            return f"{base}?turn={turn_id}#failed-{turn_id}"

        return cls(
            sum(outline[place].status in FAILED for place in places),
            sum(outline[place].failed_calls for place in places),
            address(places[0] if places else None),
            address(next((place for place in places if place >= window.end), None)),
            address(next((place for place in reversed(places) if place < window.first), None)),
        )


class SessionPages(Pages):
    """Shows one session."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._verdicts: dict[str, Verdict] = {}

    def html(self, request: Request) -> str:
        """Return the page."""
        window = asked_window(self._source, request)
        session, reader = window.session, self._source.reader
        roots = window_trees(reader.store, session)
        turns = self._turns(window, roots, whole="whole" in request.query_params)
        agents = agent_graph(roots)
        return render(
            "session.html",
            session=session,
            title=title_of(window),
            facts=facts_of(window.outline, roots),
            erased=erased_at(reader.store, window),
            outline=window.outline,
            graph=graph_picture(agents),
            steps=steps_picture(agents, session.session_id, [turn.turn_id for turn in session.turns], window.first + 1),
            strip=strip_of(window.outline, (window.first, window.end)),
            turns=turns,
            window=window,
            pager=_pager(window),
            failures=Failures.of(window),
            links=TurnLinks(reader, session.session_id),
            ours=turnspan_metadata(session.metadata),
            ended=bool(session.metadata.get("ended")),
            base=session_path(session.session_id),
            is_file=False,
        )

    def json(self, request: Request) -> dict[str, Any]:
        """Return the record with the turns of the window, as ``turnspan show --json`` prints it."""
        window = asked_window(self._source, request)
        behind = window.outline[window.end].turn_id if window.end < len(window.outline) else None
        return {"schema": "turnspan.session/1", **window.session.to_dict(), "window": {**window.facts, "next": behind}}

    def markdown(self, request: Request) -> Response:
        """Return the window as a document to paste."""
        text = as_markdown(asked_window(self._source, request).session)
        return Response(text.encode("utf-8", "backslashreplace"), media_type="text/markdown; charset=utf-8")

    def _turns(self, window: Window, roots: list[TimelineNode], *, whole: bool) -> list[TurnView]:
        children = children_of(self._source.reader, window)
        return [
            turn_view(number, turn, root, whole=whole, children=children.get(turn.turn_id, ()))
            for number, (turn, root) in enumerate(zip(window.session.turns, roots, strict=True), window.first + 1)
        ]

    # Trust ------------------------------------------------------------------------------------------------------

    def trust_html(self, request: Request) -> str:
        """Return the verdict as a piece of a page."""
        verdict = self._verdict(request)
        return render(
            "trust.html",
            session_id=verdict.session_id,
            report=verdict.report,
            at=_utc(verdict.at),
            state=state_of(verdict.report),
        )

    def trust_json(self, request: Request) -> dict[str, Any]:
        """Return the verdict as ``turnspan verify --json`` prints it."""
        verdict = self._verdict(request)
        return {"schema": "turnspan.verify/1", **verdict.report.to_dict(), "looked_at": _utc(verdict.at)}

    def _verdict(self, request: Request) -> Verdict:
        """Return what verification says; it is asked again when the session has changed, or on demand."""
        session = self._source.window(request.path_params["session"], 0, 0).session
        known = self._verdicts.get(session.session_id)
        if known is None or known.of != session.updated_at or "again" in request.query_params:
            reader = self._source.reader
            report = verify(session.session_id, store=reader.store, settings=reader.settings)
            known = self._verdicts[session.session_id] = Verdict(
                session.session_id, report, time.time(), session.updated_at
            )
            while len(self._verdicts) > 200:
                self._verdicts.pop(next(iter(self._verdicts)))
        return known


def asked_window(source: Source, request: Request, most: int = WINDOW) -> Window:
    """Return the window of a session that a request asks for: from which turn, and how many."""
    query, session_id = request.query_params, request.path_params["session"]
    limit = query.get("limit", "")
    if limit.isascii() and limit.isdecimal() and len(limit) < 8:
        most = max(1, min(int(limit), MOST))
    if "turn" not in query:
        return source.window(session_id, 0, most)
    wanted = query["turn"]
    most = 1 if "whole" in query else most
    return source.window(session_id, lambda outline: _place_of(outline, wanted), most)


def children_of(reader: Reader, window: Window) -> dict[str, list[SessionSummary]]:
    """Return the sub-sessions, each under the turn that ran when it began."""
    found: dict[str, list[SessionSummary]] = {}
    for child in reversed(reader.children(window.session.session_id)):
        begun = from_iso(child.created_at) or 0
        before = [turn for turn in window.outline if (from_iso(turn.started_at) or 0) <= begun]
        owner = (before or window.outline[:1])[-1:]
        found.setdefault(owner[0].turn_id if owner else "", []).append(child)
    return found


class TurnLinks:
    """Links from a turn or a call to its trace and its log lines in a viewer; none where no template is set."""

    def __init__(self, reader: Reader, session_id: str) -> None:
        self._traces, self._logs, self._session_id = reader.traces, reader.logs, session_id

    def __call__(self, turn: TurnView, item: Any) -> list[tuple[str, str]]:
        """Return the links of something in a turn, each with its name."""
        ids = {
            "trace_id": item.trace_id or turn.trace_id,
            "span_id": item.span_id or turn.span_id,
            "audit_event_id": next(iter(item.event_ids), None),
            "session_id": self._session_id,
            "turn_id": turn.turn_id,
        }
        found = (("trace", self._traces.to(**ids)), ("log", self._logs.to(**ids)))
        return [(name, url) for name, url in found if url]


def _place_of(outline: list[TurnSummary], wanted: str) -> int:
    """Return the place of a turn: by its id, or by its number from 1; the first where there is none."""
    for known in (wanted, unquote(wanted)):
        for place, turn in enumerate(outline):
            if turn.turn_id == known:
                return place
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 9:
        return max(0, min(int(wanted), len(outline)) - 1)
    return 0


def _pager(window: Window) -> dict[str, str | None]:
    """Return the addresses of the windows around this one."""
    base, outline, size = (
        session_path(window.session.session_id),
        window.outline,
        max(WINDOW, len(window.session.turns)),
    )

    def at(place: int) -> str:
        return f"{base}?turn={quoted(outline[place].turn_id)}"

    return {
        "first": base if window.first > 0 else None,
        "before": at(max(0, window.first - size)) if window.first > 0 else None,
        "behind": at(window.end) if window.end < len(outline) else None,
        "last": at(max(0, len(outline) - size)) if window.end < len(outline) else None,
    }


def state_of(report: Report) -> str:
    """Return a report's verdict in a word."""
    return {0: "proven", 1: "explained gaps", 2: "gaps", 3: "altered"}.get(report.exit_code, "not looked at")


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(at))
