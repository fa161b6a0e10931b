r"""Text that moves no terminal.

What models, tools and users say may hold anything: escape sequences that set the clipboard or clear the screen, characters
that turn the reading direction so that one thing reads as another. Printed, it must be text and nothing else. Everything
that prints (``turnspan.cli.output``) and every warning goes through here; what is stored stays as it was said.
"""

from __future__ import annotations

import re

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SEPARATORS = "\u2028\u2029"
_INVISIBLE = "\u00ad\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_SURROGATES = "\ud800-\udfff"
_ACTIVE = re.compile(f"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI}{_SEPARATORS}{_INVISIBLE}{_SURROGATES}]")
_ACTIVE_OR_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f{_BIDI}{_SEPARATORS}{_INVISIBLE}{_SURROGATES}]")


def inert(text: str) -> str:
    r"""Return text as a terminal may get it: what would act is shown as an escape (``\x1b``); lines and tabs stay."""
    return text if text.isascii() and text.isprintable() else _ACTIVE.sub(_escaped, text)


def inert_line(text: str) -> str:
    """Return text as a part of one line: line breaks and tabs are shown as escapes, too."""
    return text if text.isascii() and text.isprintable() else _ACTIVE_OR_LINE.sub(_escaped, text)


def inert_json(text: str) -> str:
    r"""Return JSON that says the same with what would act as ``\uXXXX``; its own line breaks stay."""
    return text if text.isascii() and "\x7f" not in text else _ACTIVE.sub(_escaped_json, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped_json(found: re.Match[str]) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _utf16(ord(found[0])))


def _utf16(code: int) -> list[int]:
    if code < 0x10000:
        return [code]
    code -= 0x10000
    return [0xD800 | code >> 10, 0xDC00 | code & 0x3FF]
