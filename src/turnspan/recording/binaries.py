"""Images, audio and files in content: a digest says which one it was, and nothing of it is kept.

They are base64 of megabytes, sent again with each request. Whatever read them as text (redaction, the journal, the
store, the log) would do so several times; here they are read once.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import msgspec

from turnspan.events import CONTENT, TEXTS, Event

LARGE = 256 * 1024
"""Characters of base64 that are kept whole; also how long an event may be before it is looked into."""
_SAMPLE = 512
_BASE64 = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/_-]*={0,2}")
"""Encoded data has all three kinds of characters within a sample; hexadecimal digits and a letter that is repeated do not."""
_HEAD = re.compile(r"data:[^,]{0,200};base64,")


def may_have_binaries(line: bytes) -> bool:
    """Return whether an encoded event may have large base64: a document of many values is not walked to find none.

    Neither a quote nor a space stands in base64, and wherever more than this begins, half of it is a whole stretch of the line.
    """
    stretch = LARGE // 2
    return len(line) > LARGE and any(
        line.find(b'"', at, at + stretch) < 0 and line.find(b" ", at, at + stretch) < 0
        for at in range(0, len(line) - stretch + 1, stretch)
    )


def without_binaries(event: Event) -> Event:
    """Return an event with large base64 in its content cut to what it is, how long, and its digest."""
    changed: dict[str, Any] = {}
    for name in (*CONTENT, *TEXTS):
        if (value := getattr(event, name, None)) is not None and (shorter := _shorter(value)) is not value:
            changed[name] = shorter
    return msgspec.structs.replace(event, **changed) if changed else event


def _shorter(value: Any) -> Any:
    """Return a value of JSON without large base64; itself where there is none."""
    if type(value) is str:
        return _cut(value) if len(value) > LARGE else value
    if type(value) is dict:
        items = {key: _shorter(item) for key, item in value.items()}
        return items if any(items[key] is not item for key, item in value.items()) else value
    if type(value) is list:
        parts = [_shorter(item) for item in value]
        return parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
    return value


def _cut(text: str) -> str:
    found = _HEAD.match(text)
    head = "" if found is None else found.group()
    samples = (text[len(head) : len(head) + _SAMPLE], text[-_SAMPLE:])
    if " " in text or not all(map(_BASE64.fullmatch, samples)):
        return text
    digest = sha256(text[len(head) :].encode("utf-8", "backslashreplace")).hexdigest()
    return f"{head}[cut {len(text) - len(head)} characters, sha256 {digest}]"
