"""The scan: finds secrets in JSON, whatever they stand in.

Everything is scanned once, as the bytes that are kept: prompts, names, keys, errors and notes alike. One pass finds
the few characters that each kind of secret begins with or is named by (:class:`Marks`); a pattern is tried only there.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from turnspan.recording.secrets.formats import FORMATS, Format
from turnspan.recording.secrets.headers import headers
from turnspan.recording.secrets.marks import Marks
from turnspan.recording.secrets.names import Handler, Hit, is_secret_name, named
from turnspan.recording.secrets.numbers import WIDE_MARKS, iban, may_hold_numbers, numbers, social_security
from turnspan.recording.secrets.places import placed
from turnspan.recording.secrets.values import is_secret_leaf

_RUN = b"a" * 27
_TOKENS = bytes(97 if chr(c) in "-_+/" or (c < 128 and chr(c).isalnum()) else 32 for c in range(256))
_DISCORD = re.compile(rb"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_-])")
_DISCORD_ID = re.compile(rb"(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9_-]{22,29}\Z")
_RUN_END = re.compile(rb"a*+")
_PADDING = re.compile(rb"={0,2}")
_INVISIBLE = re.compile(rb"\xe2\x80[\x8b-\x8f]|\xe2\x81\xa0|\xef\xbb\xbf|\xc2\xad")
_INVISIBLE_MARKS = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad")
_EMAIL = re.compile(rb"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")
_SCHEMA_TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}


class Scan:
    """Takes out of encoded events what is to be taken out.

    Args:
        secrets: Whether keys, tokens and passwords are.
        cards: Whether numbers of cards, bank accounts and social security are.
        email: Whether addresses are.

    """

    def __init__(self, *, secrets: bool, cards: bool, email: bool) -> None:
        self._secrets, self._cards = secrets, cards
        handlers: dict[bytes, list[tuple[bytes | None, Handler]]] = {}
        pairs: list[tuple[str, Handler]] = []
        for mark, handler, exact in _shaped() if secrets else ():
            handlers.setdefault(_lower(mark), []).append((mark.encode() if exact else None, handler))
        if secrets:
            pairs += [*named(), *headers(), *placed()]
        if cards:
            pairs += [("iban", iban), ("ssn", social_security), ("social security", social_security)]
        if email:
            pairs.append(("@", _email))
        for mark, handler in pairs:
            handlers.setdefault(_lower(mark), []).append((None, handler))
        flags = [mark.encode() for mark in (*(_INVISIBLE_MARKS if secrets else ()), *(WIDE_MARKS if cards else ()))]
        marks = [*flags, *handlers]
        self._handlers = [handlers.get(mark, []) for mark in marks]
        self._flags = len(flags)
        self._invisible = len(_INVISIBLE_MARKS) if secrets else 0
        self._marks = Marks(marks) if marks else None

    def _find(self, text: bytes) -> list[tuple[int, int, int]]:
        return [] if self._marks is None else self._marks.find(text)

    def clean(self, text: bytes) -> bytes:
        """Return JSON without what is to be taken out; the same object where nothing is."""
        given, marks = text, self._find(text.lower())
        has_runs = self._secrets and _RUN in text.translate(_TOKENS)
        has_numbers = self._cards and may_hold_numbers(text)
        if not marks and not has_runs and not has_numbers:
            return text  # as nearly all of it
        hits, nested, invisible = self._hits(text, marks, has_numbers=has_numbers)
        if invisible:
            bare = _INVISIBLE.sub(b"", text)
            more = self._hits(bare, self._find(bare.lower()))
            if len(more[0]) > len(hits):
                text, (hits, nested, _) = bare, more
        if nested:
            text = msgspec.json.encode(_without_named(msgspec.json.decode(text)))
            hits, _, _ = self._hits(text, self._find(text.lower()))
        if has_runs if text is given else self._secrets:
            hits += _discord(text)
            hits += self._inside_base64(text, text.translate(_TOKENS))
        return _replaced(text, hits) if hits else text

    def text(self, text: str) -> str:
        """Return text without what is to be taken out."""
        encoded = msgspec.json.encode(text)
        cleaned = self.clean(encoded)
        return text if cleaned is encoded else msgspec.json.decode(cleaned, type=str)

    def _hits(
        self, text: bytes, marks: list[tuple[int, int, int]], *, has_numbers: bool = True
    ) -> tuple[list[Hit], bool, bool]:
        hits: list[Hit] = []
        nested = invisible = wide = False
        handlers = self._handlers
        for mark, start, end in marks:
            if mark < self._flags:
                invisible, wide = invisible or mark < self._invisible, wide or mark >= self._invisible
                continue
            for exact, handler in handlers[mark]:
                if exact is not None and text[start:end] != exact:
                    continue
                hit = handler(text, start, end)
                if hit is None:
                    continue
                if isinstance(hit, list):
                    hits += hit
                elif hit.nested:
                    nested = True
                else:
                    hits.append(hit)
        if self._cards and (has_numbers or wide):
            hits += numbers(text, wide=wide)
        return hits, nested, invisible

    def _inside_base64(self, text: bytes, shape: bytes) -> Iterator[Hit]:
        """Return what is to be taken out of base64 of text, which bytes are kept as: the whole of it, without that."""
        at = 0
        while (start := shape.find(_RUN, at)) >= 0:
            at = _RUN_END.match(shape, start).end()  # type: ignore[union-attr]
            if start < 2 or text[start - 1 : start] != b'"' or text[start - 2 : start - 1] == b"\\":
                continue
            end = _PADDING.match(text, at).end()  # type: ignore[union-attr]
            if (end - start) % 4 or text[end : end + 1] != b'"' or not _is_text(text[start : min(end, start + 64)]):
                continue
            if (cleaned := self._decoded(text[start:end])) is not None:
                yield Hit(start, end, "", instead=cleaned)

    def _decoded(self, encoded: bytes) -> bytes | None:
        try:
            text = binascii.a2b_base64(encoded, strict_mode=True).decode()
        except ValueError:
            return None
        cleaned = self.text(text)
        return None if cleaned == text else base64.b64encode(cleaned.encode())


def _lower(mark: str) -> bytes:
    return mark.encode().lower()


def _is_text(encoded: bytes) -> bool:
    try:
        start = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        return False
    return all(31 < c < 127 or c in b"\n\r\t" or c > 127 for c in start) and not encoded.isdigit()


def _shaped() -> Iterator[tuple[str, Handler, bool]]:
    for kind in FORMATS:
        handler = _of_format(kind)
        for mark in kind.marks:
            yield mark, handler, not kind.pattern.flags & re.IGNORECASE


def _of_format(kind: Format) -> Handler:
    pattern, before, group, name, mixed = kind.pattern, kind.before, kind.group, kind.name, kind.mixed

    def handler(text: bytes, start: int, _end: int) -> Hit | None:
        if before:
            found = next(
                (m for m in pattern.finditer(text, max(0, start - before), start + 4096) if m.end() > start), None
            )
            if found is None or found.start() > start:
                return None
        else:
            found = pattern.match(text, start)
            if found is None:
                return None
        if mixed and not _is_mixed(found[0]):
            return None
        return Hit(found.start(group), found.end(group), name)

    return handler


def _is_mixed(key: bytes) -> bool:
    """Return whether what looks like a key is one, and no name in kebab or snake case."""
    longest = max(re.split(rb"[-_.]", key), key=len)
    body = key[3:]
    if longest.isdigit() or not longest:
        return False
    has_digit = any(48 <= c < 58 for c in longest)
    if len(longest) >= 12 and has_digit and not longest.isdigit():
        return True
    if len(longest) >= 16 and (not longest.islower() or len(longest) >= 18):
        return True
    words = re.split(rb"[-_]", body)
    strange = sum(1 for word in words if any(48 <= c < 58 for c in word) and not word.isdigit() and len(word) > 2)
    return strange >= 2 and len(body) >= 20


def _discord(text: bytes) -> Iterator[Hit]:
    """Return the tokens of Discord's bots: an id in base64, six characters, a signature; nothing in them is fixed."""
    for found in _DISCORD.finditer(text):
        before = _DISCORD_ID.search(text, max(0, found.start() - 31), found.start())
        if before is not None:
            yield Hit(before.start(), found.end(), "discord token")


