"""Redaction: what must not be kept is taken out of events before journal, spans and log see them.

Rules look for secrets by their shape, and the one of a card number also by its check digit. Nearly all content holds
none, and must not pay for it: :meth:`Redactor.take` looks for the few bytes that every match contains in the event as
it is encoded anyway, and only what has some goes through the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from importlib import import_module
from typing import Any, NamedTuple

import msgspec

from turnspan.errors import SettingsError
from turnspan.events import CONTENT, TEXTS, Event, without_content
from turnspan.model.json_values import encode, plain
from turnspan.model.records import OURS

Scrub = Callable[[str], str]
"""A rule of one's own: text in, text out."""


class Rule(NamedTuple):
    """A pattern; every match contains one of the ``marks`` (lower case)."""

    pattern: re.Pattern[str]
    marks: tuple[bytes, ...]


def _rule(pattern: str, *marks: bytes) -> Rule:
    return Rule(re.compile(pattern, re.DOTALL), marks)


_RUN = b"a" * 19
KEYS: dict[str, Rule] = {  # each match has 19 characters in a row that no word has: letters, digits, - and _
    "key": _rule(
        r"(?<![A-Za-z0-9])(?:sk|pk|rk)[-_](?:[A-Za-z]+[-_])*[A-Za-z0-9_-]{16,}",
        b"sk-",
        b"pk-",
        b"rk-",
        b"sk_",
        b"pk_",
        b"rk_",
    ),
    "github token": _rule(
        r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
        b"ghp_",
        b"gho_",
        b"ghu_",
        b"ghs_",
        b"ghr_",
        b"github_pat_",
    ),
    "gitlab token": _rule(
        r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_-]{16,}",
        b"glpat-",
        b"gldt-",
        b"glrt-",
        b"glcbt-",
        b"glptt-",
    ),
    "aws key": _rule(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])", b"akia", b"asia"),
    "google key": _rule(r"(?<![A-Za-z0-9])(?:AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,})", b"aiza", b"ya29."),
    "hugging face token": _rule(r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}", b"hf_"),
    "package token": _rule(r"(?<![A-Za-z0-9])(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,})", b"npm_", b"pypi-"),
    "slack token": _rule(r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{14,}", b"xox"),
    "jwt": _rule(r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}", b"eyj"),
}
SECRETS: dict[str, Rule] = {
    **KEYS,
    "private key": _rule(
        r"-----BEGIN[ A-Z]*PRIVATE KEY-----.*?(?:-----END[ A-Z]*PRIVATE KEY-----|$)", b"private key-----"
    ),
    "azure key": _rule(
        r"(?<=AccountKey=)[A-Za-z0-9+/=]{20,}|(?<=SharedAccessKey=)[A-Za-z0-9+/=]{20,}", b"accountkey=", b"accesskey="
    ),
    "bearer token": _rule(
        r"(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{12,}|(?<=[Bb]asic )[A-Za-z0-9+/=]{16,}", b"bearer ", b"basic "
    ),
    "password": _rule(r"(?<=://)[^\s/:@\"]*:[^\s/@\"]+(?=@)", b"://"),
    "setting": _rule(
        r"(?i)(?:(?<=password)|(?<=passwd)|(?<=secret)|(?<=secret_key)|(?<=api_key)|(?<=apikey)|(?<=access_key))"
        r"(?P<keep>\\?[\"']?\s*[=:]\s*\\?[\"']?)(?!\[redacted)[^\s\"'&,;\\}]{4,}",
        b"passw",
        b"secret",
        b"api_key",
        b"apikey",
        b"access_key",
    ),
    "token": _rule(
        r"(?i)(?<![a-z])token(?P<keep>\\?[\"']?[=:]\s*\\?[\"']?)(?!\[redacted)[^\s\"'&,;\\}]{4,}",
        b"token=",
        b"token:",
        b'token"',
        b"token'",
        b"token\\",
    ),
}
CARD = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w.-]*\d)")
EMAIL = _rule(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b", b"@")
RULES = ("secrets", "cards", "email")
"""The built-in rules, as ``TURNSPAN_REDACT`` names them; ``none`` is none of them."""
_SECRET_NAMES = re.compile(
    r"(?i)(?:^|_|-)(?:password|passwd|pwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|authorization|credentials?)$"
)
_STRUCTURAL = frozenset({"role", "type", "id", "call_id", "tool_call_id", "finish_reason"})
_TIME = b'"at_ns":'  # an event is encoded in the order of its fields: its own come behind its time
_TOKENS = bytes(ord("a") if chr(i) in "-_" or (i < 128 and chr(i).isalnum()) else ord(" ") for i in range(256))
_RARE = b"zqxjkwvb/=\\'pgyfmcuhdlrnsoiate_.-: \""  # characters of encoded content, the rarest first
_CARD_DIGITS = b"0" * 13
_NO_DIGITS = bytes(i for i in range(256) if not chr(i).isdigit() or i > 127)
_DIGITS = bytes(ord("0") if i < 128 and chr(i).isdigit() else ord("x") for i in range(256))


def _luhn(digits: str) -> bool:
    """Return whether the last of these digits is the check digit of the others (ISO/IEC 7812-1)."""
    doubled = (sum(divmod(int(d) * 2, 10)) for d in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _card(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0])
    return "[redacted card number]" if _luhn(digits) and len(set(digits)) > 1 else found[0]


def hidden(text: str) -> str:
    """Return text with its secrets replaced by what they are: ``[redacted key]``."""
    lower = text.lower().encode("utf-8", "replace")
    for name, rule in SECRETS.items():
        if any(mark in lower for mark in rule.marks):
            text = rule.pattern.sub(partial(_marked, name), text)
    return text


def _marked(name: str, found: re.Match[str]) -> str:
    kept = found.groupdict().get("keep")
    before = "" if kept is None else found[0][: found.end("keep") - found.start()]
    return f"{before}[redacted {name}]"


class Redactor:
    """Takes out of events what the settings say.

    Args:
        rules: Names of built-in rules (:data:`RULES`), and ``module:function`` for one's own, with commas.
        mode: ``full`` keeps content but for what the rules find; ``redacted`` keeps its shape and sizes only; ``none``
            keeps nothing of it.
        limit: Characters of one text that are kept; of what is cut, the digest stays. 0 is no limit.

    A turn that an application records by itself (``observe``) is the application's own and stays as it is.

    Raises:
        SettingsError: When a rule is not known, or a function cannot be imported.

    """

    def __init__(self, rules: str = "secrets,cards", mode: str = "full", limit: int = 0) -> None:
        self._mode, self._limit = mode, limit
        names = [name.strip() for name in rules.split(",") if name.strip() and name.strip() != "none"]
        self._own = [_imported(name) for name in names if ":" in name]
        if unknown := [name for name in names if ":" not in name and name not in RULES]:
            raise SettingsError(
                f"TURNSPAN_REDACT: {', '.join(unknown)} is no rule; there are {', '.join(RULES)}, none, and module:function"
            )
        self._secrets, self._cards, self._email = (name in names for name in RULES)
        marks = [
            *(mark for name, rule in SECRETS.items() for mark in rule.marks if self._secrets and name not in KEYS),
            *((b"authorization", b"credential", b"pwd", b"private_key", b"private-key") if self._secrets else ()),
            *(EMAIL.marks if self._email else ()),
        ]
        self._suspects = self._look(marks) if names or limit else lambda _: False
        self._always = bool(self._own) or mode != "full"

    def take(self, event: Event) -> tuple[Event, bytes]:
        """Return an event as it may be kept, and its encoding.

        Raises:
            Exception: What a rule of one's own raises.

        """
        if self._always:
            event = self._redacted(event)
            return event, encode(event)
        payload = encode(event)
        if self._suspects(payload):
            event = self._redacted(event)
            payload = encode(event)
        return event, payload

    def _look(self, marks: list[bytes]) -> Callable[[bytes], bool]:
        """Return what tells, quickly, whether an encoded event may hold something; it is asked about each."""
        search = _any_of(marks).search if marks else lambda _: None
        search_keys = _any_of([mark for rule in KEYS.values() for mark in rule.marks]).search
        secrets, cards, limit = self._secrets, self._cards, self._limit

        def suspects(payload: bytes) -> bool:
            content = payload[payload.find(b",", payload.find(_TIME)) :]
            if len(content) < 16:
                return False
            lower = content.lower()
            if search(lower) is not None:
                return True
            if secrets and _RUN in content.translate(_TOKENS) and search_keys(lower) is not None:
                return True
            if (
                cards
                and len(content.translate(None, _NO_DIGITS)) >= 13
                and _CARD_DIGITS in content.translate(_DIGITS, b" -")
            ):
                return True
            return limit > 0 and len(content) > limit

        return suspects

    def _redacted(self, event: Event) -> Event:
        if self._mode == "none":
            event = without_content(event)
        changed: dict[str, Any] = {}
        for name in (*CONTENT, *TEXTS):
            if (value := getattr(event, name, None)) not in (None, ""):
                shaped = self._mode == "redacted" and name != "error"
                changed[name] = self._value(plain(value), shaped=shaped)
        if metadata := getattr(event, "metadata", None):
            changed["metadata"] = {
                k: v if k == OURS else self._named(str(k), plain(v), shaped=False) for k, v in metadata.items()
            }
        return msgspec.structs.replace(event, **changed) if changed else event

    def _value(self, value: Any, *, shaped: bool) -> Any:
        match value:
            case str():
                return f"[redacted {len(value)} characters]" if shaped else self.text(value)
            case dict():
                return {key: self._named(key, item, shaped=shaped) for key, item in value.items()}
            case list():
                return [self._value(item, shaped=shaped) for item in value]
            case bool() | None:
                return value
            case int() | float() if shaped:
                return "[redacted number]"
        return value

    def _named(self, name: str, value: Any, *, shaped: bool) -> Any:
        if (
            self._secrets
            and isinstance(value, (str, int))
            and not isinstance(value, bool)
            and _SECRET_NAMES.search(name)
        ):
            return f"[redacted {name}]"
        return value if shaped and name in _STRUCTURAL else self._value(value, shaped=shaped)

    def text(self, text: str) -> str:
        """Return text as it may be kept."""
        if self._secrets:
            text = hidden(text)
        if self._cards:
            text = CARD.sub(_card, text)
        if self._email:
            text = EMAIL.pattern.sub("[redacted e-mail]", text)
        for own in self._own:
            text = own(text)
        if self._limit and len(text) > self._limit:
            cut = text[self._limit :]
            text = f"{text[: self._limit]}[cut {len(cut)} characters, sha256 {sha256(cut.encode('utf-8', 'backslashreplace')).hexdigest()}]"
        return text


def _any_of(marks: list[bytes]) -> re.Pattern[bytes]:
    """Return a pattern that finds any of these, each by its rarest character: three times as fast in text as in order."""

    def rarest_first(mark: bytes) -> bytes:
        at = min(range(len(mark)), key=lambda i: _RARE.find(mark[i : i + 1]))
        return re.escape(mark[at:]) + (b"(?<=%b)" % re.escape(mark) if at else b"")

    return re.compile(b"|".join(sorted(map(rarest_first, marks))))


def withheld(event: Event) -> Event:
    """Return an event whose redaction failed: with nothing of its content, rather than with all of it."""
    bare = without_content(event)
    left: dict[str, Any] = {name: "[withheld: redaction failed]" for name in TEXTS if getattr(bare, name, None)}
    if metadata := getattr(bare, "metadata", None):
        left["metadata"] = {key: value for key, value in metadata.items() if key == OURS}
    return msgspec.structs.replace(bare, **left)


def _imported(name: str) -> Scrub:
    module, _, function = name.partition(":")
    try:
        found: Scrub = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"TURNSPAN_REDACT: {name!r} cannot be imported ({error}); write module:function") from error
    return found
