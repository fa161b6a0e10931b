"""RecordCheck: is every field of every row what the events say, and does every row have an event?

The events are folded again, as the writer did it, and the rows that come of it are compared with those that are there:
all of them, field by field, both ways. So nothing that is shown has to be listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from turnspan.model.json_values import folded
from turnspan.model.records import OURS, SessionRecord, TurnRecord, from_iso
from turnspan.stores.base import ChecksColumns, SessionStore
from turnspan.stores.rows import Changes, rows_of_turn, transition_key
from turnspan.verification.refold import Expected, Order, newest_seals
from turnspan.verification.report import Report

_sorted = msgspec.json.Encoder(order="sorted").encode
_NOT_COMPARED = frozenset({"position", "session_id"})
"""Fields of rows that say where a row is, not what happened: the order is compared by itself."""
_LISTS = ("agents", "notes", "model_calls")
_SHOWN = 60  # characters of a value in a finding
Kept = Callable[[Any], Any]
Row = Mapping[str, Any]


class RecordCheck:
    """Compares the sessions of a store with their events.

    Args:
        report: Takes what is found.
        store: The store; one that keeps fields in more places than one is asked whether these agree.

    """

    def __init__(self, report: Report, store: SessionStore) -> None:
        self._report, self._store = report, store
        self._session_id = ""

    def check(self, session_id: str, expected: Expected, session: SessionRecord | None) -> None:
        """Check one session against what its events say that it is."""
        self._session_id = session_id
        if session is None:
            if expected.chains:
                self._add("missing", session_id, "its events are there, the session is not")
            return
        self._check_head(session, expected)
        self._check_turns(session, expected)
        self._check_transitions(session, expected)
        if isinstance(self._store, ChecksColumns):
            for what, name, has, should in self._store.columns_that_differ(session):
                self._differs(session_id, what, {name: (has, should)}, "what else is stored says")

    def check_strays(self) -> None:
        """Look for rows of sessions that are not there."""
        if not isinstance(self._store, ChecksColumns):
            return
        for says in self._store.altered_tables():
            self._report.add("record", "altered", None, says.partition(" ")[0], f"the table {says}")
        for session_id in self._store.sessions_without_head():
            self._session_id = session_id
            self._add("orphan", session_id, "there are rows of a session that is not there")

    # The head ------------------------------------------------------------------------------------------------------

    def _check_head(self, session: SessionRecord, expected: Expected) -> None:
        head = expected.head()
        if head is None:
            if not expected.turns:
                self._add("orphan", session.session_id, "the session is in the record, and no event mentions it")
            return
        several = expected.chains > 1  # whose word came last does not always follow from the times
        differing: dict[str, tuple[Any, Any]] = {}
        for name in ("workspace_id", "agent_id", "created_at"):
            has, should = getattr(session, name), head[name]
            if has != should and not (several and has is not None and has in expected.said_of(name)):
                differing[name] = (has, should)
        used, latest = head["updated_at"], expected.newest_at if expected.recorded else head["updated_at"]
        if not used <= session.updated_at <= max(used, latest):
            differing["updated_at"] = (session.updated_at, used)
        metadata = dict(session.metadata)
        ended = metadata.pop("ended", None) is True
        if ended != (head["ended"] or head["metadata"].get("ended") is True):
            differing["ended"] = (ended, head["ended"])
        said = {key: value for key, value in head["metadata"].items() if key != "ended"}
        differing |= self._metadata_differs(metadata, said, expected, several=several)
        if unknown := session.unknown():
            differing |= {key: (value, None) for key, value in unknown.items() if not _is_said(key, value, said)}
        if differing:
            self._differs(session.session_id, "the session", differing)
        else:
            self._report.ok("record")

    @staticmethod
    def _metadata_differs(
        has: dict[str, Any], said: dict[str, Any], expected: Expected, *, several: bool
    ) -> dict[str, tuple[Any, Any]]:
        differing = {}
        for ours in (False, True):
            one, other = (_ours(has), _ours(said)) if ours else (_without_ours(has), _without_ours(said))
            if ours and "seals" in other:
                other["seals"] = newest_seals(other["seals"])
            for key in sorted({*one, *other}):
                if _same(one.get(key), other.get(key)) and (ours or (key in one) == (key in other)):
                    continue
                if several and any(_same(one.get(key), value) for value in expected.said_of_key(key, ours=ours)):
                    continue
                differing[f"metadata {key}"] = (one.get(key), other.get(key))
        return differing

    # Turns and their calls -------------------------------------------------------------------------------------------

    def _check_turns(self, session: SessionRecord, expected: Expected) -> None:
        left = dict(expected.turns)
        seen = set()
        for turn in session.turns:
            candidates = left.pop(turn.turn_id, None)
            if candidates is None:
                why = "is there twice" if turn.turn_id in seen else "is in the record, and no event mentions it"
                self._add("orphan", turn.turn_id, f"the turn {turn.turn_id} {why}")
                continue
            seen.add(turn.turn_id)
            self._check_turn(turn, candidates, expected)
        for turn_id in left:
            self._add("missing", turn_id, f"the events of turn {turn_id} are there, the turn is not")
        once = {turn_id for turn_id, candidates in expected.turns.items() if len(candidates) == 1}
        self._check_order([turn.turn_id for turn in session.turns if turn.turn_id in once], expected.orders)

    def _check_order(self, turn_ids: list[str], orders: list[Order]) -> None:
        """Check that a chain's turns stand in order, and behind those of the chains that had ended when it began.

        A turn that several chains tell of, as two sources of one session do, stands where the first of them put it.
        """
        place = {turn_id: n for n, turn_id in enumerate(turn_ids)}
        ended = sorted((o for o in orders if o.until_ns is not None), key=lambda o: o.until_ns or 0)
        behind, done = -1, 0
        for order in sorted(orders, key=lambda one: one.since_ns):
            while done < len(ended) and (ended[done].until_ns or 0) < order.since_ns:
                behind = max([behind, *(place[one] for one in ended[done].turn_ids if one in place)])
                done += 1
            places = [place[one] for one in order.turn_ids if one in place]
            if places != sorted(places) or (places and order.until_ns is not None and places[0] < behind):
                says = f"the turns stand in the order {_shown(turn_ids)}; those of one process began as {_shown(order.turn_ids)}"
                self._add("mismatch", self._session_id, says)

    def _check_turn(self, turn: TurnRecord, candidates: list[Any], expected: Expected) -> None:
        rows = rows_of_turn(self._session_id, turn)
        whole = f"turn {turn.turn_id}"
        found = [self._compared(rows.turns[0], candidate) for candidate in candidates]
        differing = min(reversed(found), key=len)
        says = [_sentence(whole, differing)] if differing else []
        says += self._check_calls(turn, rows, expected)
        if says:
            self._add("mismatch", turn.turn_id, "; ".join(says))
        else:
            self._report.ok("record")

    def _check_calls(self, turn: TurnRecord, rows: Changes, expected: Expected) -> list[str]:
        """Return what is to be said of a turn's calls."""
        tools = [(row["event_id"], f"tool call {row['call_id']} ({row['tool_name']})", row) for row in rows.tool_calls]
        models = [(row["event_id"], _model_name(row), row["details"]) for row in rows.model_calls]
        should_tools = {key[1]: found for key, found in expected.tool_calls.items() if key[0] == turn.turn_id}
        should_models = {
            key[1]: [row["details"] for row in found]
            for key, found in expected.model_calls.items()
            if key[0] == turn.turn_id
        }
        says = []
        for kind, has, should in (("tool", tools, should_tools), ("model", models, should_models)):
            left = dict(should)
            for event_id, name, row in has:
                candidates: Any = left.pop(event_id, None)
                if candidates is None:
                    says.append(f"turn {turn.turn_id}, {name}: no event mentions it")
                elif differing := min((self._compared(row, one) for one in candidates), key=len):
                    says.append(_sentence(f"turn {turn.turn_id}, {name}", differing))
            says += [f"turn {turn.turn_id}: the {kind} call that began with event {one} is not there" for one in left]
            if not left and not _in_order([event_id for event_id, _, _ in has], should):
                says.append(f"turn {turn.turn_id}: its {kind} calls do not stand in the order in which they began")
        return says

    # Handoffs --------------------------------------------------------------------------------------------------------

    def _check_transitions(self, session: SessionRecord, expected: Expected) -> None:
        left = dict(expected.transitions)
        strange = []
        for transition in session.agent_transitions:
            row = {**transition.fields(), "unknown": transition.unknown()}
            should: Any = left.pop(transition_key(transition), None)
            if should is None:
                strange.append(row)
            elif differing := self._compared(row, should):
                self._differs(transition.turn_id or session.session_id, _handoff(row), differing)
            else:
                self._report.ok("record")
        for row in strange:
            same = next((key for key in left if key[0] == row["turn_id"]), None)
            if same is not None:
                should = left.pop(same)
                self._differs(row["turn_id"] or session.session_id, _handoff(should), _differing(row, should))
            else:
                self._add("orphan", row["turn_id"] or session.session_id, f"no event mentions {_handoff(row)}")
        for row in left.values():
            says = f"{_handoff(row)} is not in the record, and its event is there"
            self._add("missing", row["turn_id"] or session.session_id, says)
        has = [transition_key(one) for one in session.agent_transitions]
        if (
            not strange
            and not left
            and has != [key for key in expected.transitions if key in has]
            and (expected.chains == 1 and has != sorted(has, key=lambda key: str(key[3])))
        ):
            self._add("mismatch", session.session_id, "its handoffs do not stand in the order in which they happened")

    def _compared(self, has: Row, should: Row) -> dict[str, tuple[Any, Any]]:
        """Return the fields in which two rows differ; what the store cannot keep whole is what it keeps of it."""
        found = _differing(has, should)
        return {name: pair for name, pair in found.items() if not (self._is_cut(*pair) or _same_time(name, *pair))}

    def _is_cut(self, has: Any, should: Any) -> bool:
        store = self._store
        texts = isinstance(has, str) and isinstance(should, str)
        return texts and isinstance(store, ChecksColumns) and store.is_cut(has, should)

    def _differs(
        self, id_: str, what: str, differing: dict[str, tuple[Any, Any]], says: str = "the events say"
    ) -> None:
        self._add("mismatch", id_, _sentence(what, differing, says))

    def _add(self, verdict: Any, id_: str, says: str) -> None:
        self._report.add("record", verdict, self._session_id, id_, says)


