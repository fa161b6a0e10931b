"""The one recorder of this process, and how it is set up."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, Unpack

from turnspan.adapter import ResolvedSession
from turnspan.errors import InvalidIdError, SettingsError
from turnspan.events import SessionSource, SessionStarted
from turnspan.model.ids import derived_id, new_id
from turnspan.model.json_values import encode
from turnspan.model.records import MAX_ID_LENGTH, OURS, check_id
from turnspan.recording.pipeline import FLUSH_S
from turnspan.recording.recorder import Recorder, all_recorders
from turnspan.recording.sdk import registered
from turnspan.recording.typed_fields import text_of_anything
from turnspan.settings import Settings, SettingsArguments, scheme_of, takes_settings, unknown_variables
from turnspan.stores.base import SessionStore
from turnspan.telemetry.current_context import current_context
from turnspan.telemetry.outgoing import received_session
from turnspan.telemetry.own_log import logger

_recorder: Recorder | None = None
_settings: Settings | None = None
_store: SessionStore | None = None
_held: Recorder | None = None
_telemetry = False
_first_use: list[Callable[[], None]] = []
_lock = threading.RLock()


def recorder() -> Recorder:
    """Return the recorder of this process, which is made on first use."""
    global _recorder
    if _recorder is None:
        with _lock:
            if _recorder is None:
                _recorder = _make(_settings or Settings.read())
    return _recorder


def _make(settings: Settings) -> Recorder:
    if not settings.disabled:
        _warn_of_variables()
    sdk = registered()
    if sdk is None:
        new = Recorder(settings, _store, when_closed=_forget)
    else:
        new = Recorder(settings, _store, when_closed=_forget, tracer_of=sdk.tracer_of)
    if sdk is not None and _telemetry and not settings.disabled:
        new.before_first_turn(partial(sdk.set_up, settings, new))
    for run in _first_use:
        run()
    return new


def _forget(closed: Recorder) -> None:
    """Have the next use make a recorder anew: threads go on recording while one closes."""
    global _recorder
    if _recorder is closed:
        _recorder = _held


def existing() -> Recorder | None:
    """Return the recorder of this process if there is one already: looking at it makes none."""
    return _recorder


def settings() -> Settings:
    """Return the settings of this process, without making a recorder for them."""
    return _recorder.settings if _recorder is not None else _settings or Settings.read()


@cache  # once a process
def _warn_of_variables() -> None:
    for name, meant in unknown_variables(os.environ).items():
        hint = f"; did you mean {meant}?" if meant else "; docs/reference/settings.md lists the known ones"
        logger.warning("turnspan: unknown environment variable %s%s", name, hint)


def on_first_use(run: Callable[[], None]) -> None:
    """Have something done when the recorder is first needed, or now if it was."""
    _first_use.append(run)
    if _recorder is not None:
        run()


def active() -> Recorder | None:
    """Return the recorder, or None where turnspan is disabled."""
    current = _recorder or recorder()
    return None if current.disabled else current


@takes_settings
def configure(
    *, store: str | SessionStore | None = None, telemetry: bool = True, **settings: Unpack[SettingsArguments]
) -> None:
    """Set turnspan up for this process, in place of what the environment says.

    In a recording (``turnspan.testing``) only the settings are checked: what is recorded stays with it.

    Args:
        store: The URL of a store, or a store of your own: any object with the four methods. It stays yours to close.
        telemetry: Set up the OpenTelemetry SDK where the program has not done so itself by its first turn: spans go to
            a file in home, and to ``otlp`` if that is set.
        settings: The fields of :class:`~turnspan.Settings`.

    Raises:
        SettingsError: When a setting has a value that turnspan does not know, or the store is none.

    """
    global _settings, _store, _telemetry
    own = store if store is not None and not isinstance(store, str) else None
    if own is not None and not isinstance(own, SessionStore):
        raise SettingsError(f"{own!r:.80} is not a session store: it lacks one of the four methods")
    read = Settings.read(store=store if isinstance(store, str) else None, **settings)
    scheme_of(read.store_url)
    if _recorder is not None and _recorder is _held:
        return
    with _lock:
        shutdown()
        _settings, _store, _telemetry = read, own, telemetry


def use(other: Recorder | None) -> Recorder | None:
    """Put a recorder in place, for tests; return the one before."""
    global _recorder
    before, _recorder = _recorder, other
    return before


@contextmanager
def hold(other: Recorder) -> Iterator[None]:
    """Have everything in a block recorded by this recorder, whatever the program configures meanwhile."""
    global _held
    before, held_before = use(other), _held
    _held = other
    try:
        yield
    finally:
        use(before)
        _held = held_before


def store() -> SessionStore | None:
    """Return the store of this process, with all that was recorded until now; None where it is opened by its URL."""
    if _recorder is None or _recorder.disabled:
        return _store
    _recorder.flush()
    return _recorder.pipeline.opened_store()


def flush(timeout_s: float = FLUSH_S) -> bool:
    """Wait until everything recorded so far is in its store, and was sent as far as endpoints answer.

    A process may be gone right behind this, by ``os._exit`` for one.

    Args:
        timeout_s: How long all of it may take.

    Returns:
        Whether the store has everything. What endpoints took is not known for certain; spans are kept in a file.

    """
    began_s = time.monotonic()

    def left_s() -> float:
        return max(0.0, began_s + timeout_s - time.monotonic())

    recorders = all_recorders()
    for each in recorders:
        each.run_housekeeping()
    all_providers = {each.pipeline.providers for each in recorders}
    waits = [providers.start_flush(began_s, timeout_s) for providers in all_providers]
    stored = all([each.flush(left_s()) for each in recorders])  # noqa: C419  each is flushed, also behind a failure
    for wait in waits:
        wait()
    for providers in all_providers:  # log records and metrics that the writer has made meanwhile
        providers.start_flush(began_s, left_s())()
    return stored


def shutdown(timeout_s: float | None = None) -> None:
    """End what is open, store everything, and stop recording until the next use.

    Args:
        timeout_s: How long it may take; as set, unless it is given.

    """
    _close_all(timeout_s, for_good=False)


def end() -> None:
    """Do the same at the end of the process: what threads record behind that waits for the next start."""
    _close_all(None, for_good=True)


def _close_all(timeout_s: float | None, *, for_good: bool) -> None:
    for each in all_recorders():
        if each is _held:
            each.flush(FLUSH_S if timeout_s is None else timeout_s)
        else:
            each.close(timeout_s, for_good=for_good)


def is_emitting() -> bool:
    """Return whether the calling thread is in the middle of an event: a signal's handler must not wait then."""
    return any(each.emitting for each in all_recorders())


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

    In this order: the explicit one (``explicit``, or ``turnspan.session(...)`` around the call), the runtime's own id,
    baggage, the environment, a new one. A session that begins inside another session's turn has that session as its parent.
    """
    session = _identified(own, explicit)
    all_metadata: dict[str, Any] = dict(metadata or {})
    ours: dict[str, Any] = {}
    position = current_context()
    if parent is None and position is not None and position.turn_id is not None:
        parent = position.session_id
    if parent is not None and parent != session.id:
        ours |= {"parent_session_id": parent, "root_session_id": recorder().root_of(parent)}
    try:
        check_id("session", session.id)
    except InvalidIdError as error:
        kept = storable_id(session.id)
        logger.warning("turnspan: %s; it is kept as %s", error, kept)
        ours["session_id_given"] = encode(session.id).decode()[:1000]
        session = ResolvedSession(kept, session.source)
    if ours:
        all_metadata[OURS] = ours
    current = recorder()
    if not current.knows_session(session.id):
        current.emit(
            SessionStarted(
                session_id=session.id,
                workspace_id=workspace_id,
                agent_id=agent_id,
                source=session.source,
                metadata=all_metadata,
            )
        )
    return session


def _identified(own: str | None, explicit: str | None) -> ResolvedSession:
    if explicit is not None:
        return ResolvedSession(_as_text(explicit), "explicit")
    if (position := current_context()) is not None:
        return ResolvedSession(position.session_id, "explicit")
    sources: tuple[tuple[Any, SessionSource], ...] = (
        (own, "runtime"),
        (received_session(), "baggage"),
        (recorder().settings.session_id, "environment"),
    )
    for value, source in sources:
        if value:
            return ResolvedSession(_as_text(value), source)
    return ResolvedSession(new_id(), "new")


def _as_text(given: Any) -> str:
    """Return an id as text: a number or a UUID of an application's own is one as well."""
    return given if isinstance(given, str) else text_of_anything(given)


def storable_id(session_id: str) -> str:
    """Return the id under which a session is kept whose own no store can keep: the same one always gives the same."""
    readable = "".join(c if c.isprintable() else "_" for c in session_id[: MAX_ID_LENGTH - 40])
    with suppress(InvalidIdError):
        return check_id("session", f"{readable}-{derived_id(session_id)}")
    return new_id()
