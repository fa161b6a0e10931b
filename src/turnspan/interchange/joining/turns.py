"""Turns: what sources say of one turn, put together call by call."""

from __future__ import annotations

import copy
import json
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from typing import Any

from turnspan.interchange.joining.elements import PENDING, Element, is_derived, is_empty, joined, longer
from turnspan.model.records import OURS, ToolCallRecord, TurnRecord, from_iso, turnspan_metadata

COMPACTED = "conversation.compacted"
REWOUND = "conversation.rewound"
INTERRUPTED = "turn.interrupted"
_NEAR_NS = 2_000_000_000
"""How far apart two accounts of one turn may begin, where no id says that it is one."""
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")


class JoinedTurn:
    """A turn that sources add to.

    Args:
        turn: What is known so far; it is not changed.

    """

    def __init__(self, turn: TurnRecord) -> None:
        self._turn = copy.deepcopy(turn)
        ours = turnspan_metadata(self._turn.metadata)
        self._ours: Element = {key: value for key, value in ours.items() if key not in ("model_calls", *_LISTS)}
        self._tools = [call.to_dict() for call in self._turn.tool_calls]
        self._lists: dict[str, list[Element]] = {name: list(ours.get(name) or ()) for name in ("model_calls", *_LISTS)}

    def add(self, other: TurnRecord) -> None:
        """Add what a source says."""
        turn, ours = self._turn, turnspan_metadata(other.metadata)
        if other.turn_id != turn.turn_id:
            ours = {**ours, "source_ids": [*ours.get("source_ids", ()), other.turn_id]}
        turn.prompt = longer(turn.prompt, other.prompt)
        turn.agent_id = turn.agent_id or other.agent_id
        turn.started_at = min(filter(None, (turn.started_at, other.started_at)), default="")
        turn.ended_at = max(filter(None, (turn.ended_at, other.ended_at)), default=None)
        turn.audit_event_ids = list(dict.fromkeys([*turn.audit_event_ids, *other.audit_event_ids]))
        own = {key: value for key, value in ours.items() if key not in ("model_calls", *_LISTS)}
        self._ours = joined(self._ours, own)
        theirs = {key: value for key, value in other.metadata.items() if key != OURS}
        turn.metadata = joined({key: value for key, value in turn.metadata.items() if key != OURS}, theirs)
        _add_all(self._tools, (call.to_dict() for call in other.tool_calls), _same_tool)
        _add_all(self._lists["model_calls"], ours.get("model_calls") or (), _same_model)
        _add_all(self._lists["agents"], ours.get("agents") or (), _same_id)
        _add_all(self._lists["notes"], ours.get("notes") or (), _same_note)

    def tool(self, call: Element) -> None:
        """Add what is said of a tool call: the fields of a ``ToolCallRecord``."""
        _add_all(self._tools, [call], _same_tool)

    def model(self, call: Element) -> None:
        """Add what is said of a model call: the fields of ``ModelCallMetadata``; one of the turn's own has no agent."""
        _add_all(self._lists["model_calls"], [call], _same_model)

    def agent(self, entry: Element) -> None:
        """Add what is said of an agent inside of the turn."""
        _add_all(self._lists["agents"], [entry], _same_id)

    def note(self, name: str, data: Any, at: str) -> None:
        """Add a note."""
        _add_all(self._lists["notes"], [{"name": name, "data": data, "at": at}], _same_note)

    def asked(self, text: str, at: str, *, source_ids: Iterable[str | None] = ()) -> None:
        """Add the prompt, when it came, and what else the source calls it."""
        self._turn.prompt = longer(self._turn.prompt, text)
        self.touched(at)
        if known := [one for one in source_ids if one and one != self._turn.turn_id]:
            self._ours = joined(self._ours, {"source_ids": sorted(known)})

    def traced(self, trace_id: str, span_id: str) -> None:
        """Say which span the turn is, in the trace that its program sends."""
        self._ours = joined(self._ours, {"trace_id": trace_id, "span_id": span_id})

    def touched(self, at: str) -> None:
        """Say that something in it happened at a time."""
        if at:
            self._turn.started_at = min(self._turn.started_at or at, at)
            self.lasted(at)

    def lasted(self, at: str) -> None:
        """Say that it lasted until a time at least."""
        if at:
            self._turn.ended_at = max(self._turn.ended_at or at, at)

    def called(self, call_id: str) -> Element | None:
        """Return what is known of a tool call."""
        return next((call for call in self._tools if call["call_id"] == call_id), None)

    def record(self) -> TurnRecord:
        """Return the turn: calls in the order of their starts, answer and outcome as they follow from them."""
        lists = self._lists
        for element in (*self._tools, *lists["model_calls"], *lists["agents"]):
            self.touched(_began(element))
        for note in lists["notes"]:
            self.lasted(note["at"])
        turn = copy.deepcopy(self._turn)
        turn.started_at = turn.started_at or min((note["at"] for note in lists["notes"]), default="")
        turn.tool_calls = [ToolCallRecord.from_dict(call) for call in sorted(self._tools, key=in_order)]
        made = {name: sorted(found, key=in_order) for name, found in lists.items() if found}
        ours = dict(self._ours)
        if others := [one for one in ours.pop("source_ids", ()) if one != turn.turn_id]:
            ours["source_ids"] = others
        turn.metadata[OURS] = {**ours, **copy.deepcopy(made)}
        models = [one for one in made.get("model_calls", ()) if not one.get("parent_id") and not one.get("agent_id")]
        answers = [one["output"] for one in models if isinstance(one.get("output"), str) and one["output"]]
        if answers:
            turn.response_content = answers[-1]
        turn.status, turn.error = "success", None
        if any(note["name"] == INTERRUPTED for note in lists["notes"]):
            turn.status, turn.error = "cancelled", "interrupted by the user"
        elif models and models[-1].get("status") == "error":
            turn.status, turn.error = "error", models[-1].get("error")
        return turn


