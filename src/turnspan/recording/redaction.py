"""Redaction: what must not be kept is taken out of events before journal, spans and log see them.

Two questions, in this order. How much of what was said is kept at all (``TURNSPAN_CAPTURE_CONTENT``)? That is
:mod:`turnspan.recording.content_policy`'s table. And what of that is secret (``TURNSPAN_REDACT``)? That is found by one
scan over the event as it is encoded anyway (:mod:`turnspan.recording.secrets.scan`): names, keys and errors are scanned
like prompts, and content without secrets, which is nearly all of it, costs one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from typing import Any

import msgspec

from turnspan.errors import SettingsError, TurnspanError
from turnspan.events import CONTENT, FIELDS, KINDS, TEXTS, Event, Part, TurnEnded
from turnspan.journal.hash_chain import decode
from turnspan.model.json_values import Encoded, encode, encode_as_given, encode_clean, is_from_outside, plain
from turnspan.model.records import OURS, turnspan_metadata
from turnspan.recording.binaries import may_have_binaries, without_binaries
from turnspan.recording.content_policy import captured, captured_record
from turnspan.recording.secrets.scan import Scan
from turnspan.recording.typed_fields import text_of_anything

Scrub = Callable[[str], str]
"""A rule of one's own: text in, text out."""
RULES = ("secrets", "cards", "email")
"""The built-in rules, as ``TURNSPAN_REDACT`` names them; ``none`` is none of them."""
_AT_NS = b'"at_ns":'  # an event is encoded in the order of its fields: its own come behind its time
_OWN = (*CONTENT, *TEXTS)
_AS_IT_WAS = tuple(name for name, part in FIELDS.items() if part is Part.IDENTITY)
_NAMES_REMEMBERED = 1024
_TEXTS_OF: dict[type[Event], list[tuple[str, bool, bool]]] = {
    kind: [
        (name, FIELDS[name] is Part.NAME, name in ("to_agent", "tool_name", "tool_type", "name"))
        for name in kind.__struct_fields__
        if FIELDS[name] in (Part.NAME, Part.TEXT) or name in ("error_type", "tool_type", "operation")
    ]
    for kind in KINDS.values()
}
"""Of each kind of event the fields that are text, whether they are names, and whether they must be there."""


@lru_cache(8)
def _scan(*, secrets: bool, cards: bool, email: bool) -> Scan:
    return Scan(secrets=secrets, cards=cards, email=email)


def redact_secrets(text: str) -> str:
    """Return text with its secrets replaced by what they are: ``[redacted key]``."""
    return _scan(secrets=True, cards=False, email=False).text(text)


class RedactionError(TurnspanError):
    """A rule of one's own has failed; content is withheld."""


