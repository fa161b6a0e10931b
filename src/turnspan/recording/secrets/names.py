r"""Secrets by their name: ``password=...``, ``"api_key": "..."``, ``Authorization: ...``, ``--token ...``.

Whatever stands behind such a name is a secret, if it can be one: ``token: optional`` and ``max_tokens: 4096`` are not.
Text is scanned as it is encoded: JSON in which quotes are escaped, once for each level of JSON inside of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from turnspan.recording.secrets.values import can_be_secret
from turnspan.recording.secrets.words import (
    ABOUT,
    CARD_CODE,
    CODE,
    MARKS,
    NO_PASS,
    ORDINARY,
    OTHER_KEY,
    PHRASES,
    Kind,
)


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


Handler = Callable[[bytes, int, int], "Hit | list[Hit] | None"]

Q = rb"\\*[\"'`]"
S = rb"(?:[ \t]|\\+[ntr]|\xc2\xa0)"
_CHAR = rb"(?:[^\"\\]|\\.)"
# A name behind its mark, and what stands between it and its value. Groups are repeated in atomic groups, never
# possessively: until Python 3.11.5, a possessive repeat of a group swallows part of what does not match.
_REST = re.compile(
    rb"(?P<tail>(?>(?:[A-Za-z0-9_.\-]|\xc3[\x80-\xbf]){0,40}))(?P<q>" + Q + rb")?\]?(?P<gap>(?>" + S + rb"{0,24}))"
)
_ASSIGNED = re.compile(
    rb"(?:\*\*)?(?P<by>=>|:=|\?=|\|\|=?|=|::?|%3[dD]|\xef\xbc\x9a|\xe6\x98\xaf|\xe4\xb8\xba|\xe3\x81\xaf)(?![=~])(?:\*\*)?(?>" + S
    + rb"{0,40})(?:[|>][+-]?(?:\\+r)?\\+n" + S + rb"+)?(?:!!\w+" + S + rb")?"
)  # fmt: skip
_PAIRED = re.compile(
    rb",(?>" + S + rb"*)(?P<nv>" + Q + rb"(?:value|val|Value|content|secret|data)" + Q + S + rb"*:" + S + rb"*)?(?=[bu]?" + Q + rb")"
)  # fmt: skip
_ATTRIBUTE = re.compile(  # of an element, or in a block that the name stands before
    rb"(?:\{" + S + rb"{0,24}(?:(?:type|description|sensitive|nullable)" + S + rb"*=[^\\\n]{0,120}?\\+n" + S + rb"{0,24}){0,4})?"
    rb"(?:value|Value|content|default)" + S + rb"*=" + S + rb"*"
)  # fmt: skip
_NEXT_LINE = re.compile(rb"value:" + S + rb"+")  # of a list of variables in YAML
_FORM = re.compile(rb"(?:\\+r)?\\+n(?:\\+r)?\\+n")
_PROSE = re.compile(
    rb"(?:(?:is|was|has been|will be)" + S + rb"+(?:generated|created|set|reset|changed)" + S + rb"+)?"
    rb"(?:(?:for|of)" + S + rb"+(?:[\w.@-]{1,40}:?" + S + rb"+){1,4}?)?"
    rb"(?:(?:(?:is|was|are)(?: now| currently| still)?|set to|to|will be|ist|est|es|lautet|\xc3\xa8|->|-|\xe2\x80\x93|\xe2\x86\x92):?" + S + rb"+)?(?=(?:" + Q + rb")?[^\s\"'\\]*\d)"
)  # fmt: skip
_QUOTED = re.compile(
    rb"[bBrRuUfFN@$]{0,2}(?P<q>" + Q + rb")(?P<v>(?:(?!(?P=q))" + _CHAR + rb"){0,20000}?)(?P=q)", re.DOTALL
)
BARE = re.compile(rb"(?P<v>(?:[^\s\"'`\\,;&<>]|,(?![\s\\\"]|\w+[=:])|\\\\(?![nrt\"'\\]))+)")
_PHRASE = re.compile(
    rb"[^a-zA-Z0-9]{0,16}(?:(?:is|are)[^a-z]{1,4})?(?P<v>(?:[a-z]{3,8}(?:[ ,]|\\+n){1,3}){11,23}[a-z]{3,8})(?![a-z])"
)
_FIRST_OF_TWO = re.compile(rb"[\[(]" + S + rb"*" + Q + rb"[^\"'`\\]{0,80}" + Q + S + rb"*," + S + rb"*(?=" + Q + rb")")
_LIST = re.compile(
    rb"\[(?>" + S + rb"*)(?P<q>" + Q + rb")(?P<v>[\w.+/=-]{6,64}(?>(?:(?P=q)," + S + rb"*(?P=q)[\w.+/=-]{6,64}){0,63}))(?P=q)(?>" + S + rb"*)\]"
)  # fmt: skip
_NOT_A_STRING = re.compile(rb"(?:true|false|null|None|True|False|-?\d{1,5}(?:\.\d+)?)(?=[\s,;&)}\]\"'\\|]|\Z)")
_NUMBER = re.compile(rb"-?\d{1,5}(?=[,}\]])")
_DIGIT = re.compile(rb"\d")
_WORDS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def named() -> Iterator[tuple[str, Handler]]:
    """Return marks and what looks at each place where one stands."""
    for kind, marks in MARKS.items():
        handler = behind(kind)
        for mark in marks:
            yield mark, handler
    for mark in PHRASES:
        yield mark, _phrase


def behind(kind: Kind) -> Handler:
    """Return what looks at the value behind a name."""
    label, strong, list_wanted = kind.label, kind.strong, kind not in (OTHER_KEY, CODE, CARD_CODE)
    is_code = kind in (CODE, CARD_CODE)

    def handler(text: bytes, start: int, end: int) -> Hit | None:
        if not strong and not is_code and _COUNT.match(text, end):
            return None  # "input_tokens": 100 is in every event of a model
        if text[end - 1] in _FOLLOWS:
            end -= 1  # the mark says what must follow: it is read as such
        if end - start < 5 and not _is_word(text, start, end):
            return None
        rest = _REST.match(text, end)
        if rest is None:
            return None
        found = _between(text, start, rest, kind)
        if found is None:
            return None
        how, at = found
        if not strong and not is_code and text[at : at + 1] in b"0123456789-tfnTFN{[" and _NOT_A_STRING.match(text, at):
            return None
        if (
            how == "space"
            and text[at : at + 1] not in _QUOTES
            and text[start - 1] not in b"-_"
            and not _PROSE.match(text, at)
        ):
            return None  # words behind words, the most frequent case
        before = _name_before(text, start)
        if how == "space" and not kind.strong and _SIGNED_WITH.search(text, max(0, start - 40), start):
            return None  # what it was signed with, not the key
        if how == "space":
            how = _spaced(text, at, before, kind)
            if how == "":
                return None
            if how == "prose" and (prose := _PROSE.match(text, at)) is not None:
                at = prose.end()
                how = "quoted" if _QUOTED.match(text, at) else how
        elif how == "xml" and (not before.startswith(b"<") or text[at : at + 1] == b"@"):
            return None
        if not _is_secret(kind, before, rest["tail"]):
            return None
        if how == "json" and list_wanted and text[at : at + 1] in (b"[", b"{"):
            name = before.rstrip(b"_-") + text[start : rest.end("tail")]
            return Hit(at, at, label, nested=True) if is_secret_name(name.decode("utf-8", "replace")) else None
        return _value(text, at, kind, how)

    return handler


def _is_word(text: bytes, start: int, end: int) -> bool:
    """Return whether a short mark is a word of its own, and no part of another or of something random."""
    before, first, behind = text[start - 1 : start], text[start : start + 1], text[end : end + 1]
    inside = (
        before.isalpha()
        and not (before in (b"n", b"r", b"t") and text[start - 2 : start - 1] == b"\\")
        and not (before.islower() and first.isupper())
    )
    return not (inside and first not in b"_-") and not (
        behind.isalpha() and not (behind.isupper() and text[end - 1 : end].islower())
    )


_QUOTES = frozenset((b'"', b"'", b"`", b"\\"))
_SIGNED_WITH = re.compile(rb"(?i)(?:(?:signed|made|verified) (?:with|using|by) (?:\w{3,7} )?|public )\Z")
_COUNT = re.compile(rb's?":\[?\d')
_FOLLOWS = frozenset(b"=:\"'\\ ")


_SIGNS = frozenset((b":", b"=", b"?", b"*", b"%", b"\xef", b"\xe6", b"\xe4", b"\xe3"))


def _between(text: bytes, start: int, rest: re.Match[bytes], kind: Kind) -> tuple[str, int] | None:
    """Return how a name and its value are put together, and where the value begins."""
    at = rest.end()
    next_ = text[at : at + 1]
    quote, gap = rest["q"], rest["gap"]
    if next_ in _SIGNS or text[at : at + 2] == b"||":
        found = _ASSIGNED.match(text, at)
        if found is None or (found["by"] == b":" and text[start - 1 : start] == b":"):
            return None  # the second: a part of a name with colons
        tight = not gap and found["by"] in (b"=", b"%3D", b"%3d") and found.end() == found.end("by")
        return "json" if quote is not None else "tight" if tight else "assign", found.end()
    if quote is not None:
        if next_ == b"," and (paired := _PAIRED.match(text, at)) is not None:
            return "pair" if paired["nv"] is None else "json", paired.end()
        if gap and (attribute := _ATTRIBUTE.match(text, at)) is not None:
            return "json", attribute.end()
        if next_ == b">":
            return "element", at + 1
        if (form := _FORM.match(text, rest.end("q"))) is not None:
            return "form", form.end()
        return None
    if b"\\n" in gap and (value := _NEXT_LINE.match(text, at)) is not None:
        return "assign", value.end()
    if next_ == b">":
        return "xml", at + 1
    if next_ == b"|":
        return "cell", at + 1 + (text[at + 1 : at + 2] == b" ")
    if next_ == b"(" and kind.strong and _QUOTED.match(text, at + 1):
        return "call", at + 1
    return ("space", at) if gap else None


def _spaced(text: bytes, at: int, before: bytes, kind: Kind) -> str:
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
    if at and text[at - 1] == 92 and text[at : at + 1] in (b"n", b"r", b"t"):
        at += 1  # a line break, as JSON has it
    elif at and text[at - 1] in b"<$":
        at -= 1
    joint = text[start : start + 1]
    return text[at:start] + (joint if joint in (b"_", b"-") else b"")


_NAME = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


@lru_cache(4096)
def _is_secret(kind: Kind, before: bytes, tail: bytes) -> bool:
    if len(tail) > 6 and _DIGIT.search(tail):
        return False  # something random in which the mark happens to stand
    behind = _WORDS.findall(tail)
    if behind and behind[-1].lower() in ABOUT:
        return False
    words = _WORDS.findall(before)
    if kind is OTHER_KEY and not words:
        return False
    last = words[-1].lower() if words else b""
    return last not in (NO_PASS if kind.strong else ORDINARY)


def _value(text: bytes, at: int, kind: Kind, how: str) -> Hit | None:
    """Return the value that begins here, if it can be a secret."""
    quoted = _QUOTED.match(text, at) if how != "prose" else None
    if quoted is not None and not quoted["v"] and text[quoted.end() : quoted.end() + 1] in _QUOTES:
        quoted = _QUOTED.match(text, quoted.end()) or quoted  # three quotes are an empty string and one more
    if quoted is None and how != "prose" and text[at : at + 1] in (b"[", b"("):
        two = _FIRST_OF_TWO.match(text, at)  # a user and a password
        if two is None and not kind.strong:
            return None
        if two is None and (listed := _LIST.match(text, at)) is not None:
            return Hit(listed.start("v"), listed.end("v"), kind.label)
        quoted = _QUOTED.match(text, at + 1 if two is None else two.end())
        how = "pair" if two is not None else how
    if quoted is not None:
        return _hit(quoted, kind) if can_be_secret(kind, quoted["v"], how, quoted=True, last=True) else None
    if how in ("pair", "call", "quoted"):
        return None
    is_code = kind in (CODE, CARD_CODE)
    if not is_code and _NOT_A_STRING.match(text, at):
        number = _NUMBER.match(text, at)
        if how == "json" and kind.strong and number is not None and text[at - 2 : at] == b'":':
            return Hit(at, number.end(), kind.label)
        return None
    bare = BARE.match(text, at)
    if bare is None or bare["v"].startswith(b"[") or (how == "assign" and bare["v"].endswith(b":")):
        return None
    value = bare["v"].rstrip(b".:!?)]}|*_")
    behind = text[bare.end() : bare.end() + 2]
    last = behind[:1] in (b"", b'"', b"&", b";", b"'", b"<", b"`") or behind in (b"\\n", b"\\r", b'\\"')
    if value and can_be_secret(kind, value, how, quoted=False, last=last):
        return Hit(at, at + len(value), kind.label)
    return None


def _phrase(text: bytes, _start: int, end: int) -> Hit | None:
    """Return the dozen or two words that are the key of a wallet."""
    found = _PHRASE.match(text, end)
    return None if found is None else Hit(found.start("v"), found.end("v"), "seed phrase")


def _hit(found: re.Match[bytes], kind: Kind) -> Hit:
    return Hit(found.start("v"), found.end("v"), kind.label)


_NAMES = re.compile(
    rb"(?i)passw|passphrase|passcode|pwd\Z|secret|credential|creds\Z|token\Z|(?:api|access|private|signing|encryption|auth)[_-]?key|(?:recovery|backup|scratch)[_-]?codes?\Z|authoriz|\Aauth\Z|cookies?\Z"
)


def is_secret_name(name: str) -> bool:
    """Return whether whatever stands below a key is secret."""
    encoded = name.encode()
    if _NAMES.search(encoded) is None:
        return False
    words = [word.lower() for word in _WORDS.findall(encoded)]
    return bool(words) and words[-1] not in ABOUT and b"schema" not in words
