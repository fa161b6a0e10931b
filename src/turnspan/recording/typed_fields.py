"""Typed fields: what an event says is of the type that its field has, so that its line can be read back.

A program may assign anything to a field, and an adapter pass on anything that a provider says. A number where a text
belongs is written down all the same; but read back it is not an event, and what stands in the line is lost. So each field
is looked at once, before its event is encoded: a value of another type is made into its own where that says the same,
and left out where it does not. Names and texts are made text by :mod:`turnspan.recording.redaction`.
"""

from __future__ import annotations

from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from turnspan.events import FIELDS, KINDS, Event, ModelCallEnded, Part, Usage
from turnspan.model.ids import now_ns
from turnspan.model.json_values import encode, plain

_LAST_NS = 2**63
"""The first time, or other number, that 64 bits do not hold."""
_NOT_GIVEN = ("error_type", "tool_type", "operation", "borrowed", "follows", "resource")
"""Texts, and what the recorder itself says."""
_USAGE = {name: next(iter(get_args(hint))) for name, hint in get_type_hints(Usage).items()}
_USAGE_VALUES = attrgetter(*_USAGE)
_USAGE_SHAPES: set[tuple[type, ...]] = set()
"""What types the values of a usage were found to have that are right: the same few come again and again."""


class _Field:
    """A field: what it may hold, and how something else is made into that."""

    __slots__ = ("choices", "hint", "name", "types")

    def __init__(self, name: str, hint: Any) -> None:
        self.name, self.hint = name, hint
        self.types, self.choices = _allowed(hint)

    def made_of(self, given: Any) -> tuple[Any, bool]:
        """Return a value for the field, and whether it says all that was given."""
        if self.name == "at_ns":
            return now_ns(), False
        if str in self.types and not self.choices:
            return text_of_anything(given), True
        value = plain(given)
        try:
            return msgspec.convert(value, self.hint, strict=False), True
        except msgspec.ValidationError:
            pass
        if dict in self.types:
            return {} if value is None else {"value": value}, True
        if self.name == "status":
            return "error", False
        if NoneType in self.types:
            return None, False
        return _EMPTY[next(iter(self.types))]() if not self.choices else next(iter(self.choices)), False


_EMPTY: dict[type, Any] = {list: list, int: int, bool: bool}


def _allowed(hint: Any) -> tuple[frozenset[type], tuple[str, ...]]:
    """Return the types of what a field may hold, and the words that it may be if it is chosen from a few."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return frozenset({str}), arguments
    if origin in (Union, UnionType):
        parts = [_allowed(argument) for argument in arguments]
        return frozenset().union(*(types for types, _ in parts)), tuple(word for _, words in parts for word in words)
    return frozenset({origin or hint}), ()


def _fields_of(kind: type[Event]) -> list[_Field]:
    hints = get_type_hints(kind)
    names = [name for name in kind.__struct_fields__ if FIELDS[name] in (Part.IDENTITY, Part.FACT, Part.METADATA)]
    return [_Field(name, hints[name]) for name in names if name not in _NOT_GIVEN]


_FIELDS = {kind: _fields_of(kind) for kind in KINDS.values()}
_CHOSEN = {kind: [one for one in fields if one.choices] for kind, fields in _FIELDS.items()}
_COUNTED = {
    kind: [one.name for one in fields if int in one.types and one.name != "at_ns"] for kind, fields in _FIELDS.items()
}
_WITHOUT_VALUES_TO_CHECK = {kind for kind in _FIELDS if not _CHOSEN[kind] and not _COUNTED[kind]}
"""Kinds whose fields are right where their types are, but for the time."""
_VALUES = {kind: attrgetter(*(one.name for one in fields)) for kind, fields in _FIELDS.items()}
_SHAPES: dict[type[Event], set[tuple[type, ...]]] = {kind: set() for kind in KINDS.values()}
"""Of each kind of event the fields with a type, and what types their values were found to have that are right.

The same few come again and again: an event costs one look into a set.
"""


def text_of_anything(given: Any) -> str:
    """Return what somebody gave as text."""
    made = plain(given)
    return made if isinstance(made, str) else encode(made).decode()


def typed(event: Event) -> tuple[Event, list[str]]:
    """Return an event whose fields are of their types, and the names of those that do not say what was given."""
    kind = type(event)
    shape = tuple(map(type, _VALUES[kind](event)))
    is_known = shape in _SHAPES[kind]
    if is_known and kind in _WITHOUT_VALUES_TO_CHECK and 0 <= event.at_ns < _LAST_NS:
        return event, []
    changed: dict[str, Any] = {}
    lost: list[str] = []
    if not is_known:
        _look_at_types(event, shape, changed, lost)
    for field in _CHOSEN[kind]:
        given = changed.get(field.name, getattr(event, field.name))
        if given is not None and given not in field.choices:
            changed[field.name] = field.made_of(given)[0]
            lost.append(field.name)
    if "at_ns" not in changed and not 0 <= event.at_ns < _LAST_NS:
        changed["at_ns"] = now_ns()
        lost.append("at_ns")
    for name in _COUNTED[kind]:
        if not 0 <= (changed.get(name, getattr(event, name)) or 0) < _LAST_NS:
            changed[name] = 0
            lost.append(name)
    if kind is ModelCallEnded:
        _look_at_answer(event, changed, lost)
    if "status" in lost and getattr(event, "error", None) is None:
        changed["error"] = f"status {text_of_anything(cast('Any', event).status)}"
    return (msgspec.structs.replace(event, **changed) if changed else event), lost


def _look_at_types(event: Event, shape: tuple[type, ...], changed: dict[str, Any], lost: list[str]) -> None:
    """Make values of the types that they should be."""
    for field, found in zip(_FIELDS[type(event)], shape, strict=True):
        if found not in field.types:
            changed[field.name], whole = field.made_of(getattr(event, field.name))
            if not whole:
                lost.append(field.name)
    if not changed:
        _SHAPES[type(event)].add(shape)


def _look_at_answer(event: Any, changed: dict[str, Any], lost: list[str]) -> None:
    """Look at the counts and the reasons that a provider gave."""
    reasons = changed.get("finish_reasons", event.finish_reasons)
    if reasons and any(type(one) is not str for one in reasons):
        changed["finish_reasons"] = [text_of_anything(one) for one in reasons if one is not None]
    usage = changed.get("usage", event.usage)
    if usage is None or (shape := tuple(map(type, _USAGE_VALUES(usage)))) in _USAGE_SHAPES:
        return
    if all(found in (kind, NoneType) for found, kind in zip(shape, _USAGE.values(), strict=True)):
        _USAGE_SHAPES.add(shape)
        return
    given = {name: value for name in _USAGE if (value := getattr(usage, name)) is not None}
    made = {name: _used(value, _USAGE[name]) for name, value in given.items()}
    changed["usage"] = Usage(**made)
    lost += [f"usage.{name}" for name, value in made.items() if value is None]


def _used(given: Any, kind: type) -> Any:
    if kind is str:
        return text_of_anything(given)
    try:
        return msgspec.convert(plain(given), kind, strict=False)
    except msgspec.ValidationError:
        return None
