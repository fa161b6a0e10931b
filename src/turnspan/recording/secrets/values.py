"""Values: whether what stands behind the name of a secret can be one."""

from __future__ import annotations

import binascii
import re

from turnspan.recording.secrets.words import CARD_CODE, CODE, KEY, NO_SECRETS, SENTENCE, Kind

_STAND_IN = re.compile(
    rb"\[?redacted|[<{%*?]|\$[{(A-Za-z_]|x{4,}|\.{3}|\\?u2022|(?:your|my|insert|replace|enter|some|example|sample|dummy|test|the)[-_ ][^0-9]*\Z|"
    rb"!(?:ref|getatt|sub|vault|secret|env|include|join)\b|os\.|process\.env|env[.(\[]|getenv|https?://|sqlite:|function|lambda|\(|/(?:etc|run|var|home|usr|opt|srv|app|data|root|users|workspaces?|secrets?|path|mnt|tmp)/|~/|\./|@?file:|vault:|arn:|projects/|secretsmanager|op://",
    re.IGNORECASE,
)  # fmt: skip
_SECRET_WORD = re.compile(rb"(?i)passw|secret|token|api_?key|credential|pwd")

_CODE = re.compile(
    rb"[A-Za-z_][\w.:]*[(\[]|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z|[a-z]+(?:_[a-z]+)+\Z|[A-Z]+(?:_[A-Z]+)+\Z"
)
_ORDINARY_MIX = re.compile(
    rb"(?i)(?:sha\d|md5|base\d|utf|argon|bcrypt|pbkdf|oauth|v?\d+(?:\.\d+)*[a-z]{0,3}\Z|[a-z]+-?\d{1,2}\Z)"
)

_FILE = re.compile(rb"[\w./-]*\.[a-z]{1,4}\d?\Z|[A-Za-z_]\w*(?:\.[A-Za-z_]\w{0,20})+\Z")
"""A file, or a name in code."""
_PARTS = re.compile(rb"[-_./ ]")


def can_be_secret(kind: Kind, value: bytes, how: str, *, quoted: bool, last: bool) -> bool:
    """Return whether a value is plausible.

    Args:
        kind: What its name promises.
        value: The value.
        how: How name and value are put together (``turnspan.recording.secrets.names``).
        quoted: Whether it is in quotes.
        last: Whether nothing follows on its line.

    """
    lower = value.lower().strip()
    if len(lower) < kind.shortest or lower in NO_SECRETS or is_stand_in(lower) or len(set(lower)) < 2:
        return len(lower) == 1 and kind.strong and quoted and how == "json"
    if kind is CODE or kind is CARD_CODE:
        return value.isdigit() and len(value) <= 8
    letters = value.isalpha()
    mixed = not letters and any(48 <= c < 58 for c in value) and any(c > 64 for c in value)
    if b" " in lower:
        return quoted and how != "prose" and kind.strong and SENTENCE.isdisjoint(lower.split())
    if _FILE.match(value) and not kind.strong:
        return False
    if how == "call" and not mixed:
        return False
    if how == "quoted" and not kind.strong and len(value) < 16:
        return False
    if how == "element" and not (mixed and len(value) >= 6):
        return False
    if how == "prose":
        if b"(" in value or _FILE.match(value):
            return False
        random = kind.strong or looks_random(value)
        return mixed and random and len(value) >= kind.prose and not (len(value) < 20 and _ORDINARY_MIX.match(value))
    if (not quoted and _CODE.match(value) and (not mixed or b"(" in value or b"[" in value)) or (
        _SECRET_WORD.search(value) and not mixed
    ):
        return False
    if how == "pair":
        return mixed and len(value) >= 6 and (kind.strong or looks_random(value))
    if kind.strong:
        return quoted or mixed or how in ("flag", "xml") or _can_be_word(value, tight=how == "tight", last=last)
    return looks_random(value) or (kind is KEY and quoted and is_user_and_password(value))


def _can_be_word(value: bytes, *, tight: bool, last: bool) -> bool:
    """Return whether a bare word behind the name of a password is one: it ends its line, or nothing is between the two."""
    letters = value.isalpha()
    if letters or not any(c > 64 for c in value):
        return (last or tight) and len(value) >= (5 if letters else 4)
    return last or tight or not value.replace(b"-", b"").replace(b"_", b"").isalpha()


def is_stand_in(value: bytes) -> bool:
    """Return whether a value stands for a secret that is elsewhere: ``<token>``, ``${TOKEN}``, ``os.environ[...]``."""
    return _STAND_IN.match(value) is not None


def is_user_and_password(value: bytes) -> bool:
    """Return whether this is what a header for basic authentication has: base64 of ``user:password``."""
    try:
        inside = binascii.a2b_base64(value + b"=" * (-len(value) % 4))
    except ValueError:
        return False
    return b":" in inside and all(32 <= c < 127 for c in inside)


def is_secret_leaf(text: str) -> bool:
    """Return whether a text below such a name can be a secret: it is neither a common word nor a sentence about one."""
    encoded = text.encode("utf-8", "replace")
    words = encoded.lower().split()
    return bool(words) and not is_stand_in(encoded) and NO_SECRETS.isdisjoint(words) and SENTENCE.isdisjoint(words)


def looks_random(value: bytes) -> bool:
    """Return whether this is not a word, name, number, version or path: it could be a key."""
    digits = sum(48 <= c < 58 for c in value)
    letters = sum(65 <= c < 91 or 97 <= c < 123 for c in value)
    if digits and letters:
        if _ORDINARY_MIX.match(value) and len(value) < 24:
            return False
        parts = _PARTS.split(value)
        longest = max(parts, key=len)
        if len(longest) >= 6 and (len(longest) >= 20 or _is_mixed(longest)):
            return True
        return len(value) >= 32 or (len(value) >= 16 and sum(map(_is_mixed, parts)) >= 3)
    if digits:
        return len(value) >= 20
    upper = sum(65 <= c < 91 for c in value)
    return len(value) >= 20 and value.isalpha() and (0 < upper < letters or len(value) >= 24)


def _is_mixed(part: bytes) -> bool:
    return any(48 <= c < 58 for c in part) and not part.isdigit()
