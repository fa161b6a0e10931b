"""Numbers and times as the pages show them."""

from __future__ import annotations

from datetime import UTC, datetime

from turnspan.model.display import noun_for

STATUS_WORD = {"success": "ok", "error": "error", "timeout": "timeout", "cancelled": "cancelled", "running": "running"}
"""A status as it is read; others stay as they are."""


def duration(ms: float | None) -> str:
    """Return a duration in the unit that fits."""
    if ms is None:
        return ""
    if ms < 1:
        return f"{ms * 1000:.0f} µs"
    if ms < 1000:
        return f"{ms:.0f} ms"
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min {int(seconds % 60)} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def count(number: int) -> str:
    """Return a number that may be large: 950, 12.4k, 3.1M."""
    if number < 10_000:
        return f"{number:,}"
    return f"{number / 1000:.1f}k" if number < 1_000_000 else f"{number / 1_000_000:.1f}M"


def plural(number: int, noun: str) -> str:
    """Return a count of something."""
    return f"{count(number)} {noun_for(number, noun)}"


def clock(text: str | None) -> str:
    """Return a time of ISO 8601 as a person reads it, in UTC; the browser says it in its own zone."""
    at = _parsed(text)
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at is not None else str(text or "")


def machine_time(text: str | None) -> str:
    """Return a time as a ``time`` element's ``datetime`` wants it; empty for one that is none."""
    at = _parsed(text)
    return "" if at is None else at.isoformat(timespec="milliseconds")


def _parsed(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text or "")
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
