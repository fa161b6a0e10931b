"""Refold: the rows that a session's events make, to be compared with those that a store has.

Each chain is folded by itself, as its process did. Where several chains mention the same row, the store has that of the
one that came last, and which one that was does not always follow from the times; so each of them is kept as a candidate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from turnspan.events import Event, TurnEnded
from turnspan.journal.recorded_events import RecordedEvent
from turnspan.journal.seals import seal_of
from turnspan.model.ids import time_of_id
from turnspan.model.records import OURS, SessionRecord, iso
from turnspan.recording.ledger import Ledger
from turnspan.recording.recovery import REASON
from turnspan.stores.merging import MOST_SEALS, last_touch, merge, merge_metadata
from turnspan.stores.rows import (
    ModelCallRow,
    SessionRow,
    ToolCallRow,
    TransitionRow,
    TurnRow,
    transition_key,
)

CallKey = tuple[str, str]
"""A turn, and the event that a call started with."""


@dataclass(frozen=True, slots=True)
class Order:
    """The turns of one chain in the order in which they started, and when its process had them."""

    turn_ids: list[str]
    since_ns: int
    until_ns: int | None
    """None: not known: it is not sealed, was recovered later than those that came after it, or its clock went back."""


@dataclass
class Expected:
    """What a session's events say that its rows are; of turns and calls all candidates, the newest last."""

    heads: list[SessionRow] = field(default_factory=list)
    turns: dict[str, list[TurnRow]] = field(default_factory=dict)
    tool_calls: dict[CallKey, list[ToolCallRow]] = field(default_factory=dict)
    model_calls: dict[CallKey, list[ModelCallRow]] = field(default_factory=dict)
    transitions: dict[Any, TransitionRow] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    chains: int = 0
    newest_at: str = ""
    """When the newest of the events happened."""
    recorded: bool = False
    """Whether an application recorded turns by itself: then the session was used when it did so, not when they ended."""
    starts: dict[str, Event] = field(default_factory=dict)
    """Of each event that ends something what that started with, by the id of the end."""

    def head(self) -> SessionRow | None:
        """Return the session's head: all that was said of it, merged in the order of time."""
        if not self.heads:
            return None
        head: SessionRow = {**self.heads[0], "metadata": {}}
        for one in self.heads:
            head["workspace_id"] = head["workspace_id"] or one["workspace_id"]
            head["agent_id"] = head["agent_id"] or one["agent_id"]
            head["updated_at"] = max(head["updated_at"], one["updated_at"])
            head["ended"] = head["ended"] or one["ended"]
            merge_metadata(head["metadata"], one["metadata"])
        touched = last_touch([turn for candidates in self.turns.values() for turn in candidates])
        head["updated_at"] = max(head["updated_at"], touched)
        return head

    def said_of(self, name: str) -> list[Any]:
        """Return all values that were ever said of a field of the head."""
        return [one[name] for one in self.heads]  # type: ignore[literal-required]

    def said_of_key(self, key: str, *, ours: bool) -> list[Any]:
        """Return all values that were ever said of a key of the metadata, or of what turnspan keeps there."""
        metadata = [one["metadata"].get(OURS) if ours else one["metadata"] for one in self.heads]
        return [found[key] for found in metadata if isinstance(found, dict) and key in found]


def refold(session_id: str, recorded: Iterable[RecordedEvent]) -> Expected:
    """Return the rows that these events make; each chain's come in order of sequence."""
    expected = Expected()
    for journal, group in groupby(recorded, key=lambda one: one.journal):
        ledger = Ledger(journal)
        events: list[Event] = []
        for one in group:
            if (started := ledger.fold_event(one.event, one.span, one.sequence)) is not None:
                expected.starts[one.event.event_id] = started
            events.append(one.event)
        changes = ledger.take().of(session_id)
        expected.chains += 1
        expected.heads += changes.sessions
        expected.orders.append(_order_of(journal, [row["turn_id"] for row in changes.turns], events))
        for turn in changes.turns:
            expected.turns.setdefault(turn["turn_id"], []).append(turn)
        for call in changes.tool_calls:
            expected.tool_calls.setdefault((call["turn_id"], call["event_id"]), []).append(call)
        for model in changes.model_calls:
            expected.model_calls.setdefault((model["turn_id"], model["event_id"]), []).append(model)
        for transition in changes.transitions:
            expected.transitions[transition_key(transition)] = transition
        newest = iso(max((event.at_ns for event in events), default=0))
        expected.newest_at = max(expected.newest_at, newest)
        expected.recorded = expected.recorded or any(isinstance(e, TurnEnded) and e.record is not None for e in events)
    if expected.chains > 1:  # within one chain, what was said first stands first, also when the clock went back
        expected.heads.sort(key=lambda head: head["created_at"])
    return expected


def _order_of(journal: str, turn_ids: list[str], events: list[Event]) -> Order:
    """Return when a chain's process had these turns, by the id of its journal and by its last seal of the session."""
    seals = [(event.at_ns, seal) for event in events if (seal := seal_of(event)) is not None]
    until_ns = seals[-1][0] if seals and seals[-1][1].closed != REASON else None
    if until_ns is not None and until_ns < max(time_of_id(journal), *(event.at_ns for event in events)):
        until_ns = None  # the clock went back
    return Order(turn_ids, time_of_id(journal), until_ns)


def fold_again(session_id: str, recorded: Iterable[RecordedEvent]) -> SessionRecord | None:
    """Return the session that these events make, or None when there are none."""
    session: SessionRecord | None = None
    for journal, group in groupby(recorded, key=lambda one: one.journal):
        ledger = Ledger(journal)
        for one in group:
            ledger.fold_event(one.event, one.span, one.sequence)
        if changes := ledger.take().of(session_id):
            session = merge(session, changes)
    return session


def newest_seals(seals: dict[str, Any]) -> dict[str, Any]:
    """Return the seals that a session's metadata keeps of all that there were."""
    return {journal: seals[journal] for journal in sorted(seals)[-MOST_SEALS:]}
