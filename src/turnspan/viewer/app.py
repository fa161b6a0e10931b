"""The pages and their addresses; behind each address, ``.json`` is the same for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from turnspan.errors import (
    IdNotFoundError,
    NothingRecordedError,
    SessionNotFoundError,
    StoreUnavailableError,
    TurnspanError,
    UnreadableSessionError,
)
from turnspan.model.json_values import encode
from turnspan.viewer import filters, live, openapi
from turnspan.viewer.agents_page import AgentPages
from turnspan.viewer.analysis_pages import AnalysisPages
from turnspan.viewer.event_page import EventPages
from turnspan.viewer.guard import Guard
from turnspan.viewer.rendering import TYPES, asset, environment, render
from turnspan.viewer.session_page import SessionPages
from turnspan.viewer.sessions_page import SessionsPages
from turnspan.viewer.source import Source

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_STATUS: list[tuple[type[Exception], int, str]] = [
    (NothingRecordedError, 404, "Nothing is recorded yet"),
    (SessionNotFoundError, 404, "There is no such session"),
    (IdNotFoundError, 404, "Nothing has this id"),
    (filters.QueryError, 400, "Invalid search"),
    (UnreadableSessionError, 500, "This session cannot be read"),
    (StoreUnavailableError, 503, "The store cannot be read now"),
    (TurnspanError, 500, "This could not be shown"),
]


def make_app(source: Source, *, token: str | None = None, hosts: Iterable[str] = ()) -> ASGIApp:
    """Return the pages over one store, guarded.

    Args:
        source: What is read.
        token: What a request must carry; None on loopback.
        hosts: The names under which the server may be asked besides those of this machine.

    """
    environment()
    sessions, session, events = SessionsPages(source), SessionPages(source), EventPages(source)
    agents, analysis = AgentPages(source), AnalysisPages(source)
    routes = [
        Route("/", lambda _request: RedirectResponse("/sessions")),
        Route("/assets/{name}", _asset),
        Route("/live", live.endpoint(source)),
        *_pair("/sessions", sessions.html, sessions.json),
        Route("/sessions/{session}.md", session.markdown),
        *_pair("/sessions/{session}/trust", session.trust_html, session.trust_json),
        *_pair("/sessions/{session}/agents", agents.html, agents.json),
        *_pair("/sessions/{session}", session.html, session.json),
        *_pair("/events/{event}/log", events.log_html, events.log_json),
        *_pair("/events/{event}/why", analysis.why_html, analysis.why_json),
        *_pair("/compare", analysis.compare_html, analysis.compare_json),
        *_pair("/events/{event}", events.event_html, events.event_json),
        *_pair("/traces/{trace}", events.trace_html, events.trace_json),
        Route("/find", sessions.find),
        Route("/openapi.json", lambda _request: json_response(openapi.document())),
        Route("/api", lambda _request: HTMLResponse(render("api.html", api=openapi.document()))),
    ]
    app = Starlette(
        routes=routes, exception_handlers={HTTPException: _no_page, Exception: _failure, TurnspanError: _failure}
    )
    app.router.redirect_slashes = False
    return Guard(app, token=token, hosts=hosts)


def _pair(path: str, html: Callable[[Request], str], json: Callable[[Request], Any]) -> list[Route]:
    """Return the routes of a page and of the same as JSON, which is asked first: an id may end like this, too."""

    def as_html(request: Request) -> Response:
        return HTMLResponse(html(request))

    def as_json(request: Request) -> Response:
        return json_response(json(request))

    return [Route(f"{path}.json", as_json), Route(path, as_html)]


def json_response(document: Any, status: int = 200) -> Response:
    """Return a document as JSON."""
    return Response(encode(document), status, media_type="application/json")


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    content = asset(name)
    if content is None:
        raise HTTPException(404)
    lasting = {"cache-control": "max-age=31536000, immutable"} if request.url.query else {}
    return Response(content, 200, lasting, media_type=TYPES[name.rpartition(".")[2]])


def _no_page(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _problem(request, status, "There is no such page", "The address is none of these pages'.", "not_found")


def _failure(request: Request, error: Exception) -> Response:
    for kind, status, title in _STATUS:
        if isinstance(error, kind):
            return _problem(request, status, title, str(error), type(error).__name__)
    says = f"{type(error).__name__}: {error}"
    return _problem(request, 500, "This could not be shown", f"{says}; please report this", "unexpected")


def _problem(request: Request, status: int, title: str, says: str, kind: str) -> Response:
    if request.url.path.endswith(".json"):
        return json_response({"schema": "turnspan.error/1", "error": {"kind": kind, "message": says}}, status)
    path = request.url.path
    return HTMLResponse(render("problem.html", title=title, says=says, kind=kind, status=status, path=path), status)
