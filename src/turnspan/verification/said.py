"""Said: is everything that a log line or a span of ours says what the events say?

Names, ids, times and status are compared wherever lines and spans are kept. In the files that turnspan writes itself
nobody has a reason to change anything, and so all of it is: whoever reads them reads more than ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from turnspan.events import Event
from turnspan.journal.recorded_events import RecordedEvent
from turnspan.model.json_values import encode
from turnspan.model.records import iso
from turnspan.otel_sdk.otlp_json import otlp_json
from turnspan.otel_sdk.rehydration import RehydratedSpan
from turnspan.telemetry.log_lines import line_of
from turnspan.telemetry.otlp_json import spans_in

Differing = dict[str, tuple[Any, Any]]
"""What something says, and what it should say, by the name of what it is said of."""


def line_differs(said: dict[str, Any], one: RecordedEvent, started: Event | None) -> Differing:
    """Return in what a line of our own log file is not the line of its event."""
    line = line_of(one.event, one.span, started, iso(one.event.at_ns))
    should = msgspec.json.decode(encode(line))
    if (kind := said.get("error_type")) is not None and kind == getattr(one.event, "error_type", None):
        should.setdefault("error_type", kind)  # the error's text was erased, its kind was not
    names = dict.fromkeys([*should, *said])
    return {name: (said.get(name), should.get(name)) for name in names if said.get(name) != should.get(name)}


def span_differs(said: dict[str, Any], span: RehydratedSpan) -> Differing:
    """Return in what a span of our own file says something else than the record.

    What is not on it says nothing: content may not have been wanted there, and the SDK's limits cut texts. What is on
    it besides may be of the program's own processors.
    """
    (should,) = spans_in(otlp_json([span]))
    found = _attributes_differ(said, should)
    if said.get("kind") != should["kind"]:
        found["kind"] = (said.get("kind"), should["kind"])
    message, wanted = _status(said), _status(should)
    if not _is_cut(message, wanted):
        found["status message"] = (message, wanted)
    names = [[event.get("name") for event in one.get("events") or []] for one in (said, should)]
    if names[0] != names[1]:
        found["events"] = (names[0], names[1])
    return found


def _status(span: dict[str, Any]) -> Any:
    return (span.get("status") or {}).get("message", "")


def _attributes_differ(said: dict[str, Any], should: dict[str, Any]) -> Differing:
    has, wanted = _values(said.get("attributes")), _values(should["attributes"])
    return {
        key: (value, wanted[key]) for key, value in has.items() if key in wanted and not _is_cut(value, wanted[key])
    }


def _values(attributes: Any) -> dict[str, Any]:
    """Return attributes by key; one that is there twice has no value that anything is equal to."""
    found: dict[str, Any] = {}
    for one in attributes if isinstance(attributes, Iterable) else ():
        if isinstance(one, dict):
            key, value = str(one.get("key")), _value(one.get("value"))
            found[key] = (found[key], value) if key in found else value
    return found


def _value(value: Any) -> Any:
    """Return a value by itself; integers are text in OTLP JSON, or not."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    if kind == "arrayValue":
        return [_value(item) for item in (inner or {}).get("values") or []]
    return str(inner) if kind == "intValue" else inner


def _is_cut(has: Any, wanted: Any) -> bool:
    """Return whether a value is another one, as the SDK's limit on the length of texts leaves it."""
    if isinstance(has, str) and isinstance(wanted, str) and has:
        return wanted.startswith(has)
    if isinstance(has, list) and isinstance(wanted, list) and len(has) == len(wanted):
        return all(_is_cut(one, other) for one, other in zip(has, wanted, strict=True))
    return bool(has == wanted)