_LISTS = ("agents", "notes")


def tool_call(call_id: str, name: str, *, started_at: str = "", **fields: Any) -> Element:
    """Return what is said of a tool call; without a status it is not known to have ended."""
    ours = {key: fields.pop(key) for key in ("agent_id", "parent_id", "error_type") if fields.get(key)}
    given = {key: value for key, value in fields.items() if value is not None}
    if "status" not in given:
        given |= {"status": "skipped", "error": PENDING}
    if started_at:
        ours["started_at"] = started_at
    metadata = {**given.pop("metadata", {}), OURS: ours}
    return {"call_id": call_id, "tool_name": name, "arguments": {}, **given, "metadata": metadata}


class KnownTurns:
    """The turns of a session, found by what another account of one has in common with it: an id, a call, or its beginning.

    Args:
        turns: The turns.

    """

    def __init__(self, turns: Iterable[TurnRecord]) -> None:
        self.turns: list[TurnRecord] = []
        self._places: dict[str, int] = {}
        self._starts: list[tuple[int, int]] = []
        for turn in turns:
            self.put(None, turn)

    def find(self, account: TurnRecord) -> int | None:
        """Return the place of the turn that an account is of."""
        for id_ in (*_turn_ids(account), *_call_ids(account)):
            if (place := self._places.get(id_)) is not None:
                return place
        began = from_iso(account.started_at)
        if began is None:
            return None
        first = bisect_left(self._starts, (began - _NEAR_NS, 0))
        for at_ns, place in self._starts[first:]:
            if at_ns > began + _NEAR_NS:
                break
            known = self.turns[place].prompt
            if not known or not account.prompt or known == account.prompt:
                return place
        return None

    def put(self, place: int | None, turn: TurnRecord) -> None:
        """Put a turn in its place, or at the end."""
        if place is None:
            place = len(self.turns)
            self.turns.append(turn)
        else:
            self.turns[place] = turn
        for id_ in (*_turn_ids(turn), *_call_ids(turn)):
            self._places.setdefault(id_, place)
        if (began := from_iso(turn.started_at)) is not None:
            insort(self._starts, (began, place))


