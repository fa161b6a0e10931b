"""Recovery: what dead processes left in their journals is completed and stored.

A journal whose lock nobody holds belongs to a process that is gone. What it had open is ended as ``cancelled``, with
the reason, at the time of its last line; the ends are added to its chain, so that doing it twice changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from turnspan.chain import SpanIds, decode
from turnspan.events import Event, TurnEnded, TurnStarted
from turnspan.journal import DeadJournal, dead_journals
from turnspan.ledger import Folded, Ledger
from turnspan.logs import FileLog
from turnspan.open_turns import ended_early
from turnspan.records import OURS
from turnspan.stores import open_store
from turnspan.stores.base import SessionStore, apply

REASON = "the process died"


class Recovered(NamedTuple):
    """What was found in one journal."""

    journal: str
    events: int
    interrupted_turns: int
    torn_bytes: int
    problem: str | None = None


def recover(
    directory: Path, store: SessionStore, url: str, log: FileLog | None = None, *, keep: bool = False
) -> list[Recovered]:
    """Store what dead processes left in a journal directory.

    Args:
        directory: Where the journals are.
        store: An open store, for journals that were meant for it or for a store without a URL.
        url: The URL of that store.
        log: A log file that gets the lines it does not have yet.
        keep: Whether the recovered journals are kept.

    A journal whose store cannot take it stays for the next time, and keeps no other from being recovered.
    """
    found = []
    for journal in dead_journals(directory):
        done = False
        try:
            meant = journal.store
            target = store if meant in ("", url) or not _can_open(meant) else open_store(meant)
            found.append(_recovered(journal, target, log))
            done = True
        except Exception as error:
            found.append(Recovered(journal.id, len(journal.lines), 0, journal.torn_bytes, str(error)))
        finally:
            journal.close(confirmed=done, keep=keep)
    return found


def _can_open(url: str) -> bool:
    return url.partition(":")[0].partition("+")[0] in ("sqlite", "file", "postgresql", "redis", "mysql", "cockroachdb")


def _recovered(journal: DeadJournal, store: SessionStore, log: FileLog | None) -> Recovered:
    ledger = Ledger(journal.id)
    folded = [ledger.fold(line) for line in journal.lines]
    interrupted = 0
    if journal.lines:
        last_ns = max(folded_.event.at_ns for folded_ in folded)
        spans = {decode(line.payload).event_id: line.span for line in journal.lines}
        ends: list[tuple[Event, SpanIds | None]] = []
        for turn, calls in ledger.open_turns():
            ends += [(ended_early(call, last_ns, REASON), spans[call.event_id]) for call in reversed(calls)]
            if turn is not None:
                interrupted += 1
                ends.append((_interrupted(turn, last_ns), spans[turn.event_id]))
        if ends:
            folded += [ledger.fold(line) for line in journal.complete(ends)]
        apply(store, ledger.take())
        _complete_log(log, folded)
    return Recovered(journal.id, len(journal.lines), interrupted, journal.torn_bytes)


def _interrupted(turn: TurnStarted, at_ns: int) -> TurnEnded:
    return TurnEnded(
        session_id=turn.session_id, turn_id=turn.turn_id, at_ns=at_ns, status="cancelled", error=REASON,
        metadata={OURS: {"interrupted": REASON}},
    )  # fmt: skip


def _complete_log(log: FileLog | None, folded: list[Folded]) -> None:
    if log is not None and (missing := _not_in(log.written(), folded)):
        log.write(missing)


def _not_in(written: set[str], folded: list[Folded]) -> list[Folded]:
    return [one for one in folded if one.event.event_id not in written]
