"""Content: what agents, tools and models pass around, as JSON that any reader can take.

A tool may return bytes, sets, NaN, cycles or an object of its own. Watching must not fail on any of them, and what is
stored must be JSON for every other program. Most content already is; only what is not takes the slow way through
:func:`plain`.
"""

from __future__ import annotations

import base64
import dis
import json
import math
import re
import threading
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

import msgspec

MAX_DEPTH = 100
"""Levels of nesting that are kept; what lies deeper is shown as text."""
MAX_ITEMS = 1_000_000
"""Items of one mapping of a class of its own that are kept: it may never end."""
_MAX_DESCRIPTION = 2000
_MOST_BITS = 10_000
"""Of a number that is written in decimal digits: more take long, and Python refuses."""
_STRINGS = re.compile(rb'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"')
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_RAISE = dis.opmap["RAISE_VARARGS"]


def plain(value: Any) -> Any:
    """Return a deep copy made of dict, list, str, int, float, bool and None only.

    Bytes become base64, sets lists, NaN and infinities their names, keys strings, lone surrogates and NUL escapes, cycles
    the word ``<cycle>``, and objects what their ``model_dump``, fields or ``repr`` say. Never raises.
    """
    return _plain(value, 0, set())


def _plain(value: Any, depth: int, above: set[int]) -> Any:
    match value:
        case None | True | False:
            return value
        case str():
            return clean_text(value)
        case int():
            return _number(value)
        case float():
            number = float.__float__(value)
            return number if math.isfinite(number) else float.__repr__(number)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
    if id(value) in above:
        return "<cycle>"
    if depth >= MAX_DEPTH:
        return _described(value)
    if (made := _made.values.get(id(value))) is not None:
        return made[1]
    above.add(id(value))
    try:
        match value:
            case dict():
                return {_key(key): _plain(item, depth + 1, above) for key, item in list(dict.items(value))}
            case Mapping():
                return {_key(key): _plain(item, depth + 1, above) for key, item in islice(value.items(), MAX_ITEMS)}
            case list() | tuple() | set() | frozenset():
                return [_plain(item, depth + 1, above) for item in list(value)]
            case BaseException():
                return _described(value)
        if not isinstance(value, type) and callable(dump := getattr(type(value), "model_dump", None)):
            return _plain(dump(value, mode="json"), depth + 1, above)  # pydantic, and whoever speaks like it
        return _plain(msgspec.to_builtins(value), depth + 1, above)  # dataclasses, enums, dates, UUIDs, decimals
    except BaseException as error:
        if is_from_outside(error):
            raise
        return _described(value)
    finally:
        above.discard(id(value))


def is_from_outside(error: BaseException) -> bool:
    """Return whether an exception that left content's own code is not content's: a user's Ctrl-C, which must go on.

    An object's ``__repr__`` may raise anything, ``SystemExit`` and ``KeyboardInterrupt`` too, and must not end the agent by
    that. The interrupt of a terminal arrives between two instructions; what content raises, a ``raise`` has raised.
    """
    if not isinstance(error, KeyboardInterrupt) or error.__traceback__ is None:
        return False
    innermost = error.__traceback__
    while innermost.tb_next is not None:
        innermost = innermost.tb_next
    return innermost.tb_frame.f_code.co_code[innermost.tb_lasti] != _RAISE


def _number(value: int) -> int | str:
    number = int.__int__(value)
    if -(2**63) <= number < 2**64:
        return number
    return hex(number) if number.bit_length() > _MOST_BITS else str(number)


def clean_text(value: str) -> str:
    """Return text that every store takes: lone surrogates and NUL are escapes."""
    if value.isascii():
        return str.__str__(value) if "\0" not in value else str.replace(value, "\0", "\\u0000")
    try:
        str.encode(value)
        text = str.__str__(value)
    except UnicodeEncodeError:
        text = "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in str.__str__(value))
    return text if "\0" not in text else text.replace("\0", "\\u0000")


def _key(key: Any) -> str:
    return clean_text(key) if isinstance(key, str) else _described(key)


def _described(value: Any) -> str:
    try:
        text = repr(value)
    except BaseException as error:
        if is_from_outside(error):
            raise
        text = f"<{type(value).__qualname__}>"
    return clean_text(text if len(text) <= _MAX_DESCRIPTION else text[:_MAX_DESCRIPTION] + "...")