def _turn_ids(turn: TurnRecord) -> list[str]:
    return [turn.turn_id, *turnspan_metadata(turn.metadata).get("source_ids", ())]


def _call_ids(turn: TurnRecord) -> list[str]:
    ours = turnspan_metadata(turn.metadata)
    others = [*(ours.get("model_calls") or ()), *(ours.get("agents") or ())]
    tools = ({"call_id": call.call_id, "metadata": call.metadata} for call in turn.tool_calls)
    return [id_ for one in (*tools, *others) for id_ in _ids(one) if not is_derived(id_)]


# Which elements are the same ---------------------------------------------------------------------------------------


def _add_all(kept: list[Element], given: Iterable[Element], is_same: Callable[[Element, Element], bool]) -> None:
    """Join each given element with that of the kept ones which is the same, or add it."""
    for element in given:
        place = next((n for n, one in enumerate(kept) if _ids(one) & _ids(element)), None)
        if place is None:
            alike = [n for n, one in enumerate(kept) if is_same(one, element)]
            place = min(alike, key=lambda n: _distance(kept[n], element), default=None)
        if place is None:
            kept.append(copy.deepcopy(element))
            continue
        both = joined(kept[place], element)
        others = {one.get("call_id") for one in (kept[place], element)} - {both.get("call_id"), None}
        if others:
            holder = both["metadata"].setdefault(OURS, {}) if "tool_name" in both else both
            holder["source_ids"] = sorted({*holder.get("source_ids", ()), *others})
        kept[place] = both


def _ids(element: Element) -> set[str]:
    ours = turnspan_metadata(element.get("metadata") or {})
    found = [element.get(name) for name in ("call_id", "response_id", "request_id")]
    return {one for one in (*found, *element.get("source_ids", ()), *ours.get("source_ids", ())) if one}


def _same_id(_one: Element, _other: Element) -> bool:
    return False


def _same_tool(one: Element, other: Element) -> bool:
    """Return whether two calls of a tool are one that a source has no id for."""
    one_made, other_made = (any(is_derived(id_) for id_ in _ids(call)) for call in (one, other))
    return one_made != other_made and one["tool_name"] == other["tool_name"] and one["arguments"] == other["arguments"]


def _same_model(one: Element, other: Element) -> bool:
    """Return whether two calls of a model are one that a source has no id for: what they used is the same."""
    if one.get("request_id") and other.get("request_id"):
        return False
    used, others = one.get("usage") or {}, other.get("usage") or {}
    return bool(used.get("output_tokens")) and all(used.get(name, 0) == others.get(name, 0) for name in _TOKENS)


def _same_note(one: Element, other: Element) -> bool:
    data, others = one.get("data"), other.get("data")
    if not isinstance(data, dict) or not isinstance(others, dict) or one["name"] != other["name"]:
        return one == other
    if "call_id" in data:
        return bool(data["call_id"] == others.get("call_id"))
    if one["name"] == COMPACTED and (before := data.get("tokens_before")):
        return bool(before == others.get("tokens_before"))
    return one["name"] == INTERRUPTED or (one["at"] == other["at"] and _text(data) == _text(others))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _began(element: Element) -> str:
    ours = turnspan_metadata(element.get("metadata") or {})
    return str(element.get("started_at") or ours.get("started_at") or element.get("at") or "")


def in_order(element: Element) -> tuple[str, str]:
    """Return where an element stands among its kind: by its start, then by its event, which verification goes by, too."""
    ids = (turnspan_metadata(element.get("metadata") or {}) or element).get("audit_event_ids")
    return _began(element), ids[0] if ids else str(element.get("call_id") or _text(element.get("data")))


def _distance(one: Element, other: Element) -> int:
    return abs((from_iso(_began(one)) or 0) - (from_iso(_began(other)) or 0))


def says_nothing(turn: TurnRecord) -> bool:
    """Return whether a turn has nothing in it that is worth a record."""
    ours = turnspan_metadata(turn.metadata)
    return (
        not turn.prompt and not turn.tool_calls and all(is_empty(ours.get(name)) for name in ("model_calls", *_LISTS))
    )
