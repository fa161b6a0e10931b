r"""Secrets by their place: in URLs, on command lines, in lines of known files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from turnspan.recording.secrets.names import Handler, Hit
from turnspan.recording.secrets.values import looks_random
from turnspan.recording.secrets.words import NO_SECRETS, PASSWORD

_USER = re.compile(rb"://(?P<user>[^\s\"'<>\\/@:?#,;]{0,128}):(?P<v>[^\s\"'<>\\/@]{1,512})@(?=[\w\[.-])")
_HARD_PASSWORD = re.compile(
    rb"://(?P<user>[^\s\"'<>\\/@:?#,;]{0,128}):(?P<v>(?!\d{1,5}(?:[/?#]|\Z))[^\s\"'<>\\,]{1,512})@(?=[\w\[-]+(?:[.:/\"'\s\\]|\Z))"
)
_USER_ALONE = re.compile(rb"://(?P<v>[A-Za-z0-9_\-]{20,})(?::x-oauth-basic|:)?@(?=[\w\[])")
_STAND_IN = re.compile(rb"[<{$*%\[]|x{3,}\Z|\.\.\.", re.IGNORECASE)


def _url(text: bytes, start: int, _end: int) -> Hit | None:
    found = _USER.match(text, start)
    rest = text[found.end() : found.end() + 256] if found is not None else b""
    if found is None or b"@" in re.split(rb"[\s\"'/?<>\\]", rest, maxsplit=1)[0]:
        found = _HARD_PASSWORD.match(text, start) or found
    if found is None:
        found = _USER_ALONE.match(text, start)
        if found is None or not looks_random(found["v"]):
            return None
        return Hit(found.start("v"), found.end("v"), "token")
    value = found["v"]
    if _STAND_IN.match(value) or value.lower() in NO_SECRETS or found["user"].lower() == value.lower() == b"guest":
        return None
    return Hit(found.start("v"), found.end("v"), "password")


_IN_URL = re.compile(
    rb"(?i)[?&](?:amp;)?[\w-]*?(?:sig|signature|key|token|code_verifier|secret|sas|credential)=(?P<v>[^&\s\"'<>\\#]{16,})"
)


def _parameter(text: bytes, start: int, _end: int) -> Hit | None:
    found = _IN_URL.match(text, start)
    return Hit(found.start("v"), found.end("v"), "token") if found is not None and looks_random(found["v"]) else None


_Q = rb"(?:\\*[\"'])?"
_ARGS = rb"(?:[^|;\"\\]|\\+[\"']|\\\\n){0,300}?"
_GAP = rb"(?:[ \t]+|\\*[\"'],?[ \t]*\\*[\"'])"
_COMMANDS: tuple[tuple[str, bytes], ...] = (
    ("curl", rb"curl\b" + _ARGS + _GAP + rb"(?:-\w*u|--user|--proxy-user|-U)(?:" + _GAP + rb"|=|)" + _Q + rb"[^\s:\"'\\]{1,80}:(?P<v>[^\s\"'\\]+)"),
    ("wget", rb"wget\b" + _ARGS + rb"password[= ]" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("mysql", rb"(?:mysql\w*|mariadb\w*)\b" + _ARGS + _GAP + rb"-p(?P<v>[^\s\"'\\]{3,})"),
    ("sshpass", rb"sshpass\s+-p" + rb"\s*" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    (" login", rb" login\b" + _ARGS + _GAP + rb"-p" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("redis-cli", rb"redis-cli\b" + _ARGS + _GAP + rb"-a" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("ldap", rb"ldap(?:search|modify|add|whoami|passwd|delete)\b" + _ARGS + _GAP + rb"-w" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("mongo", rb"mongo\w*\b" + _ARGS + _GAP + rb"-p" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("sqlcmd", rb"sqlcmd\b" + _ARGS + _GAP + rb"-P" + _GAP + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("smbclient", rb"smbclient\b" + _ARGS + _GAP + rb"-U" + _GAP + _Q + rb"[^\s%\"'\\]+%(?P<v>[^\s\"'\\]+)"),
    ("htpasswd", rb"htpasswd\s+-\w*b\w*\s+\S+\s+\S+\s+" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("curl", rb"curl\b" + _ARGS + _GAP + rb"(?:-b|--cookie)(?:" + _GAP + rb"|=)" + _Q + rb"(?P<v>[\w.-]+=[^\s\"'\\]{8,})"),
    ("net user", rb"net user\s+\S+\s+(?P<v>[^\s\"'\\/*]+)"),
    ("password for ", rb"(?i)password for [^\s=]+\s*=\s*" + _Q + rb"(?P<v>[^\s\"'\\]+)"),
    ("jdbc:oracle", rb"jdbc:oracle:\w+:[^/\s]+/(?P<v>[^@\s]+)@"),
    ("net use", rb"net use\s+\S+\s+\S+\s+(?P<v>[^\s\"'\\/*]+)\s+/user"),
    ("7z ", rb"7z\s+\w+" + _ARGS + _GAP + rb"-p(?P<v>[^\s\"'\\]{3,})"),
    ("zip ", rb"zip\b" + _ARGS + _GAP + rb"-P" + _GAP + rb"?" + _Q + rb"(?P<v>[^\s\"'\\]{3,})"),
    ("echo ", rb"echo\s+(?:-n\s+)?" + _Q + rb"(?:\w+:)?(?P<v>[^\s\"'\\|:]{4,})" + _Q + rb"\s*\|\s*(?:sudo\s+(?:-\w+\s+)*-S|(?:sudo\s+)?(?:chpasswd|passwd\s+--stdin)|docker\s+login|gh\s+auth|kinit)"),
    ("/user:", rb"/user:\S+\s+/p(?:ass(?:word)?)?:(?P<v>[^\s\"'\\]+)"),
    ("machine ", rb"machine\s+\S+(?:\s|\\+n)+login\s+\S+(?:\s|\\+n)+password\s+(?P<v>[^\s\"\\]+)"),
    (":5432:", rb":5432:[^:\s\"\\]+:[^:\s\"\\]+:(?P<v>[^\s\"\\:]+)"),
    (":3306:", rb":3306:[^:\s\"\\]+:[^:\s\"\\]+:(?P<v>[^\s\"\\:]+)"),
)  # fmt: skip


def _command(pattern: re.Pattern[bytes]) -> Handler:
    def handler(text: bytes, start: int, _end: int) -> Hit | None:
        found = pattern.match(text, start, start + 1000)
        if found is None:
            return None
        value = found["v"]
        if _STAND_IN.match(value) or value.lower() in NO_SECRETS or (value.isdigit() and len(value) < 6):
            return None
        return Hit(found.start("v"), found.end("v"), PASSWORD.label)

    return handler


def placed() -> Iterator[tuple[str, Handler]]:
    """Return marks and what looks at each place where one stands."""
    yield "://", _url
    for mark in ("?sig", "&sig", "?key=", "&key=", "-signature=", "?code_verifier", "&x-amz-", "?x-amz-"):
        yield mark, _parameter
    for mark, pattern in _COMMANDS:
        yield mark, _command(re.compile(pattern))
