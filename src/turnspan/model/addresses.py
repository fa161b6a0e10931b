"""Addresses of what is recorded, on the pages of ``turnspan view``; they stand on spans, and stay.

An id may hold any printable character, so it is quoted whole: a slash in an id is not a step of a path.
"""

from __future__ import annotations

import re
from urllib.parse import quote

_DOTS = {".": "%252E", "..": "%252E%252E"}
"""Browsers walk up a path by these, quoted or not."""

_FORMAT = re.compile(r"\.(json|md)$")
"""What an address ends with that asks for another format; an id that ends like it has its dot quoted."""


def quoted(id_: str) -> str:
    """Return an id as one step of a path, or as a part of an anchor."""
    step = _DOTS.get(id_) or quote(id_, safe="", errors="backslashreplace")
    return _FORMAT.sub(r"%2E\1", step)


def turn_anchor(turn_id: str) -> str:
    """Return the name of a turn's place on its session's page."""
    return f"turn-{quoted(turn_id)}"


def event_anchor(event_id: str) -> str:
    """Return the name of the place of what an event started, on its session's page."""
    return f"event-{quoted(event_id)}"


def session_path(session_id: str, turn_id: str | None = None) -> str:
    """Return the address of a session, or of a turn of it, behind the pages' base."""
    path = f"/sessions/{quoted(session_id)}"
    return path if turn_id is None else f"{path}#{turn_anchor(turn_id)}"


def event_path(event_id: str) -> str:
    """Return the address of an audit event."""
    return f"/events/{quoted(event_id)}"


def trace_path(trace_id: str) -> str:
    """Return the address of a trace."""
    return f"/traces/{quoted(trace_id)}"
