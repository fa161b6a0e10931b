"""Numbers of people: of cards, bank accounts and social security. They go by check digits and by what stands before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from turnspan.recording.secrets.names import Hit

_CLASSES = bytes(
    48 if 48 <= c < 58 else 65 if 65 <= c < 91 else 97 if 97 <= c < 123 or c == 95 else 106 if c in b" -" else 112 if c in b".+/%#" else 120
    for c in range(256)
)  # fmt: skip
"""Text as shapes: 0 for digits, A and a for letters, j for what joins groups of digits, p for what makes them no number
of a card, x for the rest."""
_TEN, _COMPACT, _GROUPED = b"0" * 10, b"0" * 14, b"0000j0000"
_SHAPES = (
    (_COMPACT, re.compile(rb"(?:(?<=[xj])|\A)0{14,16}(?![0Aa])")),
    (_GROUPED, re.compile(rb"(?:(?<=[xj])|\A)0000j(?:0000j0000j0000|000000j0{4,5})(?![0Aa])")),
)
_IBAN_BEGINNINGS = (b"xAA00", b"jAA00")
WIDE_MARKS = ("\u00a0", "\u202f", "\u2011", *map(chr, range(0xFF10, 0xFF1A)))
_WIDE = {
    b"\xc2\xa0": b" ",
    b"\xe2\x80\xaf": b" ",
    b"\xe2\x80\x91": b"-",
    **{bytes([0xEF, 0xBC, 0x90 + n]): b"%d" % n for n in range(10)},
}
_WIDE_ONE = re.compile(b"|".join(_WIDE))
# Issuers by their first digits and the lengths of their numbers (ISO/IEC 7812)
_ISSUER = re.compile(
    rb"4\d{15}\Z|5[1-5]\d{14}\Z|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}\Z|3[47]\d{13}\Z"
    rb"|6(?:011|5\d\d|4[4-9]\d)\d{12}\Z|3(?:0[0-5]|[68]\d)\d{11}\Z|35(?:2[89]|[3-8]\d)\d{12}\Z|62\d{14}\Z"
)
_NO_CARD = re.compile(
    rb"(?i)(?:\bids?|_id|\bsku|order|imei|isbn|ean|upc|gtin|tracking|timestamp|_ns|_us|phone|tel|fax|invoice|ref(?:erence)?|serial|"
    rb"\bpo|article|product|item|version|build|commit|seed|offset|size|bytes|count|ticket|case|user|session|message|chat|tweet|status)"
    rb"[\w]{0,8}[\"'\\]*[ :=#.]{0,3}[\"'\\]*\Z"
)
_NEIGHBOURS = frozenset((b"", b"x", b"j"))
_SUFFIX = re.compile(rb"[ -]\d{4}(?![\d/])|-[A-Za-z]|\.\d")


def may_hold_numbers(text: bytes) -> bool:
    """Return whether there are digits enough for a number of a card or an account, of usual width."""
    shape = text.translate(_CLASSES)
    return _TEN in shape or _GROUPED in shape


def numbers(text: bytes, *, wide: bool) -> list[Hit]:
    """Return the numbers of cards and accounts.

    Args:
        text: JSON.
        wide: Whether there are digits of East Asian width in it, or spaces that do not break.

    """
    shape = text.translate(_CLASSES)
    hits: list[Hit] = []
    if not wide and _TEN not in shape and _GROUPED not in shape:
        return hits
    hits += _cards(text, shape)
    for beginning in _IBAN_BEGINNINGS:
        at = shape.find(beginning)
        while at >= 0:
            found = _IBAN.match(text, at + 1)
            if found is not None and _is_iban(found[0]):
                hits.append(Hit(found.start(), found.end(), "IBAN"))
            at = shape.find(beginning, at + 1)
    if wide:
        hits += _wide_cards(text)
    return hits


def _cards(text: bytes, shape: bytes) -> Iterator[Hit]:
    for needed, pattern in _SHAPES:
        if needed in shape:
            for found in pattern.finditer(shape):
                if _is_card(text, *found.span()):
                    yield Hit(*found.span(), "card number")


def _is_card(text: bytes, start: int, end: int) -> bool:
    digits = text[start:end].replace(b" ", b"").replace(b"-", b"")
    return (
        _ISSUER.match(digits) is not None
        and _luhn(digits)
        and len(set(digits)) > 1
        and not _NO_CARD.search(text, max(0, start - 24), start)
        and not _SUFFIX.match(text, end)
    )


def _wide_cards(text: bytes) -> Iterator[Hit]:
    """Return cards whose digits are of East Asian width, or grouped by spaces that do not break."""
    places: list[int] = []
    parts: list[bytes] = []
    at = 0
    for found in _WIDE_ONE.finditer(text):
        parts += [text[at : found.start()], _WIDE[found[0]]]
        places += [*range(at, found.start()), found.start()]
        at = found.end()
    narrow = b"".join([*parts, text[at:]])
    places += range(at, len(text) + 1)
    for hit in _cards(narrow, narrow.translate(_CLASSES)):
        yield Hit(places[hit.start], places[hit.end], hit.name)


def _luhn(digits: bytes) -> bool:
    """Return whether the last of these digits is the check digit of the others (ISO/IEC 7812-1)."""
    doubled = (sum(divmod((d - 48) * 2, 10)) for d in digits[-2::-2])
    return (sum(d - 48 for d in digits[-1::-2]) + sum(doubled)) % 10 == 0


_IBAN = re.compile(rb"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?(?![A-Za-z0-9])")
_SSN = re.compile(rb"[^0-9\n\\]{0,24}?(?<!\d)(?!000|666|9)(\d{3}([- ]?)(?!00)\d\d\2(?!0000)\d{4})(?!-?\d)")


def _is_iban(text: bytes) -> bool:
    """Return whether a number of an account has the right check digits (ISO 13616)."""
    compact = re.sub(rb"[ -]", b"", text)
    turned = compact[4:] + compact[:4]
    return 15 <= len(compact) <= 34 and int("".join(str(int(chr(c), 36)) for c in turned)) % 97 == 1


def iban(text: bytes, _start: int, end: int) -> Hit | None:
    """Return the number of an account behind the word for it."""
    found = _IBAN.search(text, end, end + 60)
    return Hit(found.start(), found.end(), "IBAN") if found is not None and _is_iban(found[0]) else None


def social_security(text: bytes, _start: int, end: int) -> Hit | None:
    """Return the social security number behind its name."""
    found = _SSN.match(text, end)
    return None if found is None else Hit(found.start(1), found.end(1), "social security number")
