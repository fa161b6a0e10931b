"""How times, durations and content look to a person."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from turnspan.model.json_values import folded, to_json

STATUS_STYLE = {
    "success": "green",
    "error": "red",
    "timeout": "red",
    "cancelled": "yellow",
    "skipped": "yellow",
    "running": "cyan",
}
STATUS_MARK = {"success": "ok", "error": "ERROR", "timeout": "TIMEOUT"}
_MOST_OF_CONTENT = 100_000
"""Characters of one content that are folded into a line; ``--full`` has all of them."""


@dataclass(frozen=True, slots=True)
class Display:
    """What a person asked for: times in UTC, content whole, event ids."""

    utc: bool = False
    full: bool = False
    ids: bool = False

    def time(self, text: str | None, *, precise: bool = False) -> str:
        """Return a time with its zone."""
        return format_time(text, utc=self.utc, precise=precise)

    def content(self, value: Any, limit: int) -> str:
        """Return content on one line of about so many characters; whole, with its lines, where that was asked for."""
        from turnspan.recording.redaction import redact_secrets

        return (
            redact_secrets(to_json(value))
            if self.full
            else folded(redact_secrets(folded(value, _MOST_OF_CONTENT)), limit)
        )

    def cell(self, value: Any, limit: int) -> str:
        """Return content for a cell of a table: on one line, and in a pipe all of it."""
        from turnspan.recording.redaction import redact_secrets

        if sys.stdout.isatty():
            return self.content(value, limit)
        return " ".join(redact_secrets(to_json(value)).split())


def format_time(text: str | None, *, utc: bool = False, precise: bool = False) -> str:
    """Return an ISO 8601 time as a person reads it, with its zone: local or UTC, to the second or the millisecond."""
    if not text:
        return "-"
    try:
        at = datetime.fromisoformat(text)
        at = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC if utc else None)
    except (ValueError, OverflowError):  # another program's
        return str(text)
    shown = at.strftime("%Y-%m-%d %H:%M:%S") + (f".{at.microsecond // 1000:03d}" if precise else "")
    offset = at.strftime("%z")
    return f"{shown} UTC" if offset == "+0000" else f"{shown} {offset[:3]}:{offset[3:5]}"


def format_duration(duration_ms: float | None) -> str:
    """Return a duration in the unit that fits."""
    if duration_ms is None:
        return "-"
    if duration_ms < 1:
        return f"{duration_ms * 1000:.0f} us"
    if duration_ms < 1000:
        return f"{duration_ms:.0f} ms"
    seconds = duration_ms / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def format_status(status: str) -> str:
    """Return a status as it is marked."""
    return STATUS_MARK.get(status, status)