def _sentence(what: str, differing: dict[str, tuple[Any, Any]], says: str = "the events say") -> str:
    parts = [f"{name} is {_shown(has)}, {says} {_shown(should)}" for name, (has, should) in differing.items()]
    return f"{what}: {', '.join(parts)}"


def _shown(value: Any) -> str:
    return "nothing" if value is None else folded(value, _SHOWN) if value != "" else '""'


def _handoff(row: Row) -> str:
    return f"turn {row['turn_id']}, handoff from {row['from_agent']} to {row['to_agent']}"


def _model_name(row: Any) -> str:
    details = row["details"]
    return f"model call {details.get('call_id', row['event_id'])} ({details.get('model')})"


def _is_said(key: str, value: Any, said: dict[str, Any]) -> bool:
    """Return whether a key that records of another version have is what the events say in ours."""
    return bool(_same(value, _ours(said).get(key)))


# Fields ------------------------------------------------------------------------------------------------------------


def _differing(has: Row, should: Row) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two rows differ: what the one has, and what the other should be."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in {**has, **should}:
        if name in _NOT_COMPARED:
            continue
        one, other = has.get(name), should.get(name)
        if name == "metadata":
            found |= _differing_metadata(one or {}, other or {})
        elif not _same(one, other):
            found[name] = (one, other)
    return found


