"""Recovery: what dead processes left in their journals is completed and stored.

A journal without a lock holder belongs to a process that is gone. What it had open is ended as ``cancelled``, with
the reason, at the time of its last line; the ends are added to its chain, so that doing it twice changes nothing. The
spans that it may not have sent are sent.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from turnspan.errors import SettingsError
from turnspan.events import TurnEnded
from turnspan.journal.dead import DeadJournal, dead_journals
from turnspan.journal.hash_chain import Line
from turnspan.journal.heads import heads_of, written
from turnspan.journal.seals import Heads, Key
from turnspan.recording.ledger import Ledger
from turnspan.recording.providers import Resend
from turnspan.settings import Settings, scheme_of, without_password
from turnspan.stores import open_store
from turnspan.stores.base import Audited, AuditFilter, SessionStore
from turnspan.stores.merging import apply
from turnspan.telemetry.log_lines import FileLog
from turnspan.telemetry.outlet import Folded

REASON = "the process died"


class Recovered(NamedTuple):
    """What came of one journal."""

    journal: str
    events: int
    interrupted_turns: int
    torn_bytes: int
    spans: int = 0
    problem: str | None = None
    lost: int = 0


def recover(
    directory: Path,
    store: SessionStore,
    url: str,
    log: FileLog | None = None,
    *,
    keep: bool = False,
    key: Key | None = None,
    resend: Resend | None = None,
    into_this: bool = False,
) -> list[Recovered]:
    """Store what dead processes left in a journal directory.

    Args:
        directory: Where the journals are.
        store: An open store, for journals that were meant for it or for a store without a URL.
        url: The URL of that store.
        log: A log file that gets the lines it does not have yet.
        keep: Whether the recovered journals are kept.
        key: What the ends of their chains are signed with.
        resend: Sends the spans that a dead process may not have sent.
        into_this: Store all of it in this store, also what was meant for another: one that has moved, or whose URL was
            mistyped.

    A journal whose store cannot take it stays for the next time, and keeps no other from being recovered.
    """
    recovered = []
    for journal in dead_journals(directory):
        done = False
        try:
            meant = journal.store
            mine = into_this or meant in ("", url, without_password(url)) or not _can_open(meant)
            target = store if mine else open_store(meant)
            journal.drop_torn_batch()
            events = len(journal.lines)
            if journal.losses.acknowledged and isinstance(target, Audited):
                journal.fill(target.audit_rows(AuditFilter(journal=journal.id)))
            lost = journal.lost
            interrupted, folded = _completed(journal, target, key, lost)
            _complete_log(log, folded)
            done = True
            spans = 0 if resend is None else resend(journal.events)
            recovered.append(Recovered(journal.id, events, interrupted, journal.torn_bytes, spans, lost=lost))
        except Exception as error:
            recovered.append(Recovered(journal.id, len(journal.lines), 0, journal.torn_bytes, problem=str(error)))
        finally:
            try:
                journal.close(confirmed=done, keep=keep)
            except OSError as error:
                says = f"it is stored, and its files cannot be removed: {error}"
                recovered[-1] = recovered[-1]._replace(problem=says)
    return recovered


def recover_as_set(
    settings: Settings,
    store: SessionStore,
    url: str,
    key: Key | None,
    resend: Resend | None,
    *,
    into_this: bool = False,
) -> list[Recovered]:
    """Store what dead processes left in home, as the settings say; ``resend`` is used if they say so."""
    log = FileLog(settings.log_path) if settings.log_path is not None else None
    return recover(
        settings.journal_path,
        store,
        url,
        log,
        keep=settings.keep_journal,
        key=key,
        resend=resend if settings.resend else None,
        into_this=into_this,
    )


def _can_open(url: str) -> bool:
    try:
        return scheme_of(url) != "memory"
    except SettingsError:
        return False


def _completed(journal: DeadJournal, store: SessionStore, key: Key | None, lost: int) -> tuple[int, list[Folded]]:
    """Complete a chain, and store it; return how many turns were interrupted, and all that the chain says.

    ``lost`` counts the events that its process took and nothing has.
    """
    ledger = Ledger(journal.id)
    folded = _folded(ledger, journal.lines)
    interrupted = 0
    if folded:
        last_ns = max(folded_.event.at_ns for folded_ in folded)
        spans = {one.event.event_id: one.span for one in folded}
        ends = ledger.ends(last_ns, REASON)
        interrupted = sum(isinstance(end, TurnEnded) for end, _ in ends)
        if ends:
            folded += _folded(ledger, journal.complete([(end, spans[start.event_id]) for end, start in ends]))
        folded += _folded(ledger, _seal(journal, ledger, heads_of(store, key, but=journal.id), key, lost))
        apply(store, ledger.take())
    return interrupted, folded


def _folded(ledger: Ledger, lines: list[Line]) -> list[Folded]:
    """Fold lines; one without an event in it costs itself alone."""
    folded = []
    for line in lines:
        with suppress(ValueError):
            if (made := ledger.fold(line)) is not None:
                folded.append(made)
    return folded


def _seal(journal: DeadJournal, ledger: Ledger, before: Heads, key: Key | None, lost: int) -> list[Line]:
    """Seal what is not sealed, and close the chain."""
    lines: list[Line] = []
    due = ledger.sessions.closing()
    for left, (session_id, seal) in zip(reversed(range(len(due))), due, strict=True):
        number, newest = journal.head()
        own = {} if left else {"line": number + 1, "previous": newest}
        end = seal.event(session_id, key, closed=REASON, before=written(before), dropped=lost, **own)
        lines += journal.complete([(end, None)])
        before = {}
    return lines


def _complete_log(log: FileLog | None, folded: list[Folded]) -> None:
    if log is not None and (missing := _not_in(log.written(), folded)):
        log.write(missing)


def _not_in(written: set[str], folded: list[Folded]) -> list[Folded]:
    return [line for line in folded if line.event.event_id not in written]
