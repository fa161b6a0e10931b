"""The one recorder of this process, and how it is set up."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from opentelemetry import baggage

from turnspan.adapter import ResolvedSession
from turnspan.errors import InvalidIdError
from turnspan.events import SessionSource, SessionStarted
from turnspan.model.ids import derived_id, new_id
from turnspan.model.json_values import encode
from turnspan.model.records import MAX_ID_LENGTH, OURS, check_id
from turnspan.recording.pipeline import FLUSH_S
from turnspan.recording.recorder import Recorder, all_recorders
from turnspan.settings import Settings, scheme_of, unknown_variables
from turnspan.telemetry.current_context import BAGGAGE_SESSION, current_context
from turnspan.telemetry.own_log import logger

_recorder: Recorder | None = None
_settings: Settings | None = None
_telemetry = False
_first_use: list[Callable[[], None]] = []
_lock = threading.RLock()


def recorder() -> Recorder:
    """Return the recorder of this process, made on first use."""
    global _recorder
    if _recorder is None:
        with _lock:
            if _recorder is None:
                _recorder = _made(_settings or Settings.read())
    return _recorder


def _made(settings: Settings) -> Recorder:
    if not settings.disabled:
        _warn_of_variables()
    made = Recorder(settings)
    if _telemetry and not settings.disabled:

        def set_up() -> None:
            from turnspan.otel_sdk.setup import set_up

            set_up(settings, made)

        made.before_first_turn(set_up)
    for run in _first_use:
        run()
    return made


@cache  # once a process
def _warn_of_variables() -> None:
    for name, meant in unknown_variables(os.environ).items():
        hint = f"; did you mean {meant}?" if meant else "; docs/reference/settings.md has those that do"
        logger.warning("turnspan: the environment variable %s sets nothing%s", name, hint)


def on_first_use(run: Callable[[], None]) -> None:
    """Have something done when the recorder is first needed, or now if it was."""
    _first_use.append(run)
    if _recorder is not None:
        run()


def active() -> Recorder | None:
    """Return the recorder, or None where turnspan is disabled."""
    found = _recorder or recorder()
    return None if found.disabled else found


def configure(*, telemetry: bool = True, **settings: Any) -> None:
    """Set turnspan up for this process, in place of what the environment says.

    Args:
        telemetry: Set up the OpenTelemetry SDK where the program has not done so itself by its first turn: spans go to
            a file in home, and to ``otlp`` when that is given.
        settings: Any field of :class:`~turnspan.settings.Settings`: ``home store adapters session_id workspace_id
            capture_content telemetry_content log otlp durability keep_journal strict disabled``.

    Raises:
        SettingsError: When a setting means nothing.

    """
    global _settings, _telemetry
    read = Settings.read(**settings)
    scheme_of(read.store_url)
    with _lock:
        shutdown()
        _settings, _telemetry = read, telemetry


def use(made: Recorder | None) -> Recorder | None:
    """Put a recorder in place, for tests; return the one before."""
    global _recorder
    before, _recorder = _recorder, made
    return before


def flush(timeout_s: float = FLUSH_S) -> bool:
    """Wait until everything recorded so far is in its store, and spans have ended; return whether it is so."""
    return all([found.flush(timeout_s) for found in all_recorders()])  # noqa: C419  each is flushed, also behind a failure


def shutdown(timeout_s: float = FLUSH_S) -> None:
    """End what is open, store everything, and stop recording until the next use."""
    global _recorder
    with _lock:
        for found in all_recorders():
            found.close(timeout_s)
        _recorder = None


def find_session(
    own: str | None = None,
    *,
    workspace_id: str | None = None,
    agent_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    explicit: str | None = None,
    parent: str | None = None,
) -> ResolvedSession:
    """Find the session that code belongs to, and begin it if this process has not met it.

    In this order: one given by hand (``explicit``, or ``turnspan.session(...)`` around the call), the runtime's own id,
    baggage, the environment, a new one. A session that begins inside a turn of another one has that as its parent.
    """
    session = _identified(own, explicit)
    more: dict[str, Any] = dict(metadata or {})
    ours: dict[str, Any] = {}
    here = current_context()
    if parent is None and here is not None and here.turn_id is not None:
        parent = here.session_id
    if parent is not None and parent != session.id:
        ours |= {"parent_session_id": parent, "root_session_id": recorder().root_of(parent)}
    try:
        check_id("session", session.id)
    except InvalidIdError as error:
        kept = _storable(session.id)
        logger.warning("turnspan: %s; it is kept as %s", error, kept)
        ours["session_id_given"] = encode(session.id).decode()[:1000]
        session = ResolvedSession(kept, session.source)
    if ours:
        more[OURS] = ours
    found = recorder()
    if not found.knows_session(session.id):
        found.emit(
            SessionStarted(
                session_id=session.id,
                workspace_id=workspace_id,
                agent_id=agent_id,
                source=session.source,
                metadata=more,
            )
        )
    return session


def _identified(own: str | None, explicit: str | None) -> ResolvedSession:
    if explicit is not None:
        return ResolvedSession(explicit, "explicit")
    if (here := current_context()) is not None:
        return ResolvedSession(here.session_id, "explicit")
    sources: tuple[tuple[Any, SessionSource], ...] = (
        (own, "runtime"),
        (baggage.get_baggage(BAGGAGE_SESSION), "baggage"),
        (recorder().settings.session_id, "environment"),
    )
    for value, source in sources:
        if value:
            return ResolvedSession(value if isinstance(value, str) else str(value), source)
    return ResolvedSession(new_id(), "new")


def _storable(session_id: str) -> str:
    readable = "".join(c if c.isprintable() else "_" for c in session_id[: MAX_ID_LENGTH - 40])
    with suppress(InvalidIdError):
        return check_id("session", f"{readable}-{derived_id(session_id)}")
    return new_id()
