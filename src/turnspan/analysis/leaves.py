"""JSON as its leaves: a path and a value each. Text that holds JSON is read as JSON: clients give arguments either way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Path = tuple[str | int, ...]
MISSING: Any = object()
"""What stands where there is nothing."""
_MOST_DEPTH = 100
_OPENING = frozenset("{[ \n\r\t")
_NAME = re.compile(r"[^\W\d][\w-]*")


def opened(value: Any) -> Any:
    """Return the JSON object or list that text holds, or the value itself."""
    if isinstance(value, str) and value[:1] in _OPENING and value.lstrip()[:1] in ("{", "["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found if isinstance(found, (dict, list)) else value
    return value


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield each value that is neither an object nor a list, with the path to it."""
    value = opened(value)
    if isinstance(value, (dict, list)) and len(path) < _MOST_DEPTH:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def path_text(path: Path) -> str:
    """Return a path as it is written: ``items[2].name``; keys that are not names stand in brackets."""
    text = ""
    for part in path:
        if isinstance(part, str) and _NAME.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


def text_of_leaf(value: Any) -> str | None:
    """Return a leaf as the text that may have been quoted; None for what says nothing by itself."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, dict, list)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


@dataclass(slots=True, frozen=True, repr=False)
class Difference:
    """One place in which a step differs: a field of it, the path inside of that, and what stands there in A and in B."""

    field: str
    path: Path
    change: Literal["changed", "added", "removed"]
    a: Any = None
    b: Any = None

    def __repr__(self) -> str:
        """Show where it is, never content: it may be printed by accident."""
        return f"Difference(where={self.where!r}, change={self.change!r}, ...)"

    @property
    def where(self) -> str:
        """The whole way to it: ``arguments.amount``."""
        return path_text((self.field, *self.path))


def same(a: Any, b: Any) -> bool:
    """Return whether two values are the same JSON: ``true`` is not ``1``."""
    return a is b or (not differences("", a, b))


def differences(field: str, a: Any, b: Any, path: Path = ()) -> list[Difference]:
    """Return the places in which two values differ, the deepest that there are."""
    a, b = opened(a), opened(b)
    if isinstance(a, dict) and isinstance(b, dict) and len(path) < _MOST_DEPTH:
        keys = [*a, *(key for key in b if key not in a)]
        return [d for key in keys for d in differences(field, a.get(key, MISSING), b.get(key, MISSING), (*path, key))]
    if isinstance(a, list) and isinstance(b, list) and len(path) < _MOST_DEPTH:
        length = max(len(a), len(b))
        left, right = ([*items, *[MISSING] * (length - len(items))] for items in (a, b))
        pairs = enumerate(zip(left, right, strict=True))
        return [d for n, (one, other) in pairs for d in differences(field, one, other, (*path, n))]
    if a is MISSING:
        return [Difference(field, path, "added", b=b)]
    if b is MISSING:
        return [Difference(field, path, "removed", a=a)]
    if a == b and isinstance(a, bool) == isinstance(b, bool):
        return []
    return [Difference(field, path, "changed", a, b)]
