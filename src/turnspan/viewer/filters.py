"""Filters of sessions as addresses: what stands in the query is what is shown, so that it can be sent to somebody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from turnspan.errors import TurnspanError
from turnspan.stores.base import SessionFilter

NAMES = (
    "search",
    "status",
    "agent",
    "tool",
    "model",
    "workspace",
    "parent",
    "since",
    "until",
    "min_tokens",
    "min_seconds",
)
"""What may be asked, by the names that ``turnspan sessions`` has for it."""
PAGE = 40
_MOST = 200
_AGO = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LARGEST = 2**63 - 1


class QueryError(TurnspanError, ValueError):
    """What an address asks for is not something that can be looked for."""


def given_in(query: Mapping[str, str]) -> dict[str, str]:
    """Return what is asked for, without what is empty."""
    return {name: query[name].strip() for name in NAMES if query.get(name, "").strip()}


def filter_of(query: Mapping[str, str]) -> SessionFilter:
    """Return the filter that an address asks for.

    Raises:
        QueryError: When a value of it is not one that can be looked for.

    """
    given = given_in(query)
    return SessionFilter(
        workspace_id=given.get("workspace"),
        parent_id=given.get("parent"),
        agent_id=given.get("agent"),
        status=given.get("status"),
        since=_time(given, "since"),
        until=_time(given, "until"),
        text=_text(given.get("search")),
        tool=given.get("tool"),
        model=given.get("model"),
        min_tokens=_count(given, "min_tokens"),
        min_duration_ms=None if (seconds := _count(given, "min_seconds")) is None else seconds * 1000.0,
        limit=max(1, min(_count(query, "limit") or PAGE, _MOST)),
        after=query.get("after") or None,
    )


def without(given: Mapping[str, str], name: str) -> str:
    """Return the address of the same sessions with one condition less."""
    return address({known: value for known, value in given.items() if known != name})


def address(given: Mapping[str, str], **more: str | None) -> str:
    """Return the address of what is asked for."""
    query = urlencode({**given, **{name: value for name, value in more.items() if value}}, errors="backslashreplace")
    return f"/sessions?{query}" if query else "/sessions"


def _text(text: str | None) -> str | None:
    if text is not None and ("\x00" in text or any("\ud800" <= c <= "\udfff" for c in text)):
        raise QueryError("The search contains characters that are not text")
    return text


def _count(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > _LARGEST:
        raise QueryError(f"{name}={text[:80]} is not a number that can be looked for")
    return int(text)


def _time(given: Mapping[str, str], name: str) -> str | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        if ago := re.fullmatch(r"(\d{1,9})([smhdw])", text):
            at = datetime.now(UTC) - timedelta(**{_AGO[ago[2]]: int(ago[1])})
        else:
            at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError(f"{name}={text[:80]} is not a time: write 2026-11-21, or 2h, 3d for so long ago") from None
    return at.isoformat()
