"""The pipeline: everything behind the journal, and what a process does before it is gone.

It has the journal, the writer with store and outlets, and the SDK's providers. At the end of a process it brings all of
it to its places within a bounded time, and seals the chain. What cannot be brought waits on disk.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from turnspan.events import Event, Noted
from turnspan.journal.hash_chain import SpanIds
from turnspan.journal.live import LIMIT_BYTES, Journal
from turnspan.journal.seals import Key, Seal
from turnspan.recording.redaction import hidden
from turnspan.recording.writer import Problem, Writer
from turnspan.settings import Settings, without_password
from turnspan.stores.base import Closes, Forks, SessionStore, url_of
from turnspan.telemetry.outlet import Outlet
from turnspan.telemetry.semconv import PROFILES

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from turnspan.telemetry.metrics import Health

logger = logging.getLogger("turnspan")

FLUSH_S = 5.0
"""How long the end of a process may wait for the store."""
FLUSH_DEAD_S = 1.0
"""How long it may wait for an endpoint that has taken nothing so far."""
Resend = Callable[[list["ReadableSpan"]], None]
"""Takes spans that a dead process may not have sent."""


class Counts(Protocol):
    """Says what became of spans."""

    def counts(self) -> dict[str, dict[str, int]]:
        """Return, by exporter, how many ended, were exported, failed, were dropped, and wait."""


class Pipeline:
    """Keeps what a recorder is told.

    Args:
        settings: What was set.
        store: The store, when it is open already; that of the settings is opened otherwise, in the writer's thread.
        problem: Is told what failed.
        between: Is called by the writer between batches.
        recovers: Whether it stores what dead processes left.

    """

    def __init__(
        self,
        settings: Settings,
        store: SessionStore | None,
        problem: Problem,
        between: Callable[[], None],
        *,
        recovers: bool,
    ) -> None:
        self._settings, self._problem, self._between, self._recovers = settings, problem, between, recovers
        self._store = store
        self._owns_store = store is None
        self._store_url = settings.store_url if store is None else url_of(store)
        self.providers: list[Any] = []
        self.deliveries: list[Counts] = []
        self.resends: list[Resend] = []
        self._endpoint_is_dead = False
        self._key: Key | None = None
        try:
            self._key = Key.read(settings.signing_key)
        except Exception as error:
            problem("signing key", error)
        self._open()

    def append(self, event: Event, ids: SpanIds | None, payload: bytes | None) -> None:
        """Put an event on disk, and have it brought to its places."""
        journal = self.journal
        journal.append(event, ids, payload)
        if journal.problem is not None:
            problem, journal.problem = journal.problem, None
            self._problem("journal", problem)
        self.writer.wake()

    def keeps_in(self, store: SessionStore) -> bool:
        """Return whether this is the store that everything is brought to."""
        if self._store is store:
            return True
        url = url_of(store)
        return bool(url) and url != "memory:" and url == self._store_url

    def adopt_providers(self, other: Pipeline) -> None:
        """Flush the same providers as another pipeline does."""
        self.providers, self.deliveries, self.resends = other.providers, other.deliveries, other.resends

    def endpoint_is_dead(self) -> None:
        """Hear that an endpoint takes nothing: the end of the process does not wait for it as long then."""
        self._endpoint_is_dead = True

    def health(self, problems: Mapping[str, int]) -> Health:
        """Return how recording goes."""
        from turnspan.telemetry.metrics import Health

        dropped = self.journal.dropped
        spans = [delivery.counts() for delivery in self.deliveries]
        return Health(self.journal.sequence, self.writer.confirmed, dropped, dict(problems), spans)

    # Seals ---------------------------------------------------------------------------------------------------------

    def seals_of_ended_sessions(self) -> list[Noted]:
        """Return the seals that are due while the process goes on; each once."""
        return self._sealed(self.writer.ended_sessions())

    def _sealed(self, seals: list[tuple[str, Seal]], closed: str = "") -> list[Noted]:
        if not seals:
            return []
        more: dict[str, Any] = {
            "closed": closed,
            "dropped": self.journal.dropped,
            "log_failed": self.writer.failed_lines,
            "spans": {name: counts for delivery in self.deliveries for name, counts in delivery.counts().items()},
        }
        return [seal.event(session_id, self._key, **more) for session_id, seal in seals]

    # Beginning and end ---------------------------------------------------------------------------------------------

    def flush(self, timeout_s: float) -> bool:
        """Wait until the store has everything; return whether it does."""
        return self.writer.flush(timeout_s)

    def close(self, timeout_s: float, note: Callable[[Sequence[Event]], None]) -> None:
        """Bring everything to its places, seal the chain by way of ``note``, and stop."""
        began = time.monotonic()
        spans_are_sent = self._send(began, timeout_s)
        everything = self.writer.flush(timeout_s)
        spans_are_sent()
        if everything and self.journal.dropped:  # then some ends may be among what was dropped
            note(self.writer.unfinished("its end was not kept: disk and memory were full"))
            everything = self.writer.flush(timeout_s)
        if everything:
            note(self._sealed(self.writer.unsealed_sessions(), "the process ended"))
        everything = self.writer.stop(timeout_s if everything else 0.0)
        if not everything:
            missing = self.journal.sequence - self.writer.confirmed
            logger.warning(
                "turnspan: %d events are not in the store %s yet; they wait in %s and are stored at the next start",
                missing,
                hidden(self._store_url),
                self.journal.directory,
            )
        if self.journal.dropped:
            logger.warning("turnspan: the disk took nothing for so long that %d events are lost", self.journal.dropped)
        self.journal.close(confirmed=everything)
        self._send(began, timeout_s)()  # the logs and metrics that the writer made
        if self._owns_store and isinstance(self._store, Closes):
            self._store.close()

    def after_fork(self) -> None:
        """Begin anew in a forked child, with a journal and a writer of its own."""
        self.journal.forget()
        if isinstance(self._store, Forks):
            self._store.after_fork()
        self._recovers = False
        self._open()

    def _send(self, began: float, timeout_s: float) -> Callable[[], None]:
        """Have the SDK send what it holds, and return what waits for it.

        It takes its time over a dead endpoint, so nobody waits longer for it than we may.
        """

        def send() -> None:
            for provider in self.providers:
                with suppress(Exception):
                    provider.force_flush(int(timeout_s * 1000))

        sender = threading.Thread(target=send, name="turnspan-flush", daemon=True)
        deadline, dead = began + timeout_s, began + FLUSH_DEAD_S
        if self.providers:
            try:
                sender.start()
            except RuntimeError:  # the interpreter is shutting down
                send()

        def wait() -> None:
            while sender.is_alive() and time.monotonic() < deadline:
                sender.join(0.1)
                if self._endpoint_is_dead and time.monotonic() > dead:
                    break

        return wait

    def _open(self) -> None:
        settings = self._settings
        try:
            settings.make_home()
            self.journal = Journal(
                settings.journal_path,
                store=without_password(self._store_url),
                fsync=settings.durability == "fsync",
                keep=settings.keep_journal,
                limit_bytes=settings.journal_limit_mb * 1024 * 1024 or LIMIT_BYTES,
            )
        except OSError as error:
            self.journal = Journal(None)
            self._problem("journal", error)
        self.writer = Writer(
            self.journal, self._opened_store, self._opened_outlets, self._recover, self._problem, self._between
        )

    def _opened_store(self) -> SessionStore:
        if self._store is None:
            from turnspan.stores import open_store

            self._store = open_store(self._store_url)
        return self._store

    def _opened_outlets(self) -> list[Outlet]:
        from turnspan.telemetry.log_lines import FileLog, OtelLog
        from turnspan.telemetry.metrics import Metrics

        outlets: list[Outlet] = [OtelLog(), Metrics(PROFILES[self._settings.semconv])]
        if self._settings.log not in ("off", "structlog"):
            outlets.append(FileLog(self._settings.log_path))
        return outlets

    def _recover(self, store: SessionStore) -> None:
        if not self._recovers or self.journal.directory is None:
            return
        from turnspan.recording.recovery import recover_as_set

        send = self.resends[-1] if self.resends else None
        for one in recover_as_set(self._settings, store, self._store_url, self._key, send):
            if one.problem is not None:
                logger.warning("turnspan: the journal %s of a dead process waits: %s", one.journal, one.problem)