def _email(text: bytes, start: int, _end: int) -> Hit | None:
    for found in _EMAIL.finditer(text, max(0, start - 64), start + 256):
        if found.start() < start < found.end():
            return Hit(found.start(), found.end(), "e-mail")
    return None


def _replaced(text: bytes, hits: list[Hit]) -> bytes:
    parts, at = [], 0
    hits.sort(key=lambda hit: (hit.start, -hit.end))
    for hit in hits:
        if hit.start < at:
            at = max(at, hit.end)
            continue
        mark = hit.instead or b"[redacted %b]" % hit.name.encode()
        if text[hit.start - 1 : hit.start] == b":" and text[hit.start : hit.end].isdigit():
            mark = b'"%b"' % mark  # a number of its own
        parts += [text[at : hit.start], mark]
        at = hit.end
    return b"".join([*parts, text[at:]])


def _without_named(value: Any) -> Any:
    """Return a tree in which whatever stands below the name of a secret is taken out."""
    if isinstance(value, dict):
        return {
            key: _hidden_leaves(item, key)
            if isinstance(item, (dict, list)) and is_secret_name(key)
            else _without_named(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without_named(item) for item in value]
    return value


def _hidden_leaves(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        if value.get("type") in _SCHEMA_TYPES or "$ref" in value or "anyOf" in value:
            return value  # a schema that says what kind of thing is wanted
        return {key: item if key in _DESCRIPTIVE else _hidden_leaves(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden_leaves(item, name) for item in value]
    if isinstance(value, str) and is_secret_leaf(value):
        return f"[redacted {name}]"
    return value


_DESCRIPTIVE = frozenset(
    [
        "type",
        "name",
        "in",
        "description",
        "scheme",
        "format",
        "title",
        "label",
        "url",
        "href",
        "key",
        "id",
        "kind",
        "flows",
    ]
)