class _Made(threading.local):
    """What was made plain in the encoding that is going on: an object is asked once, however often it is come to."""

    def __init__(self) -> None:
        self.values: dict[int, tuple[Any, Any]] = {}  # by id, with the object, so that the id stays its own


_made = _Made()


def _to_encodable(value: Any) -> Any:
    made = plain(value)
    _made.values[id(value)] = value, made
    return made


_encoder = msgspec.json.Encoder(enc_hook=_to_encodable)
_encode_at_once = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_HUGE = re.compile(rb"(?:^|[:\[,])(?:-\d{19}|\d{20})")
"""An integer that may have more than 64 bits: it is kept as text."""
_NOT_FINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")


class Encoded(NamedTuple):
    """A line of JSON, and whether it says the value as it was given: nothing in it had to be made plain."""

    line: bytes
    as_given: bool


def encode(value: Any) -> bytes:
    """Return a value, an event or a row as one line of JSON. Never raises for any content."""
    line = encode_as_given(value)
    return line if line is not None else encode_clean(value).line


def encode_as_given(value: Any) -> bytes | None:
    """Return a value as JSON, as it is; None where something in it has to be made plain first. Most content needs nothing."""
    try:
        line = _encode_at_once(value)
        packed = _pack(value)  # which refuses integers that no store takes, and is a tenth of what encoding costs
        if b"null" in line and _NOT_FINITE.search(packed) is not None:
            return None  # NaN and infinities are null in JSON; MessagePack has them
    except BaseException as error:
        if is_from_outside(error):
            raise
        return None
    return None if b"\\u0000" in line or _is_deep(line) else line  # some stores refuse NUL


def encode_clean(value: Any) -> Encoded:
    """Return a value as JSON, whatever is in it, and whether anything in it had to be made plain."""
    if (line := encode_as_given(value)) is not None:
        return Encoded(line, as_given=True)
    try:
        try:
            line = _encoder.encode(value)
            if b"null" not in line and b"\\u0000" not in line and not _HUGE.search(line) and not _is_deep(line):
                return Encoded(line, as_given=False)
        except BaseException as error:  # what cannot be encoded at once goes through plain()
            if is_from_outside(error):
                raise
            line = b""
        if isinstance(value, msgspec.Struct):  # an event, a line: its own shape stays
            fields = {name: plain(getattr(value, name)) for name in value.__struct_fields__ if name != "usage"}
            again = _encoder.encode(msgspec.structs.replace(value, **fields))
        else:
            again = _encoder.encode(plain(value))
        return Encoded(again, as_given=again == line and not _made.values)
    finally:
        if _made.values:
            _made.values = {}


def _is_deep(line: bytes) -> bool:
    """Return whether JSON is nested deeper than what is kept: the encoder stops where a Python's C stack ends, or not at all."""
    if line.count(b"]") + line.count(b"}") <= MAX_DEPTH:
        return False
    brackets = _STRINGS.sub(b"", line).translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return False
    return True


def encode_plain(value: Any) -> bytes:
    """Return as JSON what was made of JSON, or by :func:`plain`: nothing in it needs to be looked for."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:  # somebody else's JSON, with a lone surrogate in it
        return encode(value)


def to_json(value: Any) -> str:
    """Return content as JSON text, for a span attribute or a column; text stays as it is."""
    return value if isinstance(value, str) else encode(value).decode()


def parsed(text: Any) -> Any:
    """Return the JSON object that text holds, or the value itself: runtimes give arguments either way."""
    if isinstance(text, str) and text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def arguments_of(value: Any) -> dict[str, Any]:
    """Return arguments of a tool as the mapping that a record wants; one bare value is kept as ``input``."""
    value = parsed(value)
    if value is None or value == "":
        return {}
    return value if isinstance(value, dict) else {"input": value}


def text_of(value: Any) -> str:
    """Return a prompt or an answer as text: the text itself, a message list's user texts, or its JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list):
        texts = [
            _message_text(item) for item in value if isinstance(item, Mapping) and item.get("role", "user") == "user"
        ]
        if any(texts):
            return next(text for text in reversed(texts) if text)
    return encode(value).decode()


def _message_text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else message.get("parts") or []
    return "\n".join(str(p.get("text") or p.get("content") or "") for p in parts if isinstance(p, Mapping))


def folded(value: Any, limit: int = 200) -> str:
    """Return content as one line of at most ``limit`` characters, with how much was left out."""
    text = " ".join(to_json(value).split())
    return text if len(text) <= limit else f"{text[:limit]}... (+{len(text) - limit})"
