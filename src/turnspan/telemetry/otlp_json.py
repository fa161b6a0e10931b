"""OTLP as JSON, read: the one walk through a trace request, whoever wrote it.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Files of lines (ours, a Collector's), answers of Jaeger
and Tempo, and what is erased from files all go through here. Names and ids differ a little by writer; the walk knows
them. Writing needs the SDK's spans and is done in :mod:`turnspan.otel_sdk`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any


def spans_in(request: Any) -> Iterator[dict[str, Any]]:
    """Yield the spans of a trace request, as the dicts that are in it; what has another shape has none."""
    for resource in _dicts(request, "resourceSpans", "batches"):
        for scope in _dicts(resource, "scopeSpans", "instrumentationLibrarySpans"):
            yield from _dicts(scope, "spans")


def _dicts(holder: Any, *names: str) -> Iterator[dict[str, Any]]:
    if isinstance(holder, dict):
        found = next((holder[name] for name in names if holder.get(name)), None)
        yield from (item for item in found or [] if isinstance(item, dict)) if isinstance(found, list) else ()


def attributes_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a span, event or link that are text or integers."""
    found = {}
    for entry in _dicts(item, "attributes"):
        value = entry.get("value")
        if isinstance(value, dict):
            found[str(entry.get("key"))] = value.get("stringValue", value.get("intValue"))
    return found


def hex_id(value: Any, digits: int) -> str:
    """Return an id as hex: OTLP's JSON has it so, that of plain protobuf has base64."""
    text = str(value or "")
    if not text or len(text) == digits:
        return text.lower()
    try:
        return base64.b64decode(text).hex()
    except (ValueError, binascii.Error):
        return text
