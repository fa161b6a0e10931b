r"""Secrets by their name: ``password=...``, ``"api_key": "..."``, ``Authorization: ...``, ``--token ...``.

Whatever stands behind such a name is a secret, if it can be one: ``token: optional`` and ``max_tokens: 4096`` are not.
Text is looked at as it is encoded: JSON in which quotes are escaped, once for each level of JSON inside of JSON.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from turnspan.recording.secret_formats import NO_SECRETS


class Hit(NamedTuple):
    """What is to be taken out.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        name: What it was.
        nested: Whether it is a whole object or list, to be taken out leaf by leaf.
        instead: What to put there; the name of it where this is empty.

    """

    start: int
    end: int
    name: str
    nested: bool = False
    instead: bytes = b""


Handler = Callable[[bytes, int, int], "Hit | None"]

_Q = rb"\\*[\"'`]"
_S = rb"(?:[ \t]|\\+[ntr]|\xc2\xa0)"
_CHAR = rb"(?:[^\"\\]|\\.)"
# A name behind its mark, and what stands between it and its value
_REST = re.compile(
    rb"(?P<tail>(?:[A-Za-z0-9_.\-]|\xc3[\x80-\xbf]){0,40}+)(?P<q>" + _Q + rb")?\]?(?P<gap>" + _S + rb"{0,24}+)"
)
_ASSIGNED = re.compile(
    rb"(?:\*\*)?(?P<by>=>|:=|\?=|\|\|=?|=|::?|%3[dD]|\xef\xbc\x9a)(?![=~])(?:\*\*)?" + _S + rb"{0,40}+(?:[|>][+-]?(?:\\+r)?\\+n" + _S + rb"+)?"
)  # fmt: skip
_PAIRED = re.compile(
    rb","
    + _S
    + rb"*+(?P<nv>"
    + _Q
    + rb"(?:value|val|Value|content|secret|data)"
    + _Q
    + _S
    + rb"*:"
    + _S
    + rb"*)?(?=[bu]?"
    + _Q
    + rb")"
)
_ATTRIBUTE = re.compile(rb"(?:value|Value|content|default)" + _S + rb"*=" + _S + rb"*")
_FORM = re.compile(rb"(?:\\+r)?\\+n(?:\\+r)?\\+n")
_PROSE = re.compile(
    rb"(?:(?:for|of)" + _S + rb"+[\w.@-]{1,40}" + _S + rb"+)?(?:(?:is|was|are|set to|to|will be|ist|est|es|->|\xe2\x86\x92):?" + _S + rb"+)?"
    rb"(?=[^\s\"'\\]*\d)"
)  # fmt: skip
_QUOTED = re.compile(
    rb"[bBrRuUfF@$]{0,2}(?P<q>" + _Q + rb")(?P<v>(?:(?!(?P=q))" + _CHAR + rb"){0,20000}?)(?P=q)", re.DOTALL
)
_BARE = re.compile(rb"(?P<v>(?:[^\s\"'`\\,;&<>]|,(?![\s\\\"]|\w+[=:])|\\\\(?![nrt\"'\\]))+)")
_LINE = re.compile(rb"(?P<v>(?:[^\"\\'`]|\\\\(?![nrt\"'\\]))+)")
_NOT_A_STRING = re.compile(rb"(?:true|false|null|None|True|False|-?\d{1,5}(?:\.\d+)?)(?=[\s,;&)}\]\"'\\|]|\Z)")
_NUMBER = re.compile(rb"-?\d{1,5}(?=[,}\]])")
_DIGIT = re.compile(rb"\d")
_WORDS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_CODE = re.compile(rb"[A-Za-z_][\w.]*[(\[]|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z|[a-z]+(?:_[a-z]+)+\Z|[A-Z]+(?:_[A-Z]+)+\Z")
_STAND_IN = re.compile(
    rb"\[?redacted|[<{%*]|\$[{(A-Za-z_]|x{4,}|\.{3}|\\?u2022|(?:your|my|insert|replace|enter|some|example|sample|dummy|test|the)[-_ ]|"
    rb"os\.|process\.env|env[.(\[]|getenv|https?://|function|lambda|\(|/(?:etc|run|var|home|usr|secrets?|path|mnt|tmp)/|~/|\./|@?file:|vault:|arn:|projects/|secretsmanager|op://",
    re.IGNORECASE,
)  # fmt: skip
_SCHEMES = rb"bearer basic token digest apikey api-key key negotiate ntlm hawk oauth ssws aws4-hmac-sha256 genieKey bot discordbot snowflake splunk pve-token zoho-oauthtoken sharedkey sharedaccesssignature jwt".lower().split()
_SECRET_WORD = re.compile(rb"(?i)passw|secret|token|api_?key|credential|pwd")

# The last word of a name that makes it no secret: what is about one
_ABOUT = frozenset(
    b"""type types count counts limit limits name names url urls uri uris endpoint endpoints path paths file files length len
    policy policies expires expiry expiration expired ttl kind mode method methods scheme status usage budget field fields
    header headers location rotation version hint reset strength required enabled disabled size index indexes ratio rate
    price cost ids id arn ref keyref refs provider manager service store storage class attempts attempt age at date time
    timestamp updated created changed label title description text prompt page screen form input placeholder dialog
    regex pattern format encoding algorithm domain consent banner settings config options min max window position offset
    issuer audience scope scopes bucket counter left remaining used per logprob logprobs ize izer izers s_per ring
    protected authentication less word""".split()
)
# The word before "token" or "key" that makes it no secret
_ORDINARY = frozenset(
    b"""max min num total count page next prev previous continuation cont sync resume pad eos bos unk sep cls mask special
    start end stop begin first last input output prompt completion cached cache reasoning thinking audio image text draft
    public pub primary foreign sort partition idempotency object row routing range hash group order shard map sub
    dictionary translation i18n locale unique composite candidate natural surrogate index column item cursor
    new line per""".split()
)


_NO_PASS = frozenset(b"com by tres encom sur under over im".split())  # what ends in "pass" is no password


class _Kind(NamedTuple):
    """How much what stands behind a name must look like a secret to be one."""

    label: str
    strong: bool  # a password: nearly anything can be one
    shortest: int
    prose: int  # the same where only words tell that it is one; 0: never


PASSWORD = _Kind("password", True, 1, 6)
SECRET = _Kind("secret", True, 4, 16)
KEY = _Kind("key", False, 8, 16)
TOKEN = _Kind("token", False, 8, 16)
OTHER_KEY = _Kind("key", False, 16, 0)
CODE = _Kind("code", False, 4, 4)

_PREFIXES = [
    "api",
    "access",
    "private",
    "signing",
    "signature",
    "encryption",
    "encrypt",
    "decryption",
    "master",
    "account",
    "shared",
    "service",
    "admin",
    "app",
    "application",
    "consumer",
    "subscription",
    "functions",
    "webhook",
    "license",
    "deploy",
    "hmac",
    "ingest",
    "ingestion",
    "integration",
    "instrumentation",
    "client",
    "session",
    "aes",
    "rsa",
    "ssh",
    "ssl",
    "tls",
    "pgp",
    "gpg",
    "storage",
    "write",
    "read",
    "root",
    "registration",
    "activation",
    "recovery",
    "backup",
    "server",
]
_MARKS: dict[_Kind, str] = {
    PASSWORD: 'passw passphrase pass-phrase pass_phrase passcode pwd pw= pw: pw" _pw _pass -pass pass= pass: pass_ pass" kennwort contrase motdepasse mdp '
    "senha has\u0142o haslo \u043f\u0430\u0440\u043e\u043b\u044c \u041f\u0430\u0440\u043e\u043b\u044c \u5bc6\u7801 \u5bc6\u78bc \u53e3\u4ee4 \u30d1\u30b9\u30ef\u30fc\u30c9 "
    "\ube44\ubc00\ubc88\ud638 wachtwoord salasana l\u00f6senord adgangskode parola heslo convertto-securestring mnemonic",
    SECRET: "secret credential creds dsn connectionstring connection_string",
    TOKEN: "token jwt_ phpsessid jsessionid asp.net_sessionid connect.sid sessionid= session_cookie sessid xsrf csrf signature=",
    KEY: " ".join(f"{prefix}{joint}key" for prefix in _PREFIXES for joint in ("_", "-", ""))
    + " _auth\" x-auth auth= auth: auth\" auth' _auth= _auth: authtoken auth_key auth-key authkey _authtoken",
    OTHER_KEY: "_key= _key: _key\" _key' _key\\ -key: -key\" key= key:",
    CODE: 'cvv cvc otp= otp: otp" one-time',
}  # fmt: skip
_SPACED = {
    PASSWORD: ("mot de passe", "seed phrase", "recovery phrase", "pass phrase", "identified by"),
    KEY: (
        "api key",
        "access key",
        "private key:",
        "secret key",
        "encryption key",
        "signing key",
        "master key",
        "auth ",
    ),
    CODE: ("one time code", "verification code", "security code"),
}


def named() -> Iterator[tuple[str, Handler]]:
    """Return marks and what looks at each place where one stands."""
    for kind, marks in _MARKS.items():
        handler = _behind(kind)
        for mark in (*dict.fromkeys(marks.split()), *_SPACED.get(kind, ())):
            yield mark, handler
    yield "authoriz", _authorization
    yield "x-api-authorization", _authorization
    yield "bearer", _bearer
    yield "basic ", _basic
    yield "cookie", _cookie


def _behind(kind: _Kind) -> Handler:
    """Return what looks at the value behind a name."""
    label, strong, list_wanted = kind.label, kind.strong, kind not in (OTHER_KEY, CODE)

    def handler(text: bytes, start: int, end: int) -> Hit | None:
        if not strong and _COUNT.match(text, end):
            return None  # "input_tokens": 100 is in every event of a model
        if text[end - 1] in _FOLLOWS:
            end -= 1  # the mark says what must follow: it is read as such
        if end - start < 5 and not _is_word(text, start, end):
            return None
        rest = _REST.match(text, end)
        if rest is None:
            return None
        found = _between(text, rest, kind)
        if found is None:
            return None
        how, at = found
        if not strong and text[at : at + 1] in b"0123456789-tfnTFN{[" and _NOT_A_STRING.match(text, at):
            return None
        if (
            how == "space"
            and text[at : at + 1] not in _QUOTES
            and text[start - 1] not in b"-_"
            and not _PROSE.match(text, at)
        ):
            return None  # words behind words, the most frequent case
        before = _name_before(text, start)
        if how == "space":
            how = _spaced(text, at, before, kind)
            if how == "":
                return None
            if how == "prose" and (prose := _PROSE.match(text, at)) is not None:
                at = prose.end()
        elif how == "xml" and not before.startswith(b"<"):
            return None
        if not _is_secret_name(kind, before, rest["tail"]):
            return None
        if how == "json" and list_wanted and text[at : at + 1] in (b"[", b"{"):
            name = before.rstrip(b"_-") + text[start : rest.end("tail")]
            return Hit(at, at, label, nested=True) if is_secret_name(name.decode("utf-8", "replace")) else None
        return _value(text, at, kind, how)

    return handler


def _is_word(text: bytes, start: int, end: int) -> bool:
    """Return whether a short mark is a word of its own, and no part of another or of something random."""
    before, first, behind = text[start - 1 : start], text[start : start + 1], text[end : end + 1]
    inside = before.isalpha() and not (before.islower() and first.isupper())
    return not (inside and first not in b"_-") and not (
        behind.isalpha() and not (behind.isupper() and text[end - 1 : end].islower())
    )


_QUOTES = frozenset((b'"', b"'", b"`", b"\\"))
_COUNT = re.compile(rb's?":\[?\d')
_FOLLOWS = frozenset(b"=:\"'\\ ")


def _between(text: bytes, rest: re.Match[bytes], kind: _Kind) -> tuple[str, int] | None:
    """Return how a name and its value are put together, and where the value begins."""
    at = rest.end()
    next_ = text[at : at + 1]
    quote, gap = rest["q"], rest["gap"]
    if next_ in (b":", b"=", b"?", b"*", b"%", b"\xef") or text[at : at + 2] == b"||":
        found = _ASSIGNED.match(text, at)
        if found is None:
            return None
        tight = not gap and found["by"] in (b"=", b"%3D", b"%3d") and found.end() == found.end("by")
        return "json" if quote is not None else "tight" if tight else "assign", found.end()
    if quote is not None:
        if next_ == b"," and (paired := _PAIRED.match(text, at)) is not None:
            return "pair" if paired["nv"] is None else "json", paired.end()
        if gap and (attribute := _ATTRIBUTE.match(text, at)) is not None:
            return "json", attribute.end()
        if (form := _FORM.match(text, rest.end("q"))) is not None:
            return "form", form.end()
        return None
    if next_ == b">":
        return "xml", at + 1
    if next_ == b"|":
        return "cell", at + 1 + (text[at + 1 : at + 2] == b" ")
    if next_ == b"(" and kind.strong and _QUOTED.match(text, at + 1):
        return "call", at + 1
    return ("space", at) if gap else None


def _spaced(text: bytes, at: int, before: bytes, kind: _Kind) -> str:
    """Return what a name with nothing but space behind it is: an option, a clause, words; empty: nothing."""
    if (before.startswith(b"-") and len(before.rstrip(b"-_")) >= 1) or before in (b"--", b"-"):
        return "flag"
    if text[at : at + 8].lstrip(b"\\")[:1] in (b'"', b"'") and _QUOTED.match(text, at):
        return "quoted"
    if kind.prose and _PROSE.match(text, at):
        return "prose"
    return ""


def _name_before(text: bytes, start: int) -> bytes:
    """Return what of a name stands before its mark."""
    at = start
    least = max(0, start - 40)
    while at > least and text[at - 1] in _NAME:
        at -= 1
    if at and text[at - 1] in b"<$":
        at -= 1
    joint = text[start : start + 1]
    return text[at:start] + (joint if joint in (b"_", b"-") else b"")


_NAME = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


@lru_cache(4096)
def _is_secret_name(kind: _Kind, before: bytes, tail: bytes) -> bool:
    if len(tail) > 6 and _DIGIT.search(tail):
        return False  # something random in which the mark happens to stand
    behind = _WORDS.findall(tail)
    if behind and behind[-1].lower() in _ABOUT:
        return False
    words = _WORDS.findall(before)
    if kind is OTHER_KEY and not words:
        return False
    last = words[-1].lower() if words else b""
    return last not in (_NO_PASS if kind.strong else _ORDINARY)


def _value(text: bytes, at: int, kind: _Kind, how: str) -> Hit | None:
    quoted = _QUOTED.match(text, at) if how != "prose" else None
    if quoted is None and how != "prose" and text[at : at + 1] in (b"[", b"("):
        quoted = _QUOTED.match(text, at + 1)  # a list in words
        if not kind.strong:
            return None
    if quoted is not None:
        return _hit(quoted, kind) if _can_be_secret(kind, quoted["v"], how, quoted=True, last=True) else None
    if how in ("pair", "call", "quoted"):
        return None
    if _NOT_A_STRING.match(text, at):
        number = _NUMBER.match(text, at)
        if how == "json" and kind.strong and number is not None and text[at - 2 : at] == b'":':
            return Hit(at, number.end(), kind.label)
        return None
    bare = _BARE.match(text, at)
    if bare is None:
        return None
    value = bare["v"].rstrip(b".:!?)]}|*_")
    behind = text[bare.end() : bare.end() + 2]
    last = behind[:1] in (b"", b'"', b"&", b";", b"'", b"<", b"`") or behind in (b"\\n", b"\\r", b'\\"')
    if value and _can_be_secret(kind, value, how, quoted=False, last=last):
        return Hit(at, at + len(value), kind.label)
    return None


def _hit(found: re.Match[bytes], kind: _Kind) -> Hit:
    return Hit(found.start("v"), found.end("v"), kind.label)


def _can_be_secret(kind: _Kind, value: bytes, how: str, *, quoted: bool, last: bool) -> bool:
    lower = value.lower().strip()
    if len(lower) < kind.shortest or lower in NO_SECRETS or _STAND_IN.match(lower) or len(set(lower)) < 2:
        return len(lower) == 1 and kind.strong and quoted and how == "json"
    words = lower.split()
    letters = value.isalpha()
    mixed = not letters and any(48 <= c < 58 for c in value) and any(c > 64 for c in value)
    if how == "prose":
        return (
            mixed
            and len(value) >= kind.prose
            and len(words) == 1
            and (kind.strong or looks_random(value))
            and not (len(value) < 20 and _ORDINARY_MIX.match(value))
        )
    if len(words) > 1:
        return quoted and kind.strong and not any(word in _SENTENCE for word in words)
    if not quoted and _CODE.match(value) and not mixed:
        return False
    if not quoted and _CODE.match(value) and b"(" in value:
        return False
    if _SECRET_WORD.search(value) and not mixed:
        return False
    if how == "pair":
        return mixed and len(value) >= 6 and (kind.strong or looks_random(value))
    if kind.strong:
        if quoted or mixed or how in ("flag", "xml"):
            return True
        if letters or not any(c > 64 for c in value):
            return len(value) >= 4 and (last or how == "tight") and (len(value) >= 5 or not letters)
        return last or how == "tight" or not value.replace(b"-", b"").replace(b"_", b"").isalpha()
    if kind is CODE:
        return value.isdigit() and 3 <= len(value) <= 8
    return looks_random(value) or (kind is KEY and quoted and _user_and_password(value))


def _user_and_password(value: bytes) -> bool:
    """Return whether this is what a header for basic authentication has: base64 of ``user:password``."""
    try:
        inside = binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        return False
    return b":" in inside and all(32 <= c < 127 for c in inside)


# Words that make a text a sentence about a secret, and not a passphrase
_SENTENCE = frozenset(
    b"""a an the this that these is are was be been for to of in on at it its not and or with your my our their must should will can
    cannot may please never only when if than least most too more less has have had does do did required optional invalid
    characters reset enter user""".split()
)
_ORDINARY_MIX = re.compile(
    rb"(?i)(?:sha\d|md5|base\d|utf|argon|bcrypt|pbkdf|oauth|v?\d+(?:\.\d+)*[a-z]{0,3}\Z|[a-z]+-?\d{1,2}\Z)"
)


def looks_random(value: bytes) -> bool:
    """Return whether this is no word, name, number, version or path: it could be a key."""
    digits = sum(48 <= c < 58 for c in value)
    letters = sum(65 <= c < 91 or 97 <= c < 123 for c in value)
    if digits and letters:
        if _ORDINARY_MIX.match(value) and len(value) < 24:
            return False
        parts = re.split(rb"[-_./ ]", value)
        longest = max(parts, key=len)
        return (
            len(longest) >= 6 and ((any(48 <= c < 58 for c in longest) and not longest.isdigit()) or len(longest) >= 20)
        ) or len(value) >= 32
    if digits:
        return len(value) >= 20
    upper = sum(65 <= c < 91 for c in value)
    return len(value) >= 20 and value.isalpha() and (0 < upper < letters or len(value) >= 24)


# Headers ---------------------------------------------------------------------------------------------------------

_HEADER = re.compile(
    rb"[A-Za-z]{0,8}(?:"
    + _Q
    + rb")?\]?"
    + _S
    + rb"*(?:[:=,]|=>|%3A)"
    + _S
    + rb"*(?P<q>"
    + _Q
    + rb")?(?:value"
    + _Q
    + _S
    + rb"*:"
    + _S
    + rb"*"
    + _Q
    + rb")?"
)
_SCHEME = re.compile(
    rb"(?P<scheme>[A-Za-z][A-Za-z0-9-]{1,24})(?:"
    + _S
    + rb"|%20|\+)+(?P<v>(?:[^\s\"'`\\]|[ ](?=\w+=)|\\\\(?![nrt\"'\\])|\\+\"(?=[^\"\\]*\\+\"))+)"
)


def _authorization(text: bytes, _start: int, end: int) -> Hit | None:
    found = _HEADER.match(text, end)
    if found is None:
        return None
    at = found.end()
    if text[at : at + 1] in (b"{", b"["):
        return None
    scheme = _SCHEME.match(text, at)
    if (
        scheme is not None
        and scheme["scheme"].lower() in _SCHEMES
        and (found["q"] is not None or any(48 <= c < 58 for c in scheme["v"]) or len(scheme["v"]) >= 16)
        and scheme["v"].lower() not in NO_SECRETS
        and not _STAND_IN.match(scheme["v"])
    ):
        return Hit(scheme.start("v"), scheme.end("v"), "authorization")
    bare = _BARE.match(text, at)
    if bare is not None and looks_random(bare["v"]) and len(bare["v"]) >= 8 and not _STAND_IN.match(bare["v"]):
        return Hit(bare.start("v"), bare.end("v"), "authorization")
    return None


_BEARER = re.compile(rb"(?:" + _S + rb"|%20|\+|:|\\*[\"'],?" + _S + rb"*\\*[\"'])+(?P<v>[A-Za-z0-9._~+/=-]{8,})")
_BASIC = re.compile(rb"(?P<v>[A-Za-z0-9+/]{6,}={0,2})")


def _bearer(text: bytes, _start: int, end: int) -> Hit | None:
    found = _BEARER.match(text, end)
    if found is not None and (looks_random(found["v"]) or (len(found["v"]) >= 20 and not found["v"].isalpha())):
        return Hit(found.start("v"), found.end("v"), "bearer token")
    return None


def _basic(text: bytes, _start: int, end: int) -> Hit | None:
    found = _BASIC.match(text, end)
    if found is None:
        return None
    try:
        inside = binascii.a2b_base64(found["v"] + b"==")
    except ValueError:
        return None
    if b":" in inside and all(32 <= c < 127 for c in inside):
        return Hit(found.start("v"), found.end("v"), "authorization")
    return None


_COOKIES = re.compile(
    rb"(?P<tail>[A-Za-z0-9_-]{0,12})(?:"
    + _Q
    + rb")?\]?"
    + _S
    + rb"*(?:=>|[:=,])"
    + _S
    + rb"*(?:"
    + _Q
    + rb")?(?P<v>[\w.$-]+(?:=|%3D)(?:[^\"\\]|\\\\(?![nrt\"'\\]))+)"
)


def _cookie(text: bytes, start: int, end: int) -> Hit | None:
    found = _COOKIES.match(text, end)
    if found is None:
        return _COOKIE_VALUE(text, start, end)
    values = re.findall(rb"=([^;\s]*)", found["v"])
    if any(len(value) >= 6 and (looks_random(value) or len(value) >= 16) for value in values):
        return Hit(found.start("v"), found.end("v"), "cookie")
    return None


_COOKIE_VALUE = _behind(_Kind("cookie", False, 8, 0))


_NAMES = re.compile(
    rb"(?i)passw|passphrase|passcode|pwd\Z|secret|credential|creds\Z|token\Z|(?:api|access|private|signing|encryption|auth)[_-]?key|authoriz|\Aauth\Z|cookies?\Z"
)


def is_secret_name(name: str) -> bool:
    """Return whether whatever stands below a key is secret."""
    encoded = name.encode()
    words = [word.lower() for word in _WORDS.findall(encoded)]
    return (
        _NAMES.search(encoded) is not None
        and words[-1:] != []
        and words[-1] not in _ABOUT
        and not set(words) & {b"schema"}
    )


def is_secret_leaf(text: str) -> bool:
    """Return whether a text below such a name can be a secret: it is no common word, and no sentence about one."""
    encoded = text.encode("utf-8", "replace")
    words = encoded.lower().split()
    return (
        bool(words)
        and not _STAND_IN.match(encoded)
        and not any(word in NO_SECRETS or word in _SENTENCE for word in words)
    )
