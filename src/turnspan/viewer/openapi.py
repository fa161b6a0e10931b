"""What programs may ask for, as an OpenAPI document; the page ``/api`` is made of it."""

from __future__ import annotations

from typing import Any

from turnspan._version import __version__
from turnspan.viewer.filters import NAMES, PAGE

_SESSION = {
    "name": "session",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The session's id, quoted whole.",
}
_WINDOW = [
    {
        "name": "turn",
        "in": "query",
        "schema": {"type": "string"},
        "description": "The first turn: its id, or its number from 1.",
    },
    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 500}, "description": "How many turns."},
]
_FILTERS = [
    *(
        {
            "name": name,
            "in": "query",
            "schema": {"type": "string"},
            "description": f"As turnspan sessions --{name.replace('_', '-')}.",
        }
        for name in NAMES
    ),
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "maximum": 200, "default": PAGE},
        "description": "How many.",
    },
    {"name": "after", "in": "query", "schema": {"type": "string"}, "description": "What was next on the page before."},
]


def document() -> dict[str, Any]:
    """Return the document."""
    paths = {
        "/sessions.json": _get("A page of sessions, the last used first", _FILTERS, ("schema", "sessions", "next")),
        "/sessions/{session}.json": _get(
            "A session with a window of its turns",
            [_SESSION, *_WINDOW],
            ("schema", "session_id", "turns", "agent_transitions", "window"),
        ),
        "/sessions/{session}.md": _get("The same as Markdown", [_SESSION, *_WINDOW], (), "text/markdown"),
        "/sessions/{session}/trust.json": _get(
            "What `turnspan verify` says of a session",
            [_SESSION],
            ("schema", "proven", "checks", "findings", "notes", "looked_at"),
        ),
        "/sessions/{session}/agents.json": _get(
            "Who called and handed over to whom, together and step by step",
            [_SESSION, *_WINDOW],
            ("schema", "session_id", "window", "agents", "ways", "steps"),
        ),
        "/events/{event}/log.json": _get(
            "The log lines about the call that an event belongs to",
            [_id("event")],
            ("schema", "audit_event_id", "source", "lines"),
        ),
        "/events/{event}.json": _get(
            "An audit event, and where it is in record, trace and log", [_id("event")], ("schema", "place", "row")
        ),
        "/events/{event}/why.json": _get(
            "Who asked for a step, and where the values that it was given were said before",
            [_id("event")],
            ("schema", "session_id", "step", "inside", "asked_by", "values"),
        ),
        "/compare.json": _get(
            "Two sessions or turns, step by step",
            [_side("a"), _side("b")],
            ("schema", "a", "b", "same", "counts", "steps"),
        ),
        "/traces/{trace}.json": _get("The turns in a trace", [_id("trace")], ("schema", "trace_id", "turns")),
        "/live": _get(
            "News as server-sent events: `changed` whenever a page may look different",
            [{**_SESSION, "in": "query", "required": False, "description": "Of this session only."}],
            (),
            "text/event-stream",
        ),
    }
    about = "Sessions as the pages of turnspan view show them. Nothing can be changed. Errors are JSON with a kind and a message."
    return {
        "openapi": "3.1.0",
        "info": {"title": "turnspan view", "version": __version__, "description": about},
        "paths": paths,
    }


def _id(name: str) -> dict[str, Any]:
    return {**_SESSION, "name": name, "description": f"The id of the {name}, or the beginning of it."}


def _side(name: str) -> dict[str, Any]:
    return {
        **_SESSION,
        "name": name,
        "in": "query",
        "description": "A session's id or a turn's, or the beginning of one.",
    }


def _get(
    summary: str, parameters: list[dict[str, Any]], fields: tuple[str, ...], kind: str = "application/json"
) -> dict[str, Any]:
    schema = (
        {"type": "object", "required": list(fields), "properties": {name: {} for name in fields}}
        if fields
        else {"type": "string"}
    )
    found = {"description": summary, "content": {kind: {"schema": schema}}}
    missing = {"description": "There is nothing with this id"}
    return {"get": {"summary": summary, "parameters": parameters, "responses": {"200": found, "404": missing}}}
