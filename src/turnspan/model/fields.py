"""Fields of records: what each type of field takes from JSON, and gives back as JSON.

Other versions and other programs write these records. What can be understood is taken: text that is something else is
kept as JSON text, so that one odd value does not cost a whole session. What cannot (a list where an object belongs) is
refused, with the place where it stands.
"""

from __future__ import annotations

import math
from typing import Any

from turnspan.errors import UnreadableSessionError
from turnspan.model.json_values import arguments_of, clean_text, plain, to_json


class MissingFieldError(UnreadableSessionError, KeyError):
    """A field without which a record cannot be is missing; a ``KeyError`` too, which the seeds raise."""

    __str__ = Exception.__str__  # KeyError would put quotes around the sentence


def from_json(kind: Any, value: Any, where: str) -> Any:
    """Return a field of this declared type, of what JSON has at a place.

    Raises:
        UnreadableSessionError: When it cannot be one.

    """
    match kind:
        case "str" | "str | None":
            return _text(value)
        case "float | None":
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise _wrong(where, "a number", value)
            return _number(value)
        case "list[str]":
            return [_text(item) for item in list_of(value, where)]
        case "dict[str, Any]":
            return plain(object_of(value, where))
        case "Arguments":
            return plain(arguments_of(value))
    return plain(value)


def as_json(kind: Any, value: Any) -> Any:
    """Return a field of this declared type as JSON. Never raises: what a runtime put there must not stop a recording."""
    match kind:
        case _ if value is None:
            return None
        case "str" | "str | None":
            return _text(value)
        case "float | None":
            return _number(value) if isinstance(value, (int, float)) else None
        case "list[str]" if isinstance(value, (list, tuple)):
            return [_text(item) for item in value]
    return plain(value)


def object_of(value: Any, where: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        UnreadableSessionError: When it is something else.

    """
    if not isinstance(value, dict):
        raise _wrong(where, "an object", value)
    return value


def list_of(value: Any, where: str) -> list[Any]:
    """Return a JSON list; null is an empty one.

    Raises:
        UnreadableSessionError: When it is something else.

    """
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise _wrong(where, "a list", value)
    return list(value)


def id_of(value: Any, where: str) -> str:
    """Return an id or name; null is an empty one.

    Raises:
        UnreadableSessionError: When it is something else than text: 5 and "5" would become the same one.

    """
    if value is not None and not isinstance(value, str):
        raise _wrong(where, "text", value)
    if value and "\0" in value:
        return value  # as it is: an id that cannot be kept is refused, not turned into another one
    return _text(value or "")


def _text(value: Any) -> str:
    return clean_text(value if isinstance(value, str) else to_json(value))


def some_text(value: Any) -> str | None:
    """Return a value as text; None where there is none."""
    return None if value is None else _text(value)


def _number(value: float) -> float | None:
    """Return a number that every store can keep; None for NaN, infinities and what no column holds."""
    return value if math.isfinite(value) and abs(value) < 2**63 else None


def _wrong(where: str, expected: str, value: Any) -> UnreadableSessionError:
    return UnreadableSessionError(f"{where} is not {expected} but {_NAMES.get(type(value), type(value).__name__)}")


_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    dict: "an object",
    list: "a list",
}