class Redactor:
    """Takes out of events what the settings say.

    Args:
        rules: Names of built-in rules (:data:`RULES`), and ``module:function`` for one's own, with commas.
        mode: How much of content is kept: ``full``, ``redacted`` (its shape and sizes) or ``none``.
        limit: Characters of one text that are kept; of what is cut, the digest stays. 0 means no limit.

    Raises:
        SettingsError: When a rule is not known, or a function cannot be imported.

    """

    def __init__(self, rules: str = "secrets,cards", mode: str = "full", limit: int = 0) -> None:
        self._mode, self._limit = mode, limit
        names = [name.strip() for name in rules.split(",") if name.strip() and name.strip() != "none"]
        self._own = [_imported(name) for name in names if ":" in name]
        if unknown := [name for name in names if ":" not in name and name not in RULES]:
            raise SettingsError(
                f"TURNSPAN_REDACT: {', '.join(unknown)} is not a rule; use {', '.join(RULES)}, none, or module:function"
            )
        wanted = {rule: rule in names for rule in RULES}
        self._scan = _scan(**wanted) if any(wanted.values()) else None
        self._is_quick = mode == "full" and not self._own and not limit
        self._names: dict[str | int, tuple[Any, str]] = {}

    def take(self, event: Event) -> tuple[Event, bytes]:
        """Return an event as it may be kept, and its encoding.

        What is not valid JSON, and text that others cannot take (lone surrogates, NUL), is made plain here, once: record,
        span and log have the same.

        Raises:
            Exception: What a rule of one's own raises.

        """
        event = self._with_names(event)
        if self._is_quick and (type(event) is not TurnEnded or event.record is None):
            line = encode_as_given(event)
            if line is not None and may_have_binaries(line) and (shorter := without_binaries(event)) is not event:
                event, line = shorter, encode_as_given(shorter)
            if line is not None and (self._scan is None or self._cleaned(line) is line):
                return event, line
        return self._take_apart(event)

    def _take_apart(self, event: Event) -> tuple[Event, bytes]:
        if self._mode != "full":
            event = captured(event, self._mode)
        record = event.record if type(event) is TurnEnded else None
        if record is not None:
            event = msgspec.structs.replace(event, record=None)
        given = encode_clean(event)
        if may_have_binaries(given.line) and (shorter := without_binaries(event)) is not event:
            event, given = shorter, encode_clean(shorter)
        if self._own or self._limit:
            given = self._walked(given)
        cleaned = self._cleaned(given.line)
        if cleaned is not given.line:
            event = _restored(decode(cleaned), decode(given.line))
            cleaned = encode(event)
        elif not given.as_given:
            event = decode(given.line)
        if record is not None:
            if turnspan_metadata(record.get("metadata") or {}).get("imported"):
                record = self._imported_record(record)
            event = msgspec.structs.replace(event, record=record)
            cleaned = encode(event)
        return event, cleaned

    def _imported_record(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a turn that another program recorded as it may be kept: what an application records itself is its own."""
        record = self._each(captured_record(plain(record), self._mode))
        if self._scan is None:
            return record
        line = encode(record)
        cleaned: dict[str, Any] = msgspec.json.decode(self._scan.clean(line))
        return {**cleaned, "turn_id": record.get("turn_id"), "audit_event_ids": record.get("audit_event_ids", [])}

    def text(self, text: str) -> str:
        """Return text as it may be kept."""
        text = plain(text)
        if self._scan is not None:
            text = self._scan.text(text)
        return self._by_own_rules(text)

    def _cleaned(self, line: bytes) -> bytes:
        """Return an encoded event without what the scan finds in what follows its ids and time."""
        if self._scan is None:
            return line
        start = line.find(b",", line.find(_AT_NS))
        if start < 0:
            return line
        content = b"{" + line[start + 1 :]
        cleaned = self._scan.clean(content)
        return line if cleaned is content else line[: start + 1] + cleaned[1:]

    def _with_names(self, event: Event) -> Event:
        """Return an event whose names are clean, and whose texts are text: an adapter or a program may give anything."""
        changed: dict[str, Any] = {}
        known = self._names
        for name, is_name, is_required in _TEXTS_OF[type(event)]:
            given = getattr(event, name)
            if given is None:
                if is_required:
                    changed[name] = ""
                continue
            if type(given) is not str:
                changed[name] = self._name(given) if is_name else text_of_anything(given)
            elif is_name and ((clean := known.get(given)) is None or clean[1] != given):
                changed[name] = self._name(given)
        return msgspec.structs.replace(event, **changed) if changed else event

    def _name(self, given: Any) -> str:
        """Return a name as it may be kept. There are few, and they come with every event."""
        key = given if type(given) is str else id(given)
        known = self._names.get(key)
        if known is None:
            known = given, self.text(given if type(given) is str else text_of_anything(given))
            if type(given) is str and known[1] == given:
                known = given, given  # itself, so that it need not be replaced
            if len(self._names) >= _NAMES_REMEMBERED:
                self._names.clear()
            self._names[key] = known  # with what was given, so that an id stays its own
        return known[1]

    def _walked(self, given: Encoded) -> Encoded:
        """Return an event with one's own rules, and the limit, applied to each of its texts."""
        if not self._own and len(given.line) <= self._limit:
            return given
        made = decode(given.line)
        changed: dict[str, Any] = {
            name: self._each(value) for name in _OWN if (value := getattr(made, name, None)) not in (None, "")
        }
        if metadata := getattr(made, "metadata", None):
            changed["metadata"] = {key: value if key == OURS else self._each(value) for key, value in metadata.items()}
        return Encoded(encode(msgspec.structs.replace(made, **changed)), as_given=False)

    def _each(self, value: Any) -> Any:
        match value:
            case str():
                return self._by_own_rules(value)
            case dict():
                return {key: self._each(item) for key, item in value.items()}
            case list():
                return [self._each(item) for item in value]
        return value

    def _by_own_rules(self, text: str) -> str:
        for own in self._own:
            try:
                text = own(text)
            except Exception:
                raise
            except BaseException as error:
                if is_from_outside(error):
                    raise
                raise RedactionError(type(error).__name__) from error
        if self._limit and len(text) > self._limit:
            cut = text[self._limit :]
            digest = sha256(cut.encode("utf-8", "backslashreplace")).hexdigest()
            text = f"{text[: self._limit]}[cut {len(cut)} characters, sha256 {digest}]"
        return text


def _restored(event: Event, original: Event) -> Event:
    """Return a redacted event with its ids, and what turnspan itself put into it, as they were."""
    kept = {name: getattr(original, name) for name in _AS_IT_WAS if hasattr(original, name)}
    if ours := (getattr(original, "metadata", None) or {}).get(OURS):
        kept["metadata"] = {**event.metadata, OURS: ours}  # type: ignore[attr-defined]
    return msgspec.structs.replace(event, **kept)


def withheld(event: Event) -> Event:
    """Return an event whose redaction failed: with nothing of its content, rather than with all of it."""
    bare = captured(event, "none")
    left: dict[str, Any] = {name: "[withheld: redaction failed]" for name in TEXTS if getattr(bare, name, None)}
    return msgspec.structs.replace(bare, **left)


def _imported(name: str) -> Scrub:
    module, _, function = name.partition(":")
    try:
        found: Scrub = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"TURNSPAN_REDACT: {name!r} cannot be imported ({error}); write module:function") from error
    return found
