"""Secrets in headers: ``Authorization``, ``Cookie``, and what stands behind ``Bearer`` and ``Basic`` anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from turnspan.recording.secrets.names import BARE, Handler, Hit, Q, S, behind
from turnspan.recording.secrets.values import is_stand_in, is_user_and_password, looks_random
from turnspan.recording.secrets.words import COOKIE, NO_SECRETS, SCHEMES

_HEADER = re.compile(
    rb"[A-Za-z]{0,8}(?:"
    + Q
    + rb")?\]?"
    + S
    + rb"*(?:[:=,]|=>|%3A)"
    + S
    + rb"*(?P<q>"
    + Q
    + rb")?(?:value"
    + Q
    + S
    + rb"*:"
    + S
    + rb"*"
    + Q
    + rb")?"
)
_SCHEME = re.compile(
    rb"(?P<scheme>[A-Za-z][A-Za-z0-9-]{1,24})(?:"
    + S
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
        and scheme["scheme"].lower() in SCHEMES
        and (found["q"] is not None or any(48 <= c < 58 for c in scheme["v"]) or len(scheme["v"]) >= 16)
        and scheme["v"].lower() not in NO_SECRETS
        and not is_stand_in(scheme["v"])
    ):
        return Hit(scheme.start("v"), scheme.end("v"), "authorization")
    bare = BARE.match(text, at)
    if bare is not None and looks_random(bare["v"]) and len(bare["v"]) >= 8 and not is_stand_in(bare["v"]):
        return Hit(bare.start("v"), bare.end("v"), "authorization")
    return None


_BEARER = re.compile(rb"(?:" + S + rb"|%20|\+|:|\\*[\"'],?" + S + rb"*\\*[\"'])+(?P<v>[A-Za-z0-9._~+/=-]{8,})")
_BASIC = re.compile(rb"(?P<v>[A-Za-z0-9+/]{6,}={0,2})")


def _bearer(text: bytes, _start: int, end: int) -> Hit | None:
    found = _BEARER.match(text, end)
    if found is not None and (looks_random(found["v"]) or (len(found["v"]) >= 20 and not found["v"].isalpha())):
        return Hit(found.start("v"), found.end("v"), "bearer token")
    return None


def _basic(text: bytes, _start: int, end: int) -> Hit | None:
    found = _BASIC.match(text, end)
    if found is None or not is_user_and_password(found["v"]):
        return None
    return Hit(found.start("v"), found.end("v"), "authorization")


_COOKIES = re.compile(
    rb"(?P<tail>[A-Za-z0-9_-]{0,12})(?:"
    + Q
    + rb")?\]?"
    + S
    + rb"*(?:=>|[:=,])"
    + S
    + rb"*(?:"
    + Q
    + rb")?(?P<v>[\w.$-]+(?:=|%3D)(?:[^\"\\]|\\\\(?![nrt\"'\\]))+)"
)


def _cookie(text: bytes, start: int, end: int) -> Hit | list[Hit] | None:
    found = _COOKIES.match(text, end)
    if found is None:
        return _cookie_value(text, start, end)
    values = re.findall(rb"=([^;\s]*)", found["v"])
    if any(len(value) >= 6 and (looks_random(value) or len(value) >= 16) for value in values):
        return Hit(found.start("v"), found.end("v"), "cookie")
    return None


_cookie_value = behind(COOKIE)


def headers() -> Iterator[tuple[str, Handler]]:
    """Return marks and what looks at each place where one stands."""
    yield "authoriz", _authorization
    yield "bearer", _bearer
    yield "basic ", _basic
    yield "cookie", _cookie
