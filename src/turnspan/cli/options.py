"""What commands share: their options, what these mean, and what they open."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from turnspan.cli.formatting import Display
from turnspan.cli.output import note
from turnspan.model.json_values import folded
from turnspan.reading.pages import summaries
from turnspan.reading.places import hits
from turnspan.reading.reader import Reader, waiting_says
from turnspan.settings import Settings
from turnspan.stores.base import Closes, SessionFilter

F = TypeVar("F", bound=Callable[..., Any])
_AGO = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOST_COMPLETIONS = 50
LARGEST = 2**63 - 1
"""The largest integer that every store has."""


# Types -------------------------------------------------------------------------------------------------------------


if TYPE_CHECKING:
    from turnspan.receiver.running import RunningTraces

if TYPE_CHECKING:  # generic for the type checker, and in click's newest version only
    _Type = click.ParamType[Any]
else:
    _Type = click.ParamType


class Id(_Type):
    """An id, or the beginning of one; the shell completes it from what is recorded.

    Args:
        sessions_only: Complete ids of sessions, and ``last``; otherwise any id.

    """

    name = "id"

    def __init__(self, *, sessions_only: bool = True) -> None:
        self._sessions_only = sessions_only

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return an id."""
        text = str(value).strip()
        if not text or not text.isprintable():
            self.fail(f"{text!r} is not an id: ids are printable text", param, ctx)
        return text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return what begins like it, the last used sessions first; nothing where nothing can be read."""
        del param
        with suppress(Exception):
            reader = Reader.open(Settings.read(home=ctx.params.get("home"), store=ctx.params.get("store")))
            newest = summaries(reader.store, SessionFilter(limit=1000))
            found = [
                CompletionItem(one.session_id, help=folded(one.prompt, 60))
                for one in newest
                if one.session_id.startswith(incomplete)
            ]
            if self._sessions_only and "last".startswith(incomplete):
                found.insert(0, CompletionItem("last", help="the session that was used last"))
            if incomplete and not found:
                known = {hit.id: hit.kind for hit in hits(reader.store, incomplete)}
                found = [CompletionItem(id_, help=kind) for id_, kind in known.items()]
            return found[:_MOST_COMPLETIONS]
        return []


class Time(_Type):
    """A point in time, given as a date, a time, or so long ago; as ISO 8601 in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the time."""
        text = str(value)
        try:
            if ago := re.fullmatch(r"(\d+)([smhdw])", text):
                at = datetime.now(UTC) - timedelta(**{_AGO[ago[2]]: int(ago[1])})
            else:
                at = datetime.fromisoformat(text).astimezone(UTC)
        except OverflowError:
            self.fail(f"{text!r} is out of range: times are in the years 1 to 9999", param, ctx)
        except ValueError:
            self.fail(
                f"{text!r} is not a time; write 2026-11-21, 2026-11-21T10:00, or 2h, 3d for so long ago", param, ctx
            )
        return at.isoformat()


class Duration(_Type):
    """A length of time such as 7d or 12h; in nanoseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the duration."""
        text = str(value)
        length = re.fullmatch(r"(\d+)([smhdw])", text)
        if length is None:
            self.fail(f"{text!r} is not a duration; write 12h, 7d or 4w", param, ctx)
        try:
            return int(timedelta(**{_AGO[length[2]]: int(length[1])}).total_seconds() * 1e9)
        except OverflowError:
            self.fail(f"{text!r} is too long", param, ctx)


class Words(_Type):
    """Text that stores can look for."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text."""
        text = str(value)
        if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
            self.fail(f"{text[:80]!r} contains characters that are not text", param, ctx)
        return text


class Seconds(click.FloatRange):
    """A number of seconds that is one: neither infinite nor NaN."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        found: float = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return found


# Options -----------------------------------------------------------------------------------------------------------


def store_options(function: F) -> F:
    """Add where things are, and ``--json``: the options of every command that has to do with a store."""
    return _with(
        function,
        click.option("--home", metavar="FOLDER", help="Home folder (default: TURNSPAN_HOME, or .turnspan)."),
        click.option("--store", metavar="URL", help="Store URL (default: TURNSPAN_STORE, or SQLite in home)."),
        click.option("--json", "as_json", is_flag=True, help="Print a JSON document, also for errors."),
    )


def display_options(*, ids: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add how things are shown, and pass it as ``display``.

    Args:
        ids: Whether there are ids that are shown only where they are asked for.

    """

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(*, utc: bool, full: bool, ids: bool = False, **given: Any) -> Any:
            return function(display=Display(utc, full, ids), **given)

        more = [click.option("--ids", is_flag=True, help="Show the ids of events, calls and spans.")] if ids else []
        return _with(
            command,
            *more,
            click.option("--full", is_flag=True, help="Show content in full."),
            click.option("--utc", is_flag=True, help="Show times in UTC."),
        )

    return add


def reads_store(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that reads, and pass it a ``reader``; journals that wait are named, and left alone."""
    return _with_reader(function, writes=False)


def changes_store(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that changes what is stored, and pass it a ``reader`` of it."""
    return _with_reader(function, writes=True)


def _with_reader(function: Callable[..., Any], *, writes: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def command(*, home: str | None, store: str | None, **given: Any) -> Any:
        settings = Settings.read(home=home, store=store)
        reader = Reader.open(settings, writes=writes)
        if not writes:
            reader.running = running_traces(settings)
        if not writes and (waiting := reader.waiting):
            note(waiting_says(waiting))
        try:
            return function(reader=reader, **given)
        finally:
            if isinstance(reader.store, Closes):
                reader.store.close()

    return store_options(command)


def running_traces(settings: Settings) -> RunningTraces | None:
    """Return what says which turns run that `turnspan serve` receives; None where it has not received anything."""
    if not settings.spool_path.exists():
        return None
    try:
        from turnspan.receiver.running import RunningTraces
    except ImportError:  # the extra is not installed here
        return None
    return RunningTraces(settings.spool_path, settings)


def source_options(function: F) -> F:
    """Add where spans and log lines are looked for."""
    return _with(
        function,
        click.option(
            "--spans",
            metavar="WHERE",
            help='OTLP JSON file, or URL of Jaeger or Tempo (default: file in home; "none").',
        ),
        click.option(
            "--logs", metavar="WHERE", help='JSON lines file, or URL of Loki (default: the log file; "none").'
        ),
    )


SESSION = click.argument("session", type=Id())
"""The session that is meant: its id or the beginning of it, any id in it, or ``last``."""


def _with(function: F, *options: Callable[[F], F]) -> F:
    for option in reversed(options):
        function = option(function)
    return function
