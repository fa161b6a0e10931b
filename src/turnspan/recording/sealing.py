"""Sealing: completes a session's seal with what only the process knows, and signs it."""

from __future__ import annotations

from typing import Any

from turnspan.events import Noted
from turnspan.journal.heads import heads_of, written
from turnspan.journal.live import Journal
from turnspan.journal.seals import FORMAT, Heads, Key, Seal
from turnspan.recording.providers import Providers


class Sealer:
    """Makes the events that put seals on record.

    Args:
        journal: The chain that is sealed.
        key: What seals are signed with, if anything.
        providers: Know where spans went, and what became of them.
        log_outlet: Where log lines go: "file" (in home), "file:<path>", "stderr", "structlog" or "off".

    """

    def __init__(self, journal: Journal, key: Key | None, providers: Providers, log_outlet: str) -> None:
        self._journal, self._key, self._providers, self._log_outlet = journal, key, providers, log_outlet
        self._before: Heads = {}

    def name_heads(self, store: object) -> None:
        """Have the next seal say where the other chains of the store end."""
        self._before = heads_of(store, self._key, but=self._journal.id)

    def event(
        self, session_id: str, seal: Seal, line: int = 0, previous: str = "", *, closed: str, log_failed: int
    ) -> Noted:
        """Return the event of a seal.

        Args:
            session_id: The session that is sealed.
            seal: What the journal has of it.
            line: The number that the seal itself has, if it closes the chain.
            previous: The hash of the line before it, likewise.
            closed: Why the chain ends here; "" when it goes on.
            log_failed: How many lines the log file has not taken.

        """
        before, self._before = self._before, {}
        return seal.event(
            session_id,
            self._key,
            closed=closed,
            before=written(before),
            line=line,
            previous=previous,
            **self._known(log_failed),
        )

    def running(self, head: tuple[int, str], log_failed: int) -> Seal:
        """Return what can be said of the chain while its process goes on; it is put on no record.

        Args:
            head: The number and the hash of the line up to which it is said.
            log_failed: How many lines the log file has not taken.

        """
        sequence, hash_ = head
        known = self._known(log_failed)
        return Seal(
            journal=self._journal.id, after=0, sequence=sequence, head=hash_, events=0, turns=0, format=FORMAT, **known
        )

    def _known(self, log_failed: int) -> dict[str, Any]:
        """Return what only the process knows: where things went, and what was lost of them."""
        return {
            "dropped": self._journal.dropped,
            "log_failed": log_failed,
            "spans": {name: n for by_exporter in self._providers.counts() for name, n in by_exporter.items()},
            "outlets": {"spans": self._providers.span_outlets, "log": self._log_outlets()},
        }

    def _log_outlets(self) -> list[str]:
        records = self._providers.log_outlets
        return records if records and self._log_outlet == "off" else [self._log_outlet, *records]
