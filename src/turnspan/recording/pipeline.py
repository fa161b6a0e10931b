"""The pipeline: everything behind the recorder, and what a process does before it is gone.

It has the journal, the writer with store and outlets, and the SDK's providers. At the end of a process it brings all of
it to its places within a bounded time, and has the chain sealed. What cannot be brought waits on disk.

Events go one way: recorder, appender, journal, writer, store. Nothing here calls the recorder.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from turnspan.journal.live import LIMIT_BYTES, Journal
from turnspan.journal.seals import Key
from turnspan.recording.after_end import AfterEnd
from turnspan.recording.appender import Appender
from turnspan.recording.problems import Problem, Problems
from turnspan.recording.providers import Providers
from turnspan.recording.redaction import redact_secrets
from turnspan.recording.sealing import Sealer
from turnspan.recording.writer import Writer
from turnspan.settings import Settings, without_password
from turnspan.stores.base import Closes, Forks, SessionStore, url_of
from turnspan.telemetry.outlet import Outlet
from turnspan.telemetry.own_log import logger
from turnspan.telemetry.semconv import PROFILES

if TYPE_CHECKING:
    from turnspan.telemetry.log_lines import AppLog
    from turnspan.telemetry.metrics import Health

FLUSH_S = 5.0
"""How long the end of a process may wait for the store."""
SENDING_SHARE = 0.8
"""How much of it may go by until what endpoints take is awaited no more: the rest is for the seals, which say so."""

_BEHIND_EVENTS = 20_000


class Pipeline:
    """Keeps the events of a recorder.

    Args:
        settings: What was set.
        store: The store, when it is open already; that of the settings is opened otherwise, in the writer's thread.
        problems: Counts what failed.
        providers: The SDK providers that are flushed, and that know what became of spans.
        recovers: Whether it stores what dead processes left.

    """

    def __init__(
        self,
        settings: Settings,
        store: SessionStore | None,
        problems: Problems,
        providers: Providers,
        *,
        recovers: bool,
    ) -> None:
        self._settings, self._problems, self._recovers = settings, problems, recovers
        self._store = store
        self._ending_s = 0.0
        self._opening = threading.Lock()
        self._owns_store = store is None
        self._store_url = settings.store_url if store is None else url_of(store)
        self.providers = providers
        self.after_end = AfterEnd(self._new_journal, problems)
        self._app_log: AppLog | None = None
        self._key: Key | None = None
        try:
            self._key = Key.read(settings.signing_key)
        except Exception as error:
            problems.report(Problem.SIGNING_KEY, error)
        if settings.log == "structlog":
            self._open_app_log()
        self._open()

    def keeps_in(self, store: SessionStore) -> bool:
        """Return whether this is the store that everything is brought to."""
        if self._store is store:
            return True
        url = url_of(store)
        return bool(url) and url != "memory:" and url == self._store_url

    @property
    def store(self) -> SessionStore | None:
        """The store that everything is brought to, once it is open."""
        return self._store

    @property
    def is_behind(self) -> bool:
        """Whether much is recorded that the store does not have: who can wait with more is to wait."""
        return self.journal.sequence - self.writer.confirmed > _BEHIND_EVENTS or self.journal.is_half_full

    def health(self) -> Health:
        """Return how recording goes."""
        from turnspan.telemetry.metrics import Health

        return Health(
            recorded=self.journal.sequence,
            stored=self.writer.confirmed,
            dropped=self.journal.dropped,
            problems=dict(self._problems.counts),
            spans=self.providers.counts(),
        )

    # Beginning and end ---------------------------------------------------------------------------------------------

    def flush(self, timeout_s: float) -> bool:
        """Wait until the store has everything; return whether it does."""
        return self.writer.flush(timeout_s)

    def bring(self, timeout_s: float) -> None:
        """Bring everything to its places, and wait for that; more may come meanwhile."""
        self._ending_s = time.monotonic()
        sending_s = timeout_s * SENDING_SHARE
        wait_for_spans = self.providers.start_flush(self._ending_s, sending_s)
        self.writer.flush(sending_s)
        wait_for_spans()

    def close(self, timeout_s: float) -> None:
        """Take no more, bring what is left to its places, seal the chain, and stop."""
        began_s = time.monotonic()

        def left_s() -> float:
            return max(0.0, began_s + timeout_s - time.monotonic())

        self.journal.finish()
        everything = self.writer.flush(left_s())
        if everything:  # a start in the last moment has no end yet, nor has what ended while disk and memory were full
            lost = self.journal.dropped
            self.writer.end_unfinished(
                "its end was not kept: disk and memory were full" if lost else "the process ended"
            )
            everything = self.writer.flush(left_s())
        if everything:
            self.writer.seal_all("the process ended")
        everything = self.writer.stop(left_s() if everything else 0.0)
        if not everything:
            self._say_what_is_left()
        if self.journal.dropped:
            logger.warning(
                "turnspan: disk and memory were full for so long that %d events are lost", self.journal.dropped
            )
        try:
            self.journal.close(confirmed=everything)
        except OSError as error:
            logger.warning("turnspan: everything is stored, and the journal cannot be removed: %s", error)
        # the logs and metrics of the writer; a dead endpoint has been given its time by now
        self.providers.start_flush(self._ending_s, began_s + timeout_s - self._ending_s)()
        self._problems.report_held()
        if self._owns_store and isinstance(self._store, Closes):
            self._store.close()

    def _say_what_is_left(self) -> None:
        store, journals = redact_secrets(self._store_url) or type(self._store).__name__, self.journal.directory
        self.journal.retry()
        count, lost = self.journal.sequence - self.writer.confirmed, self.journal.unwritten
        says = f"turnspan: {count} events are not in the store {store}"
        if journals is None:
            logger.warning("%s, and there was no journal to keep them: they are lost", says)
        elif lost:
            says += f", and {lost} of them found no room in {journals} either: these are lost"
            logger.warning("%s. The others are stored at the next start, with word of what was lost", says)
        else:
            logger.warning("%s yet; they wait in %s and are stored at the next start", says, journals)

    def after_fork(self) -> None:
        """Begin anew in a forked child, with a journal and a writer of its own."""
        self.journal.forget()
        self.after_end.after_fork()
        self._opening = threading.Lock()
        if isinstance(self._store, Forks):
            self._store.after_fork()
        self._recovers = False
        self._open()

    def _open(self) -> None:
        settings = self._settings
        self.journal = self._new_journal()
        self.appender = Appender(self.journal, self._app_log, self._problems, self.after_end)
        self.writer = Writer(
            self.journal,
            self.appender,
            Sealer(self.journal, self._key, self.providers, _log_outlet(settings)),
            open_store=self.opened_store,
            open_outlets=self._opened_outlets,
            prepare=self._recover,
            problems=self._problems,
        )
        self.appender.wake_writer = self.writer.wake

    def _new_journal(self) -> Journal:
        """Return a journal in home; one in memory where that cannot be."""
        settings = self._settings
        try:
            settings.make_home()
            return Journal(
                settings.journal_path,
                store=without_password(self._store_url),
                fsync=settings.durability == "fsync",
                keep=settings.keep_journal,
                limit_bytes=settings.journal_limit_mb * 1024 * 1024 or LIMIT_BYTES,
            )
        except OSError as error:
            self._problems.report(Problem.JOURNAL, error)
            return Journal(None)

    def _open_app_log(self) -> None:
        from turnspan.telemetry.log_lines import AppLog

        try:
            self._app_log = AppLog()
        except Exception as error:
            self._problems.report(Problem.STRUCTLOG, error)

    def opened_store(self) -> SessionStore:
        """Return the store that everything is brought to, opened if it is not yet.

        Raises:
            TurnspanError: When it cannot be opened.

        """
        with self._opening:
            if self._store is None:
                from turnspan.stores import open_store

                self._store = open_store(self._store_url)
            return self._store

    def _opened_outlets(self) -> list[Outlet]:
        from turnspan.telemetry.log_lines import FileLog, OtelLog
        from turnspan.telemetry.metrics import Metrics

        outlets: list[Outlet] = [OtelLog(self.providers), Metrics(self.providers, PROFILES[self._settings.semconv])]
        if self._settings.log not in ("off", "structlog"):
            outlets.append(FileLog(self._settings.log_path))
        return outlets

    def recover(self) -> None:
        """Store what dead processes left, now.

        Raises:
            TurnspanError: When the store cannot be opened.

        """
        self._recover(self.opened_store())

    def _recover(self, store: SessionStore) -> None:
        if not self._recovers or self.journal.directory is None:
            return
        from turnspan.recording.recovery import recover_as_set

        for recovered in recover_as_set(self._settings, store, self._store_url, self._key, self.providers.resend):
            if recovered.problem is not None:
                logger.warning(
                    "turnspan: the journal %s of a dead process waits: %s",
                    recovered.journal,
                    redact_secrets(recovered.problem),
                )
            elif recovered.lost:
                logger.warning(
                    "turnspan: the disk had no room for %d events of the dead process of journal %s: they are lost",
                    recovered.lost,
                    recovered.journal,
                )


def _log_outlet(settings: Settings) -> str:
    """Return where log lines go, as seals say it: "file" is the one in home."""
    if settings.log in ("file", "stderr", "structlog", "off"):
        return settings.log
    return f"file:{settings.log}"
