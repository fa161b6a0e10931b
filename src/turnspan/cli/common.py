"""What the reading commands share: which store, and how times, durations and content look."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from turnspan.cli.output import echo
from turnspan.errors import TurnspanError
from turnspan.model.json_values import folded
from turnspan.reading.deep_links import LOGS, TRACES, Links
from turnspan.settings import Settings
from turnspan.stores import SessionStore, open_store

if TYPE_CHECKING:
    from turnspan.recording.recovery import Recovered

F = TypeVar("F", bound=Callable[..., Any])
STATUS_STYLE = {
    "success": "green",
    "error": "red",
    "timeout": "red",
    "cancelled": "yellow",
    "skipped": "yellow",
    "running": "cyan",
}
_AGO = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
STATUS_MARK = {"success": "ok", "error": "ERROR", "timeout": "TIMEOUT"}


class Reading(NamedTuple):
    """An open store and the files beside it."""

    settings: Settings
    store: SessionStore

    @property
    def spans_path(self) -> Path:
        """Where spans are kept locally."""
        return self.settings.spans_path

    @property
    def traces(self) -> Links:
        """Links to traces."""
        return Links("TURNSPAN_TRACE_URL", self.settings.trace_url, TRACES)

    @property
    def logs(self) -> Links:
        """Links to log lines."""
        return Links("TURNSPAN_LOG_URL", self.settings.log_url, LOGS)


def reads(function: F) -> F:
    """Add the options of every reading command."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--store", help="Store URL; the default is that of the environment or of home."),
        click.option("--home", help="Where things are kept (default .turnspan)."),
    ):
        function = option(function)
    return function


def open_reading(home: str | None, store: str | None) -> Reading:
    """Open the store that is meant, after storing what dead processes left for it.

    Raises:
        TurnspanError: When there is nothing to read.

    """
    settings = Settings.read(home=home, store=store)
    url = settings.store_url
    path = Path(url.partition(":///")[2]) if url.startswith("sqlite:///") else None
    if path is not None and not path.exists() and not any(settings.journal_path.glob("*.lock")):
        raise TurnspanError(
            f"Nothing is recorded in {path}: run a program with `turnspan run`, or name another place with --home or --store"
        )
    opened = open_store(url)
    for one in recover_for(settings, opened):
        if one.problem is not None:
            echo(f"turnspan: what a dead process left is not stored yet: {one.problem}", err=True)
    return Reading(settings, opened)


def recover_for(settings: Settings, store: SessionStore) -> list[Recovered]:
    """Store what dead processes left; the SDK is loaded only if there are spans to send."""
    from turnspan.journal.seals import Key
    from turnspan.recording.recovery import recover_as_set

    def send(spans: list[Any]) -> None:
        from turnspan.otel_sdk.setup import resend

        resend(settings, spans)

    return recover_as_set(settings, store, settings.store_url, Key.read(settings.signing_key), send)


def when(text: str | None) -> str:
    """Return a time for people: local, to the second."""
    if not text:
        return "-"
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return text


def format_duration(duration_ms: float | None) -> str:
    """Return a duration for people."""
    if duration_ms is None:
        return "-"
    if duration_ms < 1:
        return f"{duration_ms * 1000:.0f} us"
    if duration_ms < 1000:
        return f"{duration_ms:.0f} ms"
    seconds = duration_ms / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def short(value: Any, limit: int = 80) -> str:
    """Return content folded, with secrets hidden."""
    from turnspan.recording.redaction import hidden

    return folded(hidden(folded(value, 100_000)), limit)


def time_of(text: str | None) -> str | None:
    """Return a time that a person wrote as ISO 8601 in UTC.

    Raises:
        TurnspanError: When it is no time.

    """
    if text is None:
        return None
    if ago := re.fullmatch(r"(\d+)([smhdw])", text):
        at = datetime.now(UTC) - timedelta(**{_AGO[ago[2]]: int(ago[1])})
        return at.isoformat()
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except ValueError as error:
        raise TurnspanError(
            f"{text!r} is no time; write 2026-11-21, 2026-11-21T10:00, or 2h, 3d for so long ago"
        ) from error
