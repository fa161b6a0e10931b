"""In what two sessions, or two turns, differ: their steps side by side.

Steps are aligned level by level, turns first: equal ones, then those that are most alike. What the same program does
twice differs in ids, times and token counts, so these do not count as differences unless asked for. A step that only one side has
is ``inserted`` or ``dropped``; ``retried`` where the same call failed on that side and is there again; ``reordered``
where the other side has it at another place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from turnspan.analysis.alignment import align
from turnspan.analysis.leaves import Difference, differences, leaves, opened
from turnspan.analysis.messages import without_ids
from turnspan.analysis.sessions import SteppedSessions, without_collecting
from turnspan.analysis.steps import Step, StepRef, content_of
from turnspan.errors import IdNotFoundError
from turnspan.model.json_values import encode
from turnspan.model.records import FAILED
from turnspan.reading.reader import Reader

Change = Literal["same", "changed", "inserted", "dropped", "retried", "reordered"]
_ASKED = {
    "turn": ("prompt",),
    "agent": (),
    "model call": ("messages",),
    "tool call": ("arguments",),
    "handoff": (),
    "note": ("data",),
}
"""What makes a step of each kind the same step again, beside its name."""
_NAMED_ALIKE = frozenset(("tool call", "agent", "note"))
"""Kinds of which two with different names are not one that changed."""
_MOST_DEPTH = 100


@dataclass(slots=True, frozen=True)
class ComparedStep:
    """A step of A, of B, or of both; ``depth`` is how deep it lies, a turn being 0."""

    change: Change
    depth: int
    a: StepRef | None
    b: StepRef | None
    differences: list[Difference] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class Side:
    """What was compared: a session, or one turn of it."""

    session_id: str
    turn_id: str | None
    turns: int


class Places(NamedTuple):
    """A turn of each side, by how many stand before it."""

    a: int = 0
    b: int = 0


@dataclass(slots=True, frozen=True, repr=False)
class Comparison:
    """Two sessions or turns, step by step; what only A has stands where it would be in B."""

    a: Side
    b: Side
    steps: list[ComparedStep]

    def __repr__(self) -> str:
        """Show what was compared and how many steps differ, never content."""
        return f"Comparison(a={self.a!r}, b={self.b!r}, counts={self.counts!r}, ...)"

    @property
    def counts(self) -> dict[str, int]:
        """How many steps there are of each change."""
        found = Counter(step.change for step in self.steps)
        return {change: found[change] for change in ("same", "changed", "inserted", "dropped", "retried", "reordered")}

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return all(step.change == "same" for step in self.steps)


def differing(steps: Sequence[ComparedStep]) -> list[ComparedStep]:
    """Return the steps that differ, each behind what it is inside of."""
    shown: set[int] = set()
    above: list[int] = []
    for number, step in enumerate(steps):
        above = [*above[: step.depth], number]
        if step.change != "same":
            shown.update(above)
    return [steps[number] for number in sorted(shown)]


def compare(sessions: Reader | SteppedSessions, a: str, b: str, *, times: bool = False) -> Comparison:
    """Compare two sessions (by id, the beginning of one, an id in it, or ``last``), or two turns (by their ids).

    Raises:
        SessionNotFoundError: When one of them is not there, or may be several.

    """
    kept = sessions if isinstance(sessions, SteppedSessions) else SteppedSessions(sessions)
    side_a, steps_a = _side(kept, a)
    side_b, steps_b = _side(kept, b)
    return Comparison(side_a, side_b, compare_steps(steps_a, steps_b, times=times))


WINDOW = 200
"""Turns of each side that are compared at once, where only a part of long sessions is looked at."""


def compare_from(kept: SteppedSessions, a: str, b: str, places: Places) -> tuple[Comparison, Places | None]:
    """Compare two sessions from a turn of each on, two hundred turns of each; return where it goes on, too.

    What stands at another place is found inside of such a window alone. Turns by their ids, and sessions with fewer turns,
    are compared whole.

    Raises:
        SessionNotFoundError: When one of them is not there, or may be several.

    """
    if kept.turn(a) is not None or kept.turn(b) is not None:
        return compare(kept, a, b), None
    id_a, id_b = kept.reader.session_id(a), kept.reader.session_id(b)
    turns_a, all_a = kept.some(id_a, places.a, WINDOW)
    turns_b, all_b = kept.some(id_b, places.b, WINDOW)
    steps = compare_steps(turns_a, turns_b)
    ends, last = Places(places.a + len(turns_a), places.b + len(turns_b)), None
    if ends.a < all_a and ends.b < all_b:
        steps, last = _up_to_the_last_pair(steps)
    behind = None if ends.a >= all_a and ends.b >= all_b else last or ends
    return Comparison(Side(id_a, None, all_a), Side(id_b, None, all_b), steps), behind


def _up_to_the_last_pair(steps: list[ComparedStep]) -> tuple[list[ComparedStep], Places | None]:
    """Return the steps up to the last turns that both sides have, and where these end: what follows has its other side there."""
    tops = [number for number, step in enumerate(steps) if step.depth == 0]
    for number, behind in zip(reversed(tops), [len(steps), *reversed(tops[1:])], strict=True):
        a, b = steps[number].a, steps[number].b
        if a is not None and b is not None and steps[number].change != "reordered":
            return steps[:behind], Places(a.turn, b.turn)
    return steps, None


def _side(kept: SteppedSessions, wanted: str) -> tuple[Side, Sequence[Step]]:
    if (alone := kept.turn(wanted)) is not None:
        return Side(alone.session_id, alone.turns[0].ref.turn_id, 1), alone.turns
    session = kept.of(wanted)
    turns, session_id = session.turns, session.session_id
    whole = Side(session_id, None, len(turns)), turns
    if wanted == "last" or session_id.startswith(wanted):
        return whole
    own = [turn for turn in turns if turn.ref.turn_id.startswith(wanted)]
    if not own:
        hits = kept.reader.hits(wanted)
        own = [turn for turn in turns if hits[0].kind in ("turn", "trace") and turn.ref.turn_id == hits[0].turn_id]
    if len(own) > 1:
        raise IdNotFoundError(f"{wanted!r} is ambiguous: {len(own)} turns of session {session_id} match")
    return (Side(session_id, own[0].ref.turn_id, 1), own) if own else whole


def compare_steps(a: Sequence[Step], b: Sequence[Step], *, times: bool = False) -> list[ComparedStep]:
    """Compare the turns of two sessions that were taken apart (see :func:`~turnspan.analysis.steps.steps_of`)."""
    with without_collecting():
        items = _Items(times=times)
        rows = list(_aligned([items.of(step) for step in a], [items.of(step) for step in b], 0))
        return [_compared(row) for row in _named(rows)]


@dataclass(eq=False, slots=True)
class _Item:
    """A step with what it is compared by."""

    step: Step
    fields: dict[str, Any]
    inner: list[_Item]
    key: str
    """Equal where the step, and everything inside of it, is the same."""
    identity: str
    """Equal for the same step at another place or time: its kind, name, and what it was asked."""
    said: bytes
    """Its fields as they are: where these are the same bytes, nothing differs."""
    _words: frozenset[tuple[str | int, ...]] | None = None

    @property
    def words(self) -> frozenset[tuple[str | int, ...]]:
        """What it says, in pieces: the words of its texts, its other values, and what it has inside."""
        if self._words is None:
            self._words = frozenset((one.identity,) for one in self.inner) | frozenset(
                (part, *path, word)
                for part, value in self.fields.items()
                for path, leaf in leaves(value)
                for word in (leaf.split() if isinstance(leaf, str) else [repr(leaf)])
            )
        return self._words


class _Items:
    """Makes the items of both sides: what they have in common is looked at once."""

    def __init__(self, *, times: bool) -> None:
        self._times = times
        self._known: dict[tuple[str, bytes], tuple[str, str | None]] = {}

    def of(self, step: Step) -> _Item:
        own, kind = self._fields(step), step.ref.kind
        said = encode(own)
        if (digests := self._known.get((kind, said))) is None:
            content = {part: _essence(value) for part, value in own.items()}
            asked = [content.get(part) for part in _ASKED[kind]]
            is_asked = any(
                value is not None for value in asked
            )  # what was asked nothing is the same where all of it is
            digests = _digest([kind, content]), _digest([kind, own["name"], asked]) if is_asked else None
            self._known[kind, said] = digests
        inner = [self.of(child) for child in step.children]
        key = _digest([digests[0], *(one.key for one in inner)]) if inner else digests[0]
        return _Item(step, own, inner, key, digests[1] or key, said)

    def _fields(self, step: Step) -> dict[str, Any]:
        """Return which parts of a step are compared."""
        node, ref = step.node, step.ref
        found: dict[str, Any] = {"name": ref.name, "status": ref.status}
        for part, value in content_of(node).items():
            found[part] = without_ids(value) if part in ("messages", "output") else value
        if node.kind == "model call":
            found["finish_reasons"] = node.details.get("finish_reasons")
        if self._times:
            found |= {
                "started_at": node.started_at,
                "duration_ms": node.duration_ms,
                "usage": node.details.get("usage"),
            }
        return {part: value for part, value in found.items() if value is not None}


def _essence(value: Any, depth: int = 0) -> Any:
    """Return a value without what says nothing, and text that holds JSON as that; None where nothing is left."""
    value = opened(value)
    if not isinstance(value, (dict, list)) or depth >= _MOST_DEPTH:
        return None if value == "" else value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = {str(key): own for key, item in items if (own := _essence(item, depth + 1)) is not None}
    return dict(sorted(found.items())) or None


def _digest(value: Any) -> str:
    return sha256(encode(value)).hexdigest()


def _may_pair(a: _Item, b: _Item) -> bool:
    kind = a.step.ref.kind
    return kind == b.step.ref.kind and not (kind in _NAMED_ALIKE and a.fields["name"] != b.fields["name"])


def _likeness(a: _Item, b: _Item) -> float:
    if not _may_pair(a, b):
        return 0.0
    shared = len(a.words & b.words)
    return 0.1 + shared / (len(a.words) + len(b.words) - shared or 1) + 3.0 * (a.identity == b.identity)


# Side by side ---------------------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """A step of one side or of both, still without a name for what it is."""

    depth: int
    a: _Item | None
    b: _Item | None
    change: Change | None = None


def _aligned(a: Sequence[_Item], b: Sequence[_Item], depth: int) -> Iterator[_Row]:
    keys_a, keys_b = [one.key for one in a], [one.key for one in b]
    pairs = align(keys_a, keys_b, lambda i, j: _likeness(a[i], b[j]), lambda i, j: _may_pair(a[i], b[j]))
    for i, j in pairs:
        left, right = None if i is None else a[i], None if j is None else b[j]
        yield _Row(depth, left, right)
        yield from _aligned(left.inner if left else (), right.inner if right else (), depth + 1)


def _named(rows: list[_Row]) -> list[_Row]:
    """Pair what stands at another place, and say of everything else on one side only whether it was tried again."""
    left: dict[str, list[int]] = {}
    right: dict[str, list[int]] = {}
    for n, row in enumerate(rows):
        if row.a is None and row.b is not None and not _was_retried(row.b):
            right.setdefault(row.b.identity, []).append(n)
        elif row.b is None and row.a is not None and not _was_retried(row.a):
            left.setdefault(row.a.identity, []).append(n)
    gone = set()
    for identity, places in left.items():
        for from_a, to_b in zip(places, right.get(identity, ()), strict=False):
            rows[to_b] = rows[to_b]._replace(a=rows[from_a].a, change="reordered")
            gone.add(from_a)
    return [row for n, row in enumerate(rows) if n not in gone]


def _was_retried(item: _Item) -> bool:
    """Return whether a call failed, and the same call was made again beside it."""
    if item.step.ref.kind not in ("tool call", "model call") or item.step.ref.status not in FAILED:
        return False
    parent = item.step.parent
    beside = () if parent is None else parent.children
    return any(one.started > item.step.started and _same_call(one, item.step) for one in beside)


def _same_call(one: Step, other: Step) -> bool:
    if one.ref.kind != other.ref.kind or one.ref.name != other.ref.name:
        return False
    asked = _ASKED[one.ref.kind]
    first, second = content_of(one.node), content_of(other.node)
    return not any(differences(part, without_ids(first[part]), without_ids(second[part])) for part in asked)


def _compared(row: _Row) -> ComparedStep:
    a, b = row.a, row.b
    refs = (None if a is None else a.step.ref, None if b is None else b.step.ref)
    if a is None or b is None:
        one, change = (b, "inserted") if a is None else (a, "dropped")
        assert one is not None
        named: Change = "retried" if _was_retried(one) else "inserted" if change == "inserted" else "dropped"
        return ComparedStep(named, row.depth, *refs)
    if a.said == b.said:
        return ComparedStep(row.change or "same", row.depth, *refs)
    parts = [*a.fields, *(part for part in b.fields if part not in a.fields)]
    found = [d for part in parts for d in _in_part(part, a.fields, b.fields)]
    compared = ComparedStep("changed" if found else "same", row.depth, *refs, found)
    return compared if row.change is None else replace(compared, change=row.change)


def _in_part(part: str, a: dict[str, Any], b: dict[str, Any]) -> list[Difference]:
    if part not in a:
        return [Difference(part, (), "added", b=b[part])]
    if part not in b:
        return [Difference(part, (), "removed", a=a[part])]
    return differences(part, a[part], b[part])
