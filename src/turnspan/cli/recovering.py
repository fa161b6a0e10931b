"""Storing what dead processes left, for the commands that change what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turnspan.cli.output import note
from turnspan.settings import Settings
from turnspan.stores import SessionStore

if TYPE_CHECKING:
    from turnspan.journal.recorded_events import RecordedEvent
    from turnspan.recording.recovery import Recovered


def recover_journals(settings: Settings, store: SessionStore, *, into_this: bool = False) -> list[Recovered]:
    """Store what dead processes left; the SDK is loaded only if there are spans to send.

    Args:
        settings: Where the journals are.
        store: The store of the settings.
        into_this: Store all of it there, also what was meant for another store.

    """
    from turnspan.journal.seals import Key
    from turnspan.recording.recovery import recover_as_set

    def send(events: list[RecordedEvent]) -> int:
        from turnspan.otel_sdk.setup import resend

        return resend(events, settings)

    key = Key.read(settings.signing_key)
    return recover_as_set(settings, store, settings.store_url, key, send, into_this=into_this)


def recover_first(settings: Settings, store: SessionStore) -> None:
    """Store what waits before something is changed that it may belong to."""
    for journal in recover_journals(settings, store):
        if journal.problem is not None:
            note(f"the journal {journal.journal} of a dead process is not stored yet: {journal.problem}")