def _differing_metadata(has: dict[str, Any], should: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for one, other in ((_without_ours(has), _without_ours(should)), (_ours(has), _ours(should))):
        for key in sorted({*one, *other}):
            if not _same(one.get(key), other.get(key)) or (key in one) != (key in other):
                found[f"metadata {key}"] = (one.get(key), other.get(key))
    return found


def _ours(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return what turnspan keeps in metadata; a key without a value there is none."""
    found = metadata.get(OURS)
    if not isinstance(found, dict):
        return {} if found is None else {OURS: found}
    kept = {key: value for key, value in found.items() if value is not None}
    for name in _LISTS:
        if isinstance(kept.get(name), list):
            kept[name] = [
                {key: value for key, value in one.items() if value is not None} if isinstance(one, dict) else one
                for one in kept[name]
            ]
    return kept


def _without_ours(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != OURS}


def _same(has: Any, should: Any) -> bool:
    """Return whether two values are the same JSON; 5 and 5.0 are, 1 and true are not."""
    if has is should:
        return True
    if type(has) is type(should) and isinstance(has, (str, int, float)):
        return bool(has == should)
    return _sorted(_as_floats(has)) == _sorted(_as_floats(should))


def _same_time(name: str, has: Any, should: Any) -> bool:
    """Return whether a handoff has the same time, written as the application that recorded it writes times."""
    if name != "timestamp" or not isinstance(has, str) or (at_ns := from_iso(has)) is None or at_ns != from_iso(should):
        return False
    return datetime.fromisoformat(has).isoformat() == has or has.endswith("Z")


def _as_floats(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {key: _as_floats(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_floats(one) for one in value]
    return value


def _in_order(has: list[str], should: Mapping[str, Iterable[Row]]) -> bool:
    """Return whether calls stand in the order of their events, or in that of their times, which threads may swap."""
    recorded = [one for one in should if one in set(has)]
    if has == recorded:
        return True

    def when(event_id: str) -> tuple[str, str]:
        return next((str(row.get("started_at") or "") for row in should[event_id]), ""), event_id

    return has == sorted(recorded, key=when)
