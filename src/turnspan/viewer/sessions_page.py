"""The page of sessions: the last used first, filtered by its address, a page at a time."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from turnspan.errors import NothingRecordedError
from turnspan.model.addresses import event_path, session_path, trace_path, turn_anchor
from turnspan.model.json_values import folded
from turnspan.reading.pages import Page
from turnspan.reading.places import Hit, hits
from turnspan.reading.prices import Cost
from turnspan.stores.base import SessionSummary
from turnspan.viewer import filters
from turnspan.viewer.rendering import render
from turnspan.viewer.source import Pages
from turnspan.viewer.values import safe

_SHORTEST_ID = 6
"""Characters of what may be the beginning of an id; a shorter word is looked for as a word."""
_PROMPT = 180


class SessionsPages(Pages):
    """Lists sessions."""

    def html(self, request: Request) -> str:
        """Return the page."""
        given = filters.given_in(request.query_params)
        problem = None
        try:
            page = self._page(request)
        except NothingRecordedError as error:
            page, problem = Page([], None), str(error)
        return render(
            "sessions.html",
            sessions=page.sessions,
            next=filters.address(given, after=page.next) if page.next else None,
            given=given,
            removable={name: filters.without(given, name) for name in given},
            is_first="after" not in request.query_params,
            problem=problem,
            prompt_of=_prompt_of,
            cost_of=_cost_of,
            json_path=f"/sessions.json?{request.url.query}".rstrip("?"),
        )

    def json(self, request: Request) -> dict[str, Any]:
        """Return the same as ``turnspan sessions --json`` prints it."""
        page = self._page(request)
        return {"schema": "turnspan.sessions/1", "sessions": page.sessions, "next": page.next}

    def _page(self, request: Request) -> Page:
        return self._source.reader.sessions(filters.filter_of(request.query_params), costs=True)

    def find(self, request: Request) -> Response:
        """Go where an id is, or to the sessions with these words."""
        wanted = request.query_params.get("q", "").strip()
        if len(wanted) >= _SHORTEST_ID and " " not in wanted and "\x00" not in wanted:
            found = hits(self._source.reader.store, wanted)
            if len({hit.id for hit in found}) == 1:
                return RedirectResponse(path_of(found[0]))
        return RedirectResponse(filters.address({"search": wanted} if wanted else {}))


def path_of(hit: Hit) -> str:
    """Return the address of what an id names."""
    if hit.kind == "audit event":
        return event_path(hit.id)
    if hit.kind == "trace":
        return trace_path(hit.id)
    return turn_path(hit.session_id, hit.turn_id)


def turn_path(session_id: str, turn_id: str | None) -> str:
    """Return the address of a turn, on the window of its session that it is in."""
    if turn_id is None:
        return session_path(session_id)
    anchor = turn_anchor(turn_id)
    return f"{session_path(session_id)}?turn={anchor.removeprefix('turn-')}#{anchor}"


def _prompt_of(session: SessionSummary) -> str:
    return safe(folded(session.prompt[: 4 * _PROMPT], _PROMPT))


def _cost_of(session: SessionSummary) -> str:
    return str(Cost(session.cost_usd or 0.0, session.unpriced_calls))
