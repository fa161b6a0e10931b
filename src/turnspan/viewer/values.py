"""Content as markup that does nothing: what agents, tools and users said is text, whatever it looks like.

Every piece of text goes through :func:`text_html`: known secrets are hidden as the command line hides them, characters
that act (escape sequences, reading direction, NUL) are shown as escapes, and the rest is escaped. JSON becomes a tree that
folds, long text is cut, and where something was cut a link leads to the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from turnspan.model.inert import inert
from turnspan.model.json_values import parsed, to_json
from turnspan.recording.redaction import redact_secrets

LONG = 4_000
"""Characters of one text that are shown at first."""
WHOLE = 2_000_000
"""Characters of one text that are shown where all of it is asked for."""
_ITEMS, _ALL_ITEMS = 150, 20_000
_INLINE = 72
_DEEPEST = 24
_RASTER = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+\Z")
_FENCED = re.compile(r"^```[^\n`]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]{1,200})`")
_STRONG = re.compile(r"\*\*([^*\n<>]{1,200})\*\*")
_LARGEST_IMAGE = 8_000_000


def safe(text: str) -> str:
    """Return text without known secrets; lone surrogates, which another program may have kept, as escapes."""
    try:
        return redact_secrets(text)
    except UnicodeEncodeError:
        return redact_secrets(text.encode("utf-8", "backslashreplace").decode())


def text_html(text: str, limit: int = LONG) -> Markup:
    """Return text as inert markup, and how much of it was left out."""
    shown = escape(inert(safe(text[:limit])))
    left = len(text) - limit
    return shown if left <= 0 else shown + Markup('<span class="cut">… {} more characters</span>').format(f"{left:,}")


def prose_html(text: str, limit: int = LONG) -> Markup:
    """Return an answer as models write it: code apart, and what is marked as code or strong shown as that.

    Its text is escaped first, so that only the tags of this function are tags.
    """
    pieces = []
    for place, piece in enumerate(_FENCED.split(text[:limit])):
        if place % 2:
            pieces.append(Markup("<pre>{}</pre>").format(text_html(piece.rstrip("\n"), limit)))
        elif piece.strip():
            shown = _CODE.sub(r"<code>\1</code>", str(text_html(piece.strip("\n"), limit)))
            shown = _STRONG.sub(r"<b>\1</b>", shown)
            pieces.append(Markup("<p>{}</p>").format(Markup(shown)))  # noqa: S704  escaped above
    if (left := len(text) - limit) > 0:
        pieces.append(Markup('<span class="cut">… {} more characters</span>').format(f"{left:,}"))
    return Markup('<div class="prose" dir="auto">{}</div>').format(Markup("").join(pieces))


def _read(value: Any) -> Any:
    """Return the JSON that text holds, or the value itself; what is nested too deep to be read is text."""
    try:
        return parsed(value)
    except RecursionError:
        return value


def gist(value: Any, limit: int = 110) -> str:
    """Return content on one line: a mapping by its names, anything else as text."""
    value = _read(value)
    if isinstance(value, dict):
        parts = [f"{key}: {_short(item)}" for key, item in list(value.items())[:6]]
        text = ", ".join(parts) + (", …" if len(value) > 6 else "")
    else:
        text = _short(value, limit)
    text = " ".join(safe(text[: 4 * limit]).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _short(value: Any, limit: int = 60) -> str:
    text = to_json(value)[: 4 * limit]
    return text if len(text) <= limit else text[: limit - 1] + "…"


class ValueView:
    """Renders one value; ``was_cut`` says afterwards whether some of it was left out.

    Args:
        whole: Whether all of it is wanted.

    """

    def __init__(self, *, whole: bool = False) -> None:
        self._limit, self._items = (WHOLE, _ALL_ITEMS) if whole else (LONG, _ITEMS)
        self.was_cut = False

    def prose(self, text: str) -> Markup:
        """Return what a model answered."""
        self.was_cut |= len(text) > self._limit
        return prose_html(text, self._limit)

    def render(self, value: Any) -> Markup:
        """Return a value as markup: text as text, what is JSON as a tree."""
        value = _read(value)
        if isinstance(value, str):
            return self._long_text(value)
        return Markup('<div class="json">{}</div>').format(self._node(value, 0))

    def messages(self, value: Any) -> Markup:
        """Return what a model was given: who says it, and what; anything else than such messages as a tree."""
        value = _read(value)
        if not (isinstance(value, list) and value and all(_is_message(item) for item in value)):
            return self.render(value)
        return Markup("").join(self._message(item) for item in value[:_ITEMS]) + self._left_out(len(value) - _ITEMS)

    def _message(self, message: dict[str, Any]) -> Markup:
        said = [part["text"] if _is_text(part) else part for part in _parts(message.get("content"))]
        rest = {key: item for key, item in message.items() if key not in ("role", "content") and item is not None}
        shown = [self.render(part) for part in (*said, *([rest] if rest else []))]
        return Markup("<h4>{}</h4>{}").format(text_html(message["role"], 40), Markup("").join(shown))

    def _left_out(self, number: int) -> Markup:
        self.was_cut |= number > 0
        return Markup('<p class="cut">… {} more</p>').format(number) if number > 0 else Markup("")

    def _long_text(self, text: str) -> Markup:
        if (image := _image(text)) is not None:
            return image
        self.was_cut |= len(text) > self._limit
        return Markup('<pre class="text" dir="auto">{}</pre>').format(text_html(text, self._limit))

    def _node(self, value: Any, depth: int) -> Markup:
        self._items -= 1
        match value:
            case dict() | list() if not value:
                return Markup("<i>{}</i>").format("{}" if isinstance(value, dict) else "[]")
            case dict() | list() if depth >= _DEEPEST:
                self.was_cut |= len(text := to_json(value)) > self._limit
                return Markup("<q>{}</q>").format(text_html(text, self._limit))
            case dict():
                if (image := _image_of(value)) is not None:
                    return image
                return self._branch(value.items(), f"{{{len(value)}}}", depth)
            case list():
                return self._branch(enumerate(value), f"[{len(value)}]", depth)
            case str():
                return _image(value) or self._leaf(value)
            case None | bool():
                return Markup("<i>{}</i>").format(to_json(value))
        return Markup("<b>{}</b>").format(to_json(value)[:400])

    def _leaf(self, text: str) -> Markup:
        self.was_cut |= len(text) > self._limit
        is_long = "\n" in text or len(text) > _INLINE
        leaf = Markup("<pre>{}</pre>") if is_long else Markup("<q>{}</q>")
        return leaf.format(text_html(text, self._limit))

    def _branch(self, items: Iterable[tuple[Any, Any]], size: str, depth: int) -> Markup:
        rows, left = [], 0
        for key, item in items:
            if self._items <= 0:
                left += 1
                continue
            name = text_html(str(key), 200)
            rows.append(Markup("<li><span>{}</span>{}</li>").format(name, self._node(item, depth + 1)))
        if left:
            self.was_cut = True
            rows.append(Markup('<li class="cut">… {} more</li>').format(left))
        body = Markup("<ul>{}</ul>").format(Markup("").join(rows))
        if depth == 0:
            return body
        is_open = Markup(" open") if depth < 3 and len(rows) <= 12 else ""
        return Markup("<details{}><summary>{}</summary>{}</details>").format(is_open, size, body)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str)


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str) and part.keys() <= {"type", "text"}


def _parts(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    return [] if content is None or content == "" else [content]


def _image(text: str) -> Markup | None:
    """Return a picture that is stored as a data URL; only kinds that cannot hold anything active."""
    if text.startswith("data:image/") and len(text) <= _LARGEST_IMAGE and _RASTER.match(text):
        return Markup('<img class="stored" alt="image in the record" loading="lazy" src="{}">').format(text)
    return None


def _image_of(value: dict[str, Any]) -> Markup | None:
    """Return a picture that is stored as a part of a message: its kind, and its bytes in base64."""
    source = value.get("source") if isinstance(value.get("source"), dict) else value
    assert isinstance(source, dict)
    kind = source.get("media_type") or source.get("mime_type") or source.get("mimeType")
    data = source.get("data")
    return _image(f"data:{kind};base64,{data}") if isinstance(kind, str) and isinstance(data, str) else None
