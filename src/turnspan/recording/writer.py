"""The writer: the thread that folds the journal into the store.

It reads the journal back in batches, hands each event to the logs and metrics, and applies what has changed to the
store in one transaction. Sessions that have ended are sealed: the writer appends the seals to the journal, and reads
them back like every other line. A store that is away is asked again, ever more slowly; the journal keeps what it will
need. Nothing here runs in the agent's thread, and nothing the agent does waits for it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial

from turnspan.errors import StoreReplacedError
from turnspan.journal.live import Journal, Position
from turnspan.journal.seals import Seal
from turnspan.model.ids import now_ns
from turnspan.recording.appender import Appender
from turnspan.recording.ledger import Ledger
from turnspan.recording.problems import Problem, Problems
from turnspan.recording.redaction import redact_secrets
from turnspan.recording.sealing import Sealer
from turnspan.recording.session_counts import SessionSeal
from turnspan.recording.threads import OwnThread
from turnspan.stores.base import LosesFiles, Reopens, SessionStore, url_of
from turnspan.stores.merging import apply
from turnspan.stores.rows import Changes
from turnspan.telemetry.outlet import Folded, Outlet

LINGER_S = 0.2
"""How long lines gather before they are written, unless somebody reads: a batch costs little more than a line, and the
work does not get in the way of an agent in the middle of a burst."""
_LONGEST_WAIT_S = 5.0


class _ForkImportGuard:
    """Keeps a fork from happening while this thread imports: the child would have half a module, and its lock held."""

    def __init__(self) -> None:
        self.importing = threading.Lock()
        self._waited = False

    def before(self) -> None:
        self._waited = self.importing.acquire(timeout=5)

    def in_parent(self) -> None:
        if self._waited:
            self.importing.release()

    def in_child(self) -> None:
        self.importing = threading.Lock()


forking = _ForkImportGuard()
os.register_at_fork(before=forking.before, after_in_parent=forking.in_parent, after_in_child=forking.in_child)


class Writer:
    """Brings one journal to one store.

    Args:
        journal: What is read.
        appender: Puts the writer's own events into the journal.
        sealer: Makes the seals of sessions.
        open_store: Opens the store, in the writer's thread: that takes a while, the first time.
        open_outlets: Opens what else gets the events, likewise.
        prepare: Runs once before the first batch, with the open store: recovery.
        problems: Counts what failed.

    """

    def __init__(
        self,
        journal: Journal,
        appender: Appender,
        sealer: Sealer,
        *,
        open_store: Callable[[], SessionStore],
        open_outlets: Callable[[], list[Outlet]],
        prepare: Callable[[SessionStore], None],
        problems: Problems,
    ) -> None:
        self._journal, self._appender, self._sealer = journal, appender, sealer
        self._open_store, self._open_outlets = open_store, open_outlets
        self._prepare, self._problems = prepare, problems
        self._ledger = Ledger(journal.id)
        self._store: SessionStore | None = None
        self._outlets: list[Outlet] | None = None
        self._position = Position(0, 0)
        self._read = 0
        self._reopened = 0
        self._waiting: Changes | None = None
        self._confirmed = 0
        self._newest_read = 0  # what the outlets have, and what is sealed or waits for it
        self._retry_s = 0.0
        self._step_lock = threading.Lock()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._done = threading.Condition()
        self._idle = True
        self._stopping = False
        self._thread = OwnThread("turnspan-writer", self._run)

    @property
    def confirmed(self) -> int:
        """The number of the newest line that the store has."""
        return self._confirmed

    def end_unfinished(self, reason: str) -> None:
        """Append the ends of what has no end in the journal: the disk did not take it."""
        with self._step_lock:
            for end, _ in self._ledger.ends(now_ns(), reason):
                self._appender.append_last(end)

    def seal_all(self, closed: str) -> None:
        """Append the seals of all sessions that have events behind their last one; the last closes the chain.

        ``closed`` says why it ends.
        """
        with self._step_lock:
            seals = self._ledger.sessions.closing()
            self._append_seals(seals[:-1], closed)
            for session_id, seal in seals[-1:]:
                closing = partial(self._sealer.event, session_id, seal, closed=closed, log_failed=self.failed_lines)
                self._appender.append_behind(closing)

    def running_seal(self, head: tuple[int, str]) -> Seal:
        """Return what this process knows of its own chain up to a line, as a seal that is put on no record."""
        return self._sealer.running(head, self.failed_lines)

    def _append_seals(self, seals: list[SessionSeal], closed: str = "") -> None:
        for session_id, seal in seals:
            self._appender.append_last(
                self._sealer.event(session_id, seal, closed=closed, log_failed=self.failed_lines)
            )

    @property
    def failed_lines(self) -> int:
        """How many lines the log file has not taken."""
        return sum(getattr(outlet, "failed", 0) for outlet in self._outlets or ())

    def wake(self) -> None:
        """Say that there is a new line. Called for each event: it must cost nothing."""
        if self._idle:
            self._idle = False
            self._thread.start()
            self._wake.set()

    def flush(self, timeout_s: float) -> bool:
        """Wait until the store has all lines there are now; return whether it does."""
        target = self._journal.sequence
        deadline = time.monotonic() + timeout_s
        if self._step_lock.acquire(timeout=timeout_s):
            try:
                self._look_at_places()
            finally:
                self._step_lock.release()
        if not self._thread.is_alive():
            while self._confirmed < target and time.monotonic() < deadline:
                if not self.step():
                    time.sleep(0.01)
            return self._confirmed >= target
        with self._done:
            while self._confirmed < target and (left := deadline - time.monotonic()) > 0:
                self._idle = False
                self._hurry.set()
                self._wake.set()
                self._done.wait(min(left, 0.02))
        return self._confirmed >= target

    def stop(self, timeout_s: float) -> bool:
        """Flush and end the thread; return whether the store has everything."""
        everything = self.flush(timeout_s)
        self._stopping = True
        self._hurry.set()
        self._wake.set()
        self._thread.join(min(timeout_s, 1.0))
        return everything

    def _run(self) -> None:
        while not self._stopping:
            if not self._wake.wait(1.0):
                self.step()  # sessions that are idle now are sealed
                continue
            self._wake.clear()
            self._hurry.wait(LINGER_S)
            self._hurry.clear()
            self._idle = True  # lines that come from here on wake us again
            while not self._stopping and self.step():
                pass
            if self._waiting is not None and not self._stopping:
                self._wake.wait(self._retry_s)
                self._wake.set()

    def step(self) -> bool:
        """Seal what is due, and bring one batch to the store; return whether to go on at once."""
        with self._step_lock:
            try:
                self._look_at_places()
                self._journal.retry()
                if self._read >= self._newest_read:
                    self._append_seals(self._ledger.sessions.due())
                return self._step()
            except Exception as error:
                self._problems.report(Problem.WRITER, error)
                self._back_off()
                return False

    def _look_at_places(self) -> None:
        """Notice that the journal or the store was taken away; what the journal still has is stored anew."""
        self._journal.restore()
        store = self._store
        if not isinstance(store, Reopens) or store.is_in_place():
            return
        says = f"{redact_secrets(url_of(store))} was removed, moved or replaced while it was open; "
        says += "what the journal still has is stored in what stands there now"
        self._problems.report(Problem.STORE, StoreReplacedError(says))
        self._store, self._waiting, self._confirmed = None, None, 0
        self._ledger, self._position, self._read = Ledger(self._journal.id), self._journal.beginning, 0

    def _step(self) -> bool:
        if self._waiting is None and not self._gather():
            return False
        assert self._waiting is not None
        try:
            if self._store is None:
                with forking.importing:
                    store = self._open_store()
                self._follow_lost_files(store)
                if isinstance(store, Reopens):
                    store.reopen()
                self._prepare(store)
                self._sealer.name_heads(store)
                self._store = store
            self._follow_lost_files(self._store)
            apply(self._store, self._waiting)
        except Exception as error:
            self._problems.report(Problem.STORE, error)
            self._back_off()
            return False
        self._look_at_places()
        if self._store is None:
            return True  # it went into a file that nobody will read
        self._waiting, self._retry_s = None, 0.0
        self._journal.drop_before(min(self._ledger.first_open_segment(self._position.segment), self._position.segment))
        self._confirmed = self._read
        self._journal.confirm(self._confirmed)
        with self._done:
            self._done.notify_all()
        return True

    def _follow_lost_files(self, store: SessionStore) -> None:
        """Have the store let go of its files where the program has closed those of the journal: it has closed all."""
        if (reopened := self._journal.check_files()) != self._reopened:
            self._reopened = reopened
            if isinstance(store, LosesFiles):
                store.lose_files()

    def _gather(self) -> bool:
        """Fold the next lines and give them to the outlets."""
        lines, position = self._journal.read(self._position, self._read)
        if not lines:
            self._position = position
            return False
        if (lost := lines[0].sequence - self._read - 1) > 0:
            says = (
                f"{lost} events behind line {self._read} are in no journal any more: what the store had of them is gone"
            )
            self._problems.report(Problem.JOURNAL, LookupError(says))
        folded: list[Folded] = []
        for line in lines:
            try:
                made = self._ledger.fold(line, position.segment)
                if made is not None and line.sequence > self._newest_read:
                    folded.append(made)
            except Exception as error:
                self._problems.report(Problem.LEDGER, error)
            self._read = line.sequence
        self._position, self._newest_read = position, max(self._read, self._newest_read)
        if self._outlets is None:
            with forking.importing:
                self._outlets = self._open_outlets()
        for outlet in self._outlets:
            try:
                outlet.write(folded)
            except Exception as error:
                self._problems.report(Problem.OUTLET, error, type(outlet).__name__)
        self._waiting = self._ledger.take()
        return True

    def _back_off(self) -> None:
        self._retry_s = min(_LONGEST_WAIT_S, max(0.1, self._retry_s * 2))
